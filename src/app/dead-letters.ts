/**
 * What `kubetape dlq` does: the records that could not become rows, looked at and written again.
 * Invariant (test/guarantees/poison.test.ts): no value of a Secret is handed out, however a letter came to hold one.
 */
import type { SettingsOf } from '../config/roles.ts';
import { decodeChange } from '../events/change.ts';
import { isCode, KubetapeError } from '../events/errors.ts';
import { topicOf } from '../events/resource.ts';
import { CHECKPOINTS, EVENT_STREAM } from '../events/topics.ts';
import { createRedactor, type Json } from '../kubernetes/redact.ts';
import { findLetters, listLetters, type LetterFilter, type StoredLetter } from '../postgres/dead-letters.ts';
import { checkSchema } from '../postgres/migrate.ts';
import type { Database } from '../postgres/pool.ts';
import { PostgresStore } from '../postgres/store.ts';
import { decodeBatch } from '../sinks/batch.ts';
import type { Content, SourceRecord } from '../sinks/ports.ts';
import { databaseOf } from './connections.ts';

type Settings = SettingsOf<'dlq'>;

/** What topics hold that are not of one resource. */
const CONTENT: Readonly<Record<string, Content>> = { [EVENT_STREAM]: 'facts', [CHECKPOINTS]: 'watches' };

/** A letter as a person sees it. */
export interface Letter extends Omit<StoredLetter, 'key' | 'value' | 'headers'> {
  readonly resource: string;
  readonly cluster: string;
  readonly namespace: string;
  readonly name: string;
  readonly bytes: number | null;
}

/** The record: as JSON, as text where it is none, or not at all. */
export type Shown = { readonly json: unknown } | { readonly text: string } | { readonly withheld: string };

export interface Retried {
  readonly letter: Letter;
  /** past: a newer version is the present, so it went to the history only; known: the tables had it. */
  readonly outcome: 'written' | 'past' | 'known' | 'retried before' | 'refused';
  readonly message: string;
}

export type LettersAsked = Omit<LetterFilter, 'topicEnd'> & { readonly resource: string | null };

export async function letters(settings: Settings, { resource, ...filter }: LettersAsked): Promise<Letter[]> {
  const topicEnd = resource === null || resource in CONTENT ? resource : topicOf(resource);
  return within(settings, async (database) => (await listLetters(database, { ...filter, topicEnd })).map(letterOf));
}

/** @throws KubetapeError LETTER_UNKNOWN */
export async function letter(settings: Settings, id: string): Promise<{ readonly letter: Letter; readonly record: Shown }> {
  return within(settings, async (database) => {
    const [found] = await known(database, [id]);
    if (found === undefined) throw new KubetapeError('INTERNAL', `dead letter ${id} was found and is not there`);
    return { letter: letterOf(found), record: shown(found) };
  });
}

/**
 * @param ids null for all that were not retried with success before
 * @param dryRun tries, and leaves nothing behind
 * @throws KubetapeError LETTER_UNKNOWN, before anything is written
 */
export async function retryLetters(
  settings: Settings,
  ids: readonly string[] | null,
  dryRun: boolean,
  tell: (retried: Retried) => void,
): Promise<{ readonly refused: number }> {
  return within(settings, async (database) => {
    const store = new PostgresStore(database);
    const some = ids === null ? await findLetters(database, null) : await known(database, ids);
    let refused = 0;
    for (const one of some) {
      const retried = await retry(store, one, dryRun);
      if (retried.outcome === 'refused') refused += 1;
      tell({ letter: letterOf(one), ...retried });
    }
    return { refused };
  });
}

async function retry(store: PostgresStore, stored: StoredLetter, dryRun: boolean): Promise<Omit<Retried, 'letter'>> {
  if (stored.retriedAt !== null) return { outcome: 'retried before', message: stored.retriedAt.toISOString() };
  // A letter that was rejected itself has nothing of its record.
  if (stored.value === null) return { outcome: 'refused', message: 'its content could not be kept' };
  const { batch, stop } = decodeBatch(CONTENT[resourceOf(stored.topic)] ?? 'changes', stored.offset, [recordOf(stored)]);
  const wrong = stop?.message ?? batch.deadLetters[0]?.message;
  if (wrong !== undefined) return { outcome: 'refused', message: wrong };
  try {
    const outcome = await store.writeAgain(batch, stored.id, dryRun);
    return { outcome, message: '' };
  } catch (error) {
    if (!isCode(error, 'ROW_REJECTED')) throw error;
    return { outcome: 'refused', message: error.message };
  }
}

/** @throws KubetapeError LETTER_UNKNOWN, with all ids that are */
async function known(database: Database, ids: readonly string[]): Promise<StoredLetter[]> {
  const found = await findLetters(database, ids);
  const missing = ids.filter((id) => !found.some((one) => one.id === id));
  if (missing.length > 0) throw new KubetapeError('LETTER_UNKNOWN', `there is no dead letter ${missing.join(', ')}`);
  return found;
}

async function within<T>(settings: Settings, work: (database: Database) => Promise<T>): Promise<T> {
  const database = databaseOf(settings, 'dlq');
  try {
    await checkSchema(database);
    return await work(database);
  } finally {
    await database.close();
  }
}

function letterOf(stored: StoredLetter): Letter {
  const { key, value, id, topic, partition, offset, code, sqlstate, message, writtenAt, at, retriedAt } = stored;
  const resource = resourceOf(topic);
  const parts = (key?.toString('utf8') ?? '').split('/');
  // Facts and checkpoints are of all resources: their keys name one in the second place.
  const [cluster = '', namespace = '', name = ''] = resource in CONTENT ? [parts[0], parts[2], parts[3] ?? parts[1]] : parts;
  const bytes = value?.length ?? null;
  return { id, resource, cluster, namespace, name, code, sqlstate, message, topic, partition, offset, bytes, writtenAt, at, retriedAt };
}

/** `prod.k8s-pods` → `pods`, `prod.event-stream` → `event-stream`. */
function resourceOf(topic: string): string {
  return Object.keys(CONTENT).find((name) => topic.endsWith(name)) ?? /(?:^|[._-])k8s-(.+)$/.exec(topic)?.[1] ?? topic;
}

function recordOf({ topic, partition, offset, key, value, headers, writtenAt }: StoredLetter): SourceRecord {
  return { topic, partition, offset, key, value, headers, timestampMs: writtenAt.getTime() };
}

/** What the collector writes is redacted already; whoever else wrote into the topic may not have been so careful. */
function shown({ topic, value }: StoredLetter): Shown {
  if (value === null) return { withheld: 'its content could not be kept' };
  const resource = resourceOf(topic);
  const secret = resource === 'secrets' || resource.startsWith('secrets.') || value.includes('Secret');
  try {
    const json = JSON.parse(value.toString('utf8')) as Json;
    // What has another form than a change may hold a value anywhere.
    if (secret) decodeChange(value);
    const redact = createRedactor({ hmacKey: null, configmapData: 'keep', rules: [] });
    redact(json, resource);
    if (typeof json['object'] === 'object' && json['object'] !== null) redact(json['object'] as Json, resource);
    return { json };
  } catch {
    return secret ? { withheld: 'it may hold values of a Secret' } : { text: value.toString('utf8') };
  }
}
