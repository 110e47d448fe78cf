/** The role `sink`: Kafka → Postgres. */
import type { SettingsOf } from '../config/roles.ts';
import { SINK_GROUP } from '../config/sink.ts';
import { KubetapeError } from '../events/errors.ts';
import { tableOf, topicOf } from '../events/resource.ts';
import { CHECKPOINTS, EVENT_STREAM } from '../events/topics.ts';
import { GroupConsumer } from '../kafka/group-consumer.ts';
import { checkSchema } from '../postgres/migrate.ts';
import { PostgresStore } from '../postgres/store.ts';
import { Sink, type SinkTopic } from '../sinks/sink.ts';
import type { Check } from '../telemetry/health.ts';
import type { Telemetry } from '../telemetry/telemetry.ts';
import { databaseOf, kafkaConnection } from './connections.ts';
import { retainBesides } from './retention.ts';
import { untilItWorks } from './retry.ts';

const DRAIN_MS = 6_000;

export async function sink(settings: SettingsOf<'sink'>, telemetry: Telemetry, signal: AbortSignal): Promise<void> {
  const database = databaseOf(settings, 'sink');
  let worker: Sink | null = null;
  let waitingFor = 'connecting to Postgres';
  const ended = new AbortController();
  const unregister = telemetry.health.register(() => checks(worker, waitingFor));
  const onRetry = (error: KubetapeError, attempt: number, delayMs: number): void => {
    waitingFor = error.message;
    telemetry.sink.retry({ topic: 'all', partition: -1, code: error.code, attempt, delayMs, message: error.message });
  };
  try {
    await untilItWorks(() => checkSchema(database), signal, onRetry);
    void retainBesides(settings, database, telemetry, AbortSignal.any([signal, ended.signal]));
    waitingFor = 'joining the consumer group';
    await untilItWorks(
      async () => {
        const source = new GroupConsumer({
          connection: kafkaConnection(settings, 'sink'),
          groupId: groupOf(settings),
          instanceId: settings.sinkInstanceId,
          queuedMaxBytes: settings.sinkMemoryMaxBytes / 2,
        });
        worker = new Sink(
          source,
          new PostgresStore(database, telemetry.sink, (topic) => tableOf(topic.slice(settings.topicPrefix.length))),
          topicsOf(settings),
          {
            maxRows: settings.batchMaxRows,
            maxBytes: settings.batchMaxBytes,
            maxWaitMs: settings.batchMaxWaitMs,
            writersMax: settings.writersMax,
            memoryMaxBytes: settings.sinkMemoryMaxBytes / 2,
            drainMs: DRAIN_MS,
          },
          telemetry.sink,
        );
        await worker.run(signal);
      },
      signal,
      onRetry,
    );
  } catch (error) {
    if (signal.aborted && error instanceof KubetapeError && error.retryable) return;
    throw error;
  } finally {
    ended.abort();
    unregister();
    await Promise.race([database.close(), new Promise<void>((resolve) => setTimeout(resolve, 1000).unref())]);
  }
}

/** Other topics instead of the recorded ones, where some are named. */
function topicsOf({ messageTopics, resources, topicPrefix }: SettingsOf<'sink'>): SinkTopic[] {
  if (messageTopics.length > 0) return messageTopics.map((name) => ({ topic: `${topicPrefix}${name}`, content: 'messages' }));
  return [
    ...resources.map((resource) => ({ topic: topicOf(resource, topicPrefix), content: 'changes' as const })),
    { topic: `${topicPrefix}${EVENT_STREAM}`, content: 'facts' },
    { topic: `${topicPrefix}${CHECKPOINTS}`, content: 'watches' },
  ];
}

/** Who reads other topics is no member of the group that reads the recorded ones, unless told so. */
function groupOf({ topicPrefix, sinkGroup, messageTopics }: SettingsOf<'sink'>): string {
  return `${topicPrefix}${sinkGroup}${messageTopics.length > 0 && sinkGroup === SINK_GROUP ? '-messages' : ''}`;
}

function checks(worker: Sink | null, waitingFor: string): Check[] {
  if (worker === null || !worker.joined) return [{ name: 'sink', ready: false, reason: waitingFor }];
  return worker
    .health()
    .map(({ topic, partition, ready, reason }) => ({ name: `${topic}/${partition}`, ready, ...(reason === null ? {} : { reason }) }));
}
