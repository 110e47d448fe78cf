/** The role `check`: every connection and permission that a role needs, each with its remedy. Changes nothing. */
import type { SettingsOf } from '../config/roles.ts';
import { KubetapeError } from '../events/errors.ts';
import { resourceName } from '../events/resource.ts';
import { topicSpecs } from '../events/topics.ts';
import { describeTopics } from '../kafka/admin.ts';
import { KubeClient } from '../kubernetes/client.ts';
import { missingVerbs } from '../kubernetes/permissions.ts';
import { checkSchema } from '../postgres/migrate.ts';
import { databaseOf, kafkaConnection } from './connections.ts';
import { leaseOf } from './lease.ts';
import { clusterName, recordedNames, resolveResources, type ResolvedResource } from './scopes.ts';

export interface CheckLine {
  readonly area: 'kubernetes' | 'kafka' | 'postgres' | 'settings';
  readonly name: string;
  readonly ok: boolean | 'warn';
  readonly message: string;
  /** What to do about it. */
  readonly remedy?: string | undefined;
}

const TIMEOUT_MS = 15_000;
const LOOK_EVERY_MS = 2_000;

/** Settings of the role that is to be checked: what it does not use is not asked for. */
export type CheckedSettings = SettingsOf<'run'> | SettingsOf<'collect'> | SettingsOf<'sink'>;
type Collecting = SettingsOf<'run'> | SettingsOf<'collect'>;

export async function check(settings: CheckedSettings): Promise<CheckLine[]> {
  const collecting = 'leaderElection' in settings ? settings : null;
  const [kubernetes, postgres] = await Promise.all([
    collecting === null ? { lines: [], resources: settings.resources } : checkKubernetes(collecting),
    'databasePoolMax' in settings ? checkPostgres(settings) : [],
  ]);
  const kafka = await checkKafka(settings, kubernetes.resources);
  return [...(collecting === null ? [] : checkSettings(collecting)), ...kubernetes.lines, ...kafka, ...postgres];
}

/** Looks every two seconds until nothing fails, or the time is over. @param look told each time what was found */
export async function checkUntilGood(
  settings: CheckedSettings,
  timeoutMs: number,
  look: (lines: readonly CheckLine[]) => void,
): Promise<CheckLine[]> {
  const untilMs = Date.now() + timeoutMs;
  for (;;) {
    const lines = await check(settings);
    look(lines);
    if (Date.now() >= untilMs || lines.every(({ ok }) => ok !== false)) return lines;
    await new Promise((resolve) => setTimeout(resolve, LOOK_EVERY_MS));
  }
}

function checkSettings(settings: Collecting): CheckLine[] {
  const area = 'settings';
  const name = 'hmacKey';
  if (settings.hmacKey !== undefined) return [{ area, name, ok: true, message: 'set: a change of a Secret shows by its HMAC' }];
  const remedy = 'Set KUBETAPE_HMAC_KEY, for example to the output of: openssl rand -hex 32';
  return [{ area, name, ok: 'warn', message: 'not set: that a value of a Secret changed shows by its length only', remedy }];
}

async function checkKubernetes(settings: Collecting): Promise<{ lines: CheckLine[]; resources: readonly string[] }> {
  const area = 'kubernetes';
  let client: KubeClient;
  try {
    client = KubeClient.load({ kubeconfig: settings.kubeconfig, context: settings.context });
  } catch (error) {
    return { lines: [failed(area, 'kubeconfig', error)], resources: settings.resources };
  }
  const signal = AbortSignal.timeout(TIMEOUT_MS);
  try {
    const version = await client.json<{ gitVersion?: string }>('/version', {}, signal);
    const lines: CheckLine[] = [
      { area, name: 'API server', ok: true, message: `${version.gitVersion ?? 'unknown version'} at ${client.server}` },
    ];
    const resolved = await resolveResources(client, settings.resources, signal);
    for (const one of resolved) lines.push(await checkResource(client, one, settings.namespaces, signal));
    if (settings.leaderElection) lines.push(await checkLease(client, settings, signal));
    return { lines, resources: recordedNames(resolved) };
  } catch (error) {
    return { lines: [failed(area, 'API server', error, client.server)], resources: settings.resources };
  } finally {
    await client.close();
  }
}

async function checkResource(
  client: KubeClient,
  { asked, type, error }: ResolvedResource,
  namespaces: readonly string[],
  signal: AbortSignal,
): Promise<CheckLine> {
  const area = 'kubernetes';
  if (type === null) return failed(area, asked, error);
  const name = resourceName(type);
  const missing: string[] = [];
  for (const namespace of type.namespaced && namespaces.length > 0 ? namespaces : ['']) {
    const verbs = await missingVerbs(client, type, ['list', 'watch'], { namespace }, signal);
    if (verbs.length > 0) missing.push(`${verbs.join(' and ')}${namespace === '' ? '' : ` in ${namespace}`}`);
  }
  if (missing.length === 0) return { area, name, ok: true, message: 'list and watch are allowed' };
  const remedy = `Bind a ClusterRole with get, list and watch on ${type.plural}${type.group === '' ? '' : ` (API group ${type.group})`}, or leave it out of --resources.`;
  return { area, name, ok: false, message: `not allowed: ${missing.join('; ')}`, remedy };
}

async function checkLease(client: KubeClient, settings: Collecting, signal: AbortSignal): Promise<CheckLine> {
  const area = 'kubernetes';
  const { namespace, name } = leaseOf(settings, await clusterName(settings, client, signal));
  const leases = { group: 'coordination.k8s.io', version: 'v1', plural: 'leases' };
  const missing = [
    ...(await missingVerbs(client, leases, ['get', 'update'], { namespace, name }, signal)),
    ...(await missingVerbs(client, leases, ['create'], { namespace }, signal)),
  ];
  const what = `lease ${namespace}/${name}`;
  if (missing.length === 0) return { area, name: what, ok: true, message: 'get, create and update are allowed' };
  const remedy = 'Grant them, or set --no-leader-election: then only Kafka keeps a second collector out.';
  return { area, name: what, ok: 'warn', message: `not allowed: ${missing.join(', ')}; the collector leads without it`, remedy };
}

async function checkKafka(settings: CheckedSettings, resources: readonly string[]): Promise<CheckLine[]> {
  const area = 'kafka';
  try {
    const { brokers, topics } = await describeTopics(kafkaConnection(settings, 'check'), 5_000);
    const lines: CheckLine[] = [{ area, name: 'brokers', ok: true, message: `${brokers} at ${settings.kafkaBrokers.join(', ')}` }];
    const specs = topicSpecs(resources, { prefix: settings.topicPrefix, partitions: 1 });
    const missing = specs.filter(({ name }) => !topics.has(name)).map(({ name }) => name);
    if (missing.length > 0)
      lines.push({ area, name: 'topics', ok: false, message: `missing: ${missing.join(', ')}`, remedy: 'Run `kubetape topics`.' });
    else lines.push({ area, name: 'topics', ok: true, message: `all ${specs.length} are there` });
    return lines;
  } catch (error) {
    return [failed(area, 'brokers', error)];
  }
}

async function checkPostgres(settings: SettingsOf<'run'> | SettingsOf<'sink'>): Promise<CheckLine[]> {
  const area = 'postgres';
  const database = databaseOf(settings, 'check');
  try {
    const [server] = await database.query<{ version: string; writable: boolean }>(
      "SELECT current_setting('server_version') AS version, NOT pg_is_in_recovery() AS writable",
    );
    const lines: CheckLine[] = [{ area, name: 'server', ok: true, message: `${server?.version ?? ''} at ${database.where}` }];
    if (server?.writable === false)
      lines.push({ area, name: 'server', ok: false, message: 'it is a read-only standby', remedy: 'Point --database-url to the primary.' });
    try {
      const { applied, known } = await checkSchema(database);
      lines.push({ area, name: 'schema', ok: true, message: `version ${applied} of ${known}` });
    } catch (error) {
      lines.push(failed(area, 'schema', error));
    }
    return lines;
  } catch (error) {
    return [failed(area, 'server', error)];
  } finally {
    await database.close();
  }
}

function failed(area: CheckLine['area'], name: string, error: unknown, server?: string): CheckLine {
  if (error instanceof KubetapeError) return { area, name, ok: false, message: error.message, remedy: error.hint };
  return { area, name, ok: false, message: `no answer${server === undefined ? '' : ` from ${server}`} within ${TIMEOUT_MS / 1000} s` };
}
