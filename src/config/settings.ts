/**
 * The settings of a role: flags before environment before file before defaults, through one catalogue.
 *   in    argv after the verb, the environment, perhaps a settings file
 *   out   the frozen values, and where each comes from; or everything that is wrong, at once
 * Invariants (test/config/settings.test.ts):
 *   C1 precedence   flag, environment, file, default: the first that says something counts
 *   C2 all at once  one message names every wrong setting, its source, its value and what is allowed
 *   C3 masked       no secret is in a message, nor in what `config show` prints
 */
import { accessSync, constants, readFileSync, statSync } from 'node:fs';
import { KubetapeError } from '../events/errors.ts';
import { BY_KEY, rolesWith, settingsOfRole, type Setting } from './catalogue.ts';
import { CHECKS, type Known } from './checks.ts';
import { readEnvironment, type Environment } from './environment.ts';
import { readSettingsFile } from './file.ts';
import { readFlags } from './flags.ts';
import { HTTP_PORTS } from './process.ts';
import { RETENTION_KEEP_MS } from './retention.ts';
import type { Role, SettingsOf } from './roles.ts';
import { problemsText, sourceText, wrongValue, type Found, type Layer, type Problem, type Source } from './sources.ts';

export interface Inputs {
  /** Arguments after the verb. */
  readonly argv?: readonly string[];
  readonly env?: Environment;
  /** Settings file, where neither `--config` nor KUBETAPE_CONFIG names one. */
  readonly file?: string;
}

export interface Resolved<R extends Role> {
  readonly role: R;
  /** What could be read; complete when there are no problems. */
  readonly values: Partial<SettingsOf<R>>;
  readonly sources: ReadonlyMap<string, Source>;
  readonly problems: readonly Problem[];
}

export interface RoleSettings<R extends Role> {
  readonly settings: SettingsOf<R>;
  readonly sources: ReadonlyMap<string, Source>;
}

/** @throws KubetapeError CONFIG_INVALID, naming every wrong setting */
export function settings<R extends Role>(role: R, inputs: Inputs): RoleSettings<R> {
  const resolved = resolve(role, inputs);
  if (resolved.problems.length > 0) throw new KubetapeError('CONFIG_INVALID', problemsText(resolved.problems));
  return { settings: resolved.values as SettingsOf<R>, sources: resolved.sources };
}

/** As {@link settings}, but problems are an outcome like any other. */
export function resolve<R extends Role>(role: R, { argv = [], env = {}, file }: Inputs): Resolved<R> {
  const flags = readFlags(argv, role);
  const path = flags.config ?? (env['KUBETAPE_CONFIG'] || file);
  const layers: Layer[] = [flags, readEnvironment(env), ...(path === undefined ? [] : [readSettingsFile(path)])];
  const problems = layers.flatMap((layer) => layer.problems);

  const values: Record<string, unknown> = {};
  const sources = new Map<string, Source>();
  const wrong = new Set<string>();
  for (const setting of settingsOfRole(role)) {
    const found = firstOf(layers, setting.key) ?? derived(setting.key, role, env);
    sources.set(setting.key, found?.source ?? { from: 'default' });
    const outcome = understand(setting, found);
    if ('problem' in outcome) {
      wrong.add(setting.key);
      if (outcome.problem !== undefined) problems.push(outcome.problem);
    } else if (outcome.value !== undefined) values[setting.key] = outcome.value;
  }
  problems.push(...conflicts(role, values, sources, wrong));
  for (const key of ['hmacKey', 'kafkaSaslPassword', 'kafkaTlsKeyPassword', 'databaseUrl'])
    problems.push(...readSecret(key, values, sources));
  return { role, values: deepFreeze(values) as Partial<SettingsOf<R>>, sources, problems };
}

/**
 * A lower layer that only says the same secret by its other name (a URL here, a file there) gives way to a higher one.
 */
function firstOf(layers: readonly Layer[], key: string): Found | undefined {
  const twin = key.endsWith('File') ? key.slice(0, -'File'.length) : `${key}File`;
  for (const layer of layers) {
    const found = layer.found.get(key);
    if (found !== undefined) return found;
    if (layer.found.has(twin)) return undefined;
  }
  return undefined;
}

/** Defaults that depend on the role, and on where the process runs. */
function derived(key: string, role: Role, env: Environment): Found | undefined {
  if (key === 'retentionKeep' && role === 'retention') return { value: RETENTION_KEEP_MS, source: { from: 'default' } };
  if (key === 'httpHost' && env['KUBERNETES_SERVICE_HOST']) return { value: '::', source: { from: 'default' } };
  if (key === 'httpPort' && Object.hasOwn(HTTP_PORTS, role))
    return { value: HTTP_PORTS[role as keyof typeof HTTP_PORTS], source: { from: 'default' } };
  return undefined;
}

/** A setting that is needed and missing is left to the checks, which say it in their own words. */
function understand(setting: Setting, found: Found | undefined): { value: unknown } | { problem: Problem | undefined } {
  const read = setting.read(found?.value);
  if (read === null) return { problem: found === undefined ? undefined : wrongValue(setting, found) };
  if (found !== undefined && setting.kind.readable === true && !isReadable(String(read.value)))
    return { problem: wrongValue(setting, found) };
  return read;
}

function conflicts(role: Role, values: Known, sources: ReadonlyMap<string, Source>, wrong: ReadonlySet<string>): Problem[] {
  const problems: Problem[] = [];
  for (const check of CHECKS) {
    const conflict = check(values);
    if (conflict === undefined || !rolesWith(conflict.key).includes(role)) continue;
    const { key, message } = conflict;
    const source = sources.get(key);
    // It is there and wrong by itself, or its file is: one complaint is enough.
    if ([key, `${key}File`].some((one) => wrong.has(one) && sources.get(one)?.from !== 'default')) continue;
    problems.push({ subject: source === undefined || source.from === 'default' ? key : `${key} (${sourceText(source)})`, message });
  }
  return problems;
}

/** The content of a secret's file takes the secret's place; a new line at its end belongs to the editor. */
function readSecret(key: string, values: Record<string, unknown>, sources: Map<string, Source>): Problem[] {
  const path = values[`${key}File`];
  const of = sources.get(`${key}File`);
  const setting = BY_KEY.get(key);
  if (typeof path !== 'string' || of === undefined || setting === undefined || values[key] !== undefined) return [];
  const source: Source = { from: 'secret-file', name: path, of };
  const found: Found = { value: readFileSync(path, 'utf8').replace(/\r?\n$/, ''), source };
  const read = setting.read(found.value);
  if (read === null) return [wrongValue(setting, found)];
  values[key] = read.value;
  sources.set(key, source);
  return [];
}

function isReadable(path: string): boolean {
  try {
    accessSync(path, constants.R_OK);
    return statSync(path).isFile() || statSync(path).isFIFO();
  } catch {
    return false;
  }
}

function deepFreeze<T>(value: T): T {
  if (typeof value === 'object' && value !== null && !Object.isFrozen(value)) {
    for (const inner of Object.values(value)) deepFreeze(inner);
    Object.freeze(value);
  }
  return value;
}
