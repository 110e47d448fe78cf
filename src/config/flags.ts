/**
 * Settings given as flags. Pure.
 *   --batch-max-rows 500   --batch-max-rows=500   --kafka-tls   --no-leader-election   --resources pods --resources nodes
 */
import { BY_KEY, CATALOGUE, rolesWith, type Setting } from './catalogue.ts';
import { nearest } from './nearest.ts';
import type { Role } from './roles.ts';
import type { Found, Layer, Problem } from './sources.ts';

export interface Flags extends Layer {
  /** `--config`: the settings file. */
  readonly config?: string | undefined;
}

/** A flag may mean something in one role and something else in another. */
const BY_FLAG = Map.groupBy(
  CATALOGUE.filter(({ flag }) => flag !== null),
  ({ flag }) => flag ?? '',
);

/** @param argv the arguments after the verb */
export function readFlags(argv: readonly string[], role: Role): Flags {
  const found = new Map<string, Found>();
  const problems: Problem[] = [];
  let config: string | undefined;

  for (let at = 0; at < argv.length; at += 1) {
    const word = argv[at] ?? '';
    const [name, inline] = splitWord(word);
    const { setting, negated } = lookUp(name, role);
    if (setting === undefined && name !== '--config') {
      problems.push(unknownFlag(name));
      // What belongs to it is not an argument of its own.
      if (name.startsWith('-') && inline === undefined && !(argv[at + 1] ?? '--').startsWith('-')) at += 1;
      continue;
    }
    let value = inline;
    if (setting?.kind.placeholder === null) value = negated ? 'false' : (inline ?? 'true');
    else if (value === undefined && !(argv[at + 1] ?? '--').startsWith('--')) {
      at += 1;
      value = argv[at];
    }
    if (value === undefined) {
      problems.push({
        subject: name,
        message: `needs a value${setting === undefined ? ', the path of a settings file' : `: ${setting.kind.allowed}`}`,
      });
    } else if (setting === undefined) {
      config = value;
    } else if (!rolesWith(setting.key).includes(role)) {
      problems.push({ subject: name, message: `is no setting of \`${role}\`, but of ${rolesWith(setting.key).join(', ')}` });
    } else {
      const before = found.get(setting.key)?.value;
      const grown = setting.kind.repeatable === true ? [...(Array.isArray(before) ? (before as unknown[]) : []), value] : value;
      found.set(setting.key, { value: grown, source: { from: 'flag', name: setting.flag ?? name } });
    }
  }
  return { found, problems, config };
}

function splitWord(word: string): [name: string, value: string | undefined] {
  const at = word.startsWith('--') ? word.indexOf('=') : -1;
  return at < 0 ? [word, undefined] : [word.slice(0, at), word.slice(at + 1)];
}

function lookUp(name: string, role: Role): { setting: Setting | undefined; negated: boolean } {
  const setting = ofRole(BY_FLAG.get(name), role);
  if (setting !== undefined || !name.startsWith('--no-')) return { setting, negated: false };
  const positive = ofRole(BY_FLAG.get(`--${name.slice('--no-'.length)}`), role);
  return positive?.kind.placeholder === null ? { setting: positive, negated: true } : { setting: undefined, negated: false };
}

function ofRole(settings: readonly Setting[] | undefined, role: Role): Setting | undefined {
  return settings?.find(({ key }) => rolesWith(key).includes(role)) ?? settings?.[0];
}

function unknownFlag(name: string): Problem {
  if (!name.startsWith('-')) return { subject: `argument "${name}"`, message: 'is not expected here' };
  const secret = CATALOGUE.find(
    (setting) => setting.flag === null && name === `--${setting.env[0]?.slice('KUBETAPE_'.length).toLowerCase().replaceAll('_', '-')}`,
  );
  if (secret !== undefined) {
    const file = BY_KEY.get(`${secret.key}File`)?.flag;
    return {
      subject: name,
      message: `a secret is not given as a flag, where everybody on the machine can read it; use ${secret.env[0]}${file ? ` or ${file}` : ''}`,
    };
  }
  const near = nearest(name, [...BY_FLAG.keys(), '--config', '--help']);
  return { subject: name, message: `there is no such flag${near === undefined ? '' : `; did you mean ${near}?`}` };
}
