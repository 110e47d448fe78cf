/** The changes of a cluster as they come through Kafka. */
import type { SettingsOf } from '../config/roles.ts';
import { decodeChange, type ChangeRecord } from '../events/change.ts';
import { KubetapeError } from '../events/errors.ts';
import { topicOf } from '../events/resource.ts';
import { LiveReader } from '../kafka/live-reader.ts';
import type { Past, RecordedChange, Survey, Version } from '../past/ports.ts';
import { databaseOf, kafkaConnection } from './connections.ts';

export interface Tail {
  /** The resources that have a topic. */
  readonly resources: readonly string[];
  /** Runs until the signal; records that are none of ours are counted, not shown. */
  run(onChange: (change: ChangeRecord) => Promise<void>, signal: AbortSignal): Promise<{ readonly unreadable: number }>;
  stop(): Promise<void>;
}

/**
 * @param wanted which resources, of those that there are
 * @throws KubetapeError KAFKA_*; KAFKA_TOPIC_MISSING: there is no topic of changes
 */
export async function openTail(
  settings: SettingsOf<'tail'>,
  wanted: (resources: readonly string[]) => readonly string[],
  sinceMs: number | null,
): Promise<Tail> {
  const reader = new LiveReader(kafkaConnection(settings, 'tail'));
  const prefix = topicOf('', settings.topicPrefix);
  try {
    const topics = await reader.start();
    const resources = topics.flatMap((topic) => (topic.startsWith(prefix) ? [topic.slice(prefix.length)] : [])).toSorted();
    if (resources.length === 0)
      throw new KubetapeError('KAFKA_TOPIC_MISSING', `Kafka at ${settings.kafkaBrokers.join(', ')} has no topic ${prefix}…`);
    await reader.assign(
      wanted(resources).map((resource) => topicOf(resource, settings.topicPrefix)),
      sinceMs,
    );
    return { resources, run: (onChange, signal) => run(reader, onChange, signal), stop: () => reader.stop() };
  } catch (error) {
    await reader.stop();
    throw error;
  }
}

async function run(
  reader: LiveReader,
  onChange: (change: ChangeRecord) => Promise<void>,
  signal: AbortSignal,
): Promise<{ unreadable: number }> {
  let unreadable = 0;
  while (!signal.aborted) {
    for (const { value } of await reader.poll()) {
      if (value === null || signal.aborted) continue;
      try {
        await onChange(decodeChange(value));
      } catch (error) {
        if (!(error instanceof KubetapeError) || error.code !== 'RECORD_INVALID') throw error;
        unreadable += 1;
      }
    }
  }
  return { unreadable };
}

/** What an object was before the first change that is seen of it: the database knows, where there is one. */
export class Predecessors {
  readonly #past: Past | null;
  readonly #trouble: (error: KubetapeError) => void;
  #survey: Promise<Survey> | null = null;
  #lost = false;

  private constructor(past: Past | null, trouble: (error: KubetapeError) => void) {
    this.#past = past;
    this.#trouble = trouble;
  }

  /** @param settings null where no database is named @param trouble heard once: it goes on without */
  static async open(settings: SettingsOf<'ask'> | null, trouble: (error: KubetapeError) => void): Promise<Predecessors> {
    if (settings === null) return new Predecessors(null, trouble);
    const { PostgresPast } = await import('../postgres/past.ts');
    return new Predecessors(new PostgresPast(databaseOf(settings, 'tail')), trouble);
  }

  async of(cluster: string, version: Version): Promise<RecordedChange['before']> {
    if (this.#past === null || this.#lost) return null;
    try {
      const { types } = await (this.#survey ??= this.#past.survey());
      const type = types.find(({ resource }) => resource === version.resource);
      return type === undefined ? null : await this.#past.before(type, cluster, version);
    } catch (error) {
      if (!(error instanceof KubetapeError)) throw error;
      this.#lost = true;
      this.#trouble(error);
      return null;
    }
  }

  async close(): Promise<void> {
    await this.#past?.close();
  }
}
