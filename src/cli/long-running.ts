/** What `collect`, `sink` and `run` have in common: settings, background or foreground, telemetry, the lifecycle. */
import type { Command } from 'commander';
import { detach } from '../app/detach.ts';
import type { SettingsOf } from '../config/roles.ts';
import { VERSION } from '../config/version.ts';
import type { Telemetry } from '../telemetry/telemetry.ts';
import type { Context } from './context.ts';
import { mark } from './output/style.ts';
import { settingFlags } from './setting-flags.ts';

export type LongRole = 'collect' | 'sink' | 'run';
export type Work<R extends LongRole> = (settings: SettingsOf<R>, telemetry: Telemetry, signal: AbortSignal) => Promise<void>;

/** @param load the role's module: drivers are loaded once the settings are right */
export function longRunning<R extends LongRole>(command: Command, context: Context, role: R, load: () => Promise<Work<R>>): void {
  settingFlags(command, role)
    .option('--detach', `run in the background; \`${context.name} stop ${role}\` stops it`)
    .action(async (options: { readonly detach?: boolean }, { args }: Command) => {
      const { settings } = await import('../config/settings.ts');
      // Wrong settings are told here, where somebody looks, and not in a log file.
      const { settings: values } = settings(role, { argv: args, env: context.env });
      context.exitCode = options.detach === true ? await inBackground(role, args, context) : await inForeground(role, values, load);
    });
}

async function inForeground<R extends LongRole>(role: R, values: SettingsOf<R>, load: () => Promise<Work<R>>): Promise<number> {
  const { createTelemetry } = await import('../telemetry/telemetry.ts');
  const { live } = await import('../app/lifecycle.ts');
  const common: {
    readonly httpHost: string;
    readonly httpPort: number;
    readonly logLevel: SettingsOf<'run'>['logLevel'];
    readonly logFormat: SettingsOf<'run'>['logFormat'];
    readonly cluster?: string | undefined;
  } = values;
  const telemetry = createTelemetry({ role, version: VERSION, cluster: common.cluster, level: common.logLevel, format: common.logFormat });
  return live({
    telemetry,
    http: { host: common.httpHost, port: common.httpPort },
    work: async (signal) => (await load())(values, telemetry, signal),
  });
}

async function inBackground(role: LongRole, argv: readonly string[], { env, stdout, stderr, name }: Context): Promise<number> {
  const outcome = await detach(role, argv, env);
  switch (outcome.kind) {
    case 'started': {
      const { pid, log, url } = outcome.background;
      stdout.write(
        `${mark('ok', stdout)} ${role} runs in the background\n  pid    ${pid}\n  log    ${log}\n${url === null ? '' : `  ready  ${url}/ready\n`}  stop   ${name} stop ${role}\n`,
      );
      return 0;
    }
    case 'running': {
      const { pid, log } = outcome.background;
      stderr.write(
        `${mark('fail', stderr)} ${role} runs in the background already: pid ${pid}, log ${log}\n  stop it with \`${name} stop ${role}\`\n`,
      );
      return 1;
    }
    case 'ended':
      stderr.write(
        `${mark('fail', stderr)} ${role} ended at once; the end of ${outcome.log}:\n${outcome.lastLines.map((line) => `  ${line}\n`).join('')}`,
      );
      return outcome.exitCode === 0 ? 1 : outcome.exitCode;
  }
}
