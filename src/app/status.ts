/** What `kubetape status` asks: the store, and Kafka for where the topics end. */
import type { SettingsOf } from '../config/roles.ts';
import { KubetapeError } from '../events/errors.ts';
import { topicEnds } from '../kafka/admin.ts';
import type { StatusFacts, TopicFacts } from '../past/status.ts';
import { checkSchema } from '../postgres/migrate.ts';
import { readStatus, type SinkPosition } from '../postgres/status.ts';
import { databaseOf, kafkaConnection } from './connections.ts';

/** A person waits: what the tables tell is worth having without Kafka's word. */
const KAFKA_WITHIN_MS = 3_000;

/** @param sinceMs where the coverage begins @throws KubetapeError POSTGRES_*, SCHEMA_* */
export async function status(settings: SettingsOf<'status'>, sinceMs: number): Promise<StatusFacts> {
  const database = databaseOf(settings, 'cli');
  try {
    await checkSchema(database);
    const { watches, objects, positions, deadLetters, now } = await readStatus(database, new Date(sinceMs));
    const ours = positions.filter(({ topic }) => topic.startsWith(settings.topicPrefix));
    const names = [...new Set(ours.map(({ topic }) => topic))];
    let ends: ReadonlyMap<string, readonly number[]> = new Map();
    let kafkaTrouble: string | null = null;
    try {
      if (names.length > 0) ends = await topicEnds(kafkaConnection(settings, 'cli'), names, KAFKA_WITHIN_MS);
    } catch (error) {
      if (!(error instanceof KubetapeError)) throw error;
      kafkaTrouble = error.message;
    }
    return {
      watches: watches
        .filter(({ cluster }) => settings.cluster === undefined || cluster === settings.cluster)
        .map(({ since, seenUntil, ...rest }) => ({
          ...rest,
          sinceMs: since.getTime(),
          seenUntilMs: seenUntil.getTime(),
          objects: objects.get(rest.cluster)?.get(rest.resource) ?? 0,
        })),
      topics: names.map((topic) => topicOf(topic, ours, ends.get(topic) ?? null)),
      deadLetters,
      nowMs: now.getTime(),
      kafkaTrouble,
    };
  } finally {
    await database.close();
  }
}

function topicOf(topic: string, positions: readonly SinkPosition[], ends: readonly number[] | null): TopicFacts {
  const own = positions.filter((position) => position.topic === topic);
  const next = new Map(own.map(({ partition, nextOffset }) => [partition, nextOffset]));
  const lag = ends === null ? null : ends.reduce((sum, end, partition) => sum + Math.max(0, end - (next.get(partition) ?? 0)), 0);
  return { topic, lag, writtenMs: Math.max(...own.map(({ updatedAt }) => updatedAt.getTime())) };
}
