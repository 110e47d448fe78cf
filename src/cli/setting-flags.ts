/** A role's settings as flags of its command. They are read by src/config/, which names every wrong one at once. */
import { Option, type Command } from 'commander';
import { settingsOfRole, type Setting } from '../config/catalogue.ts';
import { CONCERNS, type Role } from '../config/roles.ts';

/** The command takes whatever comes; its help lists what the role knows. */
export function settingFlags(command: Command, role: Role): Command {
  const listed = settingsOfRole(role)
    .filter((setting) => setting.flag !== null)
    .map(optionOf);
  const general = [new Option('--config <file>', 'YAML file with settings (KUBETAPE_CONFIG)'), new Option('-h, --help', 'show help')];
  return command
    .usage('[flags]')
    .allowUnknownOption()
    .allowExcessArguments()
    .configureHelp({ visibleOptions: (shown) => [...shown.options, ...general, ...listed] });
}

export function optionOf(setting: Setting): Option {
  const { placeholder } = setting.kind;
  const name = setting.defaultText === '`true`' && placeholder === null ? `--no-${setting.flag?.slice(2)}` : (setting.flag ?? '');
  const choices = placeholder === 'choice' ? `: ${setting.kind.allowed.replace('one of ', '')}` : '';
  const fallback =
    setting.defaultText === '' || setting.defaultText === '`false`' ? '' : ` (default: ${setting.defaultText.replaceAll('`', '')})`;
  return new Option(
    placeholder === null ? name : `${name} <${placeholder}>`,
    `${setting.about.replaceAll('`', '')}${choices}${fallback}`,
  ).helpGroup(`${CONCERNS[setting.concern].title}:`);
}

/** Examples come right after the usage: they are what help is read for. */
export function examples(command: Command, lines: readonly (readonly [command: string, about: string])[]): void {
  const width = Math.max(...lines.map(([line]) => line.length));
  const text = lines.map(([line, about]) => (about === '' ? `  ${line}` : `  ${line.padEnd(width)}  # ${about}`)).join('\n');
  command.addHelpText('before', `Examples:\n${text}\n`);
}
