/** `config show` and the README's table: the settings, printed. Pure. */
import { CATALOGUE, settingsOfRole, type Setting } from './catalogue.ts';
import { masked } from './mask.ts';
import { CONCERNS, type Concern, type Role } from './roles.ts';
import type { Resolved } from './settings.ts';
import { sourceText } from './sources.ts';

export interface ShownSetting {
  readonly key: string;
  readonly concern: Concern;
  /** Secrets are masked; null where nothing is set. */
  readonly value: unknown;
  readonly source: string;
}

/** Every setting of the role, the wrong ones (which the problems name) left out. */
export function shownSettings(resolved: Resolved<Role>): ShownSetting[] {
  const values = resolved.values as Readonly<Record<string, unknown>>;
  return settingsOfRole(resolved.role).map(({ key, concern, kind }) => {
    const source = resolved.sources.get(key) ?? { from: 'default' as const };
    return { key, concern, value: masked(kind, values[key]) ?? null, source: sourceText(source) };
  });
}

/** A settings file that says the same, each line with its source; what is not set is a comment. */
export function settingsYaml(shown: readonly ShownSetting[]): string {
  const lines: string[] = [];
  let concern: Concern | undefined;
  for (const setting of shown) {
    if (setting.concern !== concern) lines.push(...(concern === undefined ? [] : ['']), `# ${CONCERNS[setting.concern].title}`);
    concern = setting.concern;
    // JSON is YAML; numbers, switches and plain words need no quotes.
    const text =
      typeof setting.value === 'string' &&
      /^[A-Za-z][\w./:@-]*$/.test(setting.value) &&
      !/^(true|false|yes|no|on|off|null)$/i.test(setting.value)
        ? setting.value
        : JSON.stringify(setting.value);
    const unset = setting.value === null;
    lines.push(unset ? `# ${setting.key}:` : `${setting.key}: ${text}${setting.source === 'default' ? '' : `  # ${setting.source}`}`);
  }
  return `${lines.join('\n')}\n`;
}

/** The README's tables: one for each concern. */
export function settingsTable(): string {
  const blocks = (Object.keys(CONCERNS) as Concern[]).map((concern) => {
    const rows = CATALOGUE.filter((setting) => setting.concern === concern).map(tableRow);
    return [
      `#### ${CONCERNS[concern].title}`,
      '',
      '| setting | flag | environment | default | meaning |',
      '|---|---|---|---|---|',
      ...rows,
    ].join('\n');
  });
  return `${blocks.join('\n\n')}\n`;
}

function tableRow(setting: Setting): string {
  const flag = setting.flag === null ? '–' : `\`${setting.flag}\``;
  const env = setting.env.map((name) => `\`${name}\``).join(', ');
  return `| \`${setting.key}\` | ${flag} | ${env} | ${setting.defaultText.replaceAll(/,(?! )/g, ', ') || '–'} | ${setting.about.replaceAll('|', '\\|')} |`;
}
