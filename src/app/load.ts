/**
 * The role `load`: a file into a topic, each record once, whatever happens in between.
 * The file is read twice: all of it is looked at before any of it is written.
 */
import { createHash } from 'node:crypto';
import { createReadStream, statSync } from 'node:fs';
import path from 'node:path';
import type { SettingsOf } from '../config/roles.ts';
import { isCode, KubetapeError } from '../events/errors.ts';
import { LOADS } from '../events/topics.ts';
import { backoffMs } from '../flow/backoff.ts';
import { pause } from '../flow/pause.ts';
import { TopicReader } from '../kafka/reader.ts';
import { TransactionalProducer } from '../kafka/transactional-producer.ts';
import { decodeProgress, encodeProgress, progressKey, type Progress } from '../loads/progress.ts';
import { formatOf, recordsOf, type Format, type LoadRecord } from '../loads/records.ts';
import { beginLoad, endLoad, type LoadJob } from '../postgres/load-jobs.ts';
import { checkSchema } from '../postgres/migrate.ts';
import { databaseOf, kafkaConnection } from './connections.ts';
import type { Out } from './out.ts';

const TRANSACTION_RECORDS = 1_000;
const TRANSACTION_BYTES = 4 * 1024 * 1024;
const BACKOFF = { baseMs: 200, capMs: 10_000 };

type LoadSettings = SettingsOf<'load'>;

/** @throws KubetapeError RECORD_INVALID: nothing was loaded; whatever Kafka or Postgres refuses */
export async function load(settings: LoadSettings, file: string, out: Out, signal: AbortSignal): Promise<void> {
  const [name = ''] = settings.messageTopics;
  const topic = `${settings.topicPrefix}${name}`;
  const format = formatOf(file);
  const database = databaseOf(settings, 'load');
  try {
    await checkSchema(database);
    const seen = await survey(file, format);
    const job: LoadJob = { topic, sha256: seen.sha256, file: path.basename(file), format, bytes: seen.bytes };
    await beginLoad(database, job);
    let records = 0;
    try {
      if (seen.error !== null) throw seen.error;
      const { sha256 } = seen;
      const progressed = (there: number): void => void (records = there);
      const before = await transfer({ settings, topic, file, format, sha256, progressed }, signal);
      await endLoad(database, job, records, null);
      const rest = records - before;
      out.ok(
        rest === 0
          ? `${file}: its ${records} records are in ${name} already; nothing to do`
          : `${file}: ${rest} records loaded into ${name}${before === 0 ? '' : `, ${before} were there already`}`,
      );
    } catch (error) {
      await endLoad(database, job, records, error instanceof KubetapeError ? error.message : 'an internal error').catch(() => undefined);
      throw error;
    }
  } finally {
    await database.close();
  }
}

interface Survey {
  readonly sha256: string;
  readonly bytes: number;
  readonly error: KubetapeError | null;
}

/** Also of a file with a mistake the digest is known: its failure is told under it. */
async function survey(file: string, format: Format): Promise<Survey> {
  let sha256 = '';
  let error: KubetapeError | null = null;
  const { size: bytes } = openable(file);
  try {
    for await (const _record of recordsOf(createReadStream(file), format, (digest) => (sha256 = digest)));
  } catch (failure) {
    if (!(failure instanceof KubetapeError)) throw failure;
    error = new KubetapeError(failure.code, `${file}: ${failure.message}`, { hint: failure.hint });
    sha256 = await digestOf(file);
  }
  return { sha256, bytes, error };
}

async function digestOf(file: string): Promise<string> {
  const hash = createHash('sha256');
  for await (const piece of createReadStream(file)) hash.update(piece as Buffer);
  return hash.digest('hex');
}

function openable(file: string): { readonly size: number } {
  try {
    const found = statSync(file);
    if (found.isFile()) return found;
  } catch {
    // The same as a folder: not a file.
  }
  throw new KubetapeError('CONFIG_INVALID', `${file} is not a file that can be read`);
}

interface Transfer {
  readonly settings: LoadSettings;
  readonly topic: string;
  readonly file: string;
  readonly format: Format;
  readonly sha256: string;
  /** Told how many of the file's records are in the topic. */
  readonly progressed: (records: number) => void;
}

/** @returns how many of its records were in the topic before */
async function transfer(work: Transfer, signal: AbortSignal): Promise<number> {
  let before: number | null = null;
  for (let attempt = 1; ; attempt += 1) {
    try {
      await attemptOne(work, (records) => (before ??= records), signal);
      return before ?? 0;
    } catch (error) {
      const again = error instanceof KubetapeError && (error.retryable || isCode(error, 'KAFKA_WRITER_LOST'));
      if (!again || signal.aborted) throw error;
      await pause(backoffMs(BACKOFF, attempt, Math.random), signal);
    }
  }
}

/**
 * Takes the transactional id, and with it the right to write; only then asks how far the file is, and goes on from there.
 * Whatever goes wrong ends the attempt: somebody else may have taken the id meanwhile, and have written.
 */
async function attemptOne(
  { settings, topic, file, format, sha256, progressed }: Transfer,
  began: (records: number) => void,
  signal: AbortSignal,
): Promise<void> {
  const connection = kafkaConnection(settings, 'load');
  const ledger = `${settings.topicPrefix}${LOADS}`;
  const key = progressKey(topic, sha256);
  const producer = new TransactionalProducer({ connection, transactionalId: `kubetape-load-${key}`, topics: [topic, ledger] });
  try {
    await producer.open(signal);
  } catch (error) {
    if (!isCode(error, 'KAFKA_TOPIC_MISSING')) throw error;
    const hint = `Run \`kubetape topics --topic ${settings.messageTopics[0]}\` to create what is missing.`;
    throw new KubetapeError(error.code, error.message, { hint });
  }
  try {
    const progress = await progressOf(new TopicReader(connection), ledger, key, signal);
    signal.throwIfAborted();
    began(progress.records);
    progressed(progress.records);
    if (progress.done) return;
    let there = progress.records;
    let digest = '';
    let batch: LoadRecord[] = [];
    let bytes = 0;
    let at = 0;
    const commit = async (done: boolean): Promise<void> => {
      const messages = batch.map(({ value }, index) => ({ topic, key: `${sha256.slice(0, 12)}-${there + index + 1}`, value }));
      const after = there + batch.length;
      await producer.commit([...messages, { topic: ledger, key, value: encodeProgress(after, done) }]);
      [there, batch, bytes] = [after, [], 0];
      progressed(there);
    };
    for await (const record of recordsOf(createReadStream(file), format, (of) => (digest = of))) {
      at += 1;
      if (at <= progress.records) continue;
      batch.push(record);
      bytes += record.value.length;
      signal.throwIfAborted();
      if (batch.length >= TRANSACTION_RECORDS || bytes >= TRANSACTION_BYTES) await commit(false);
    }
    if (digest !== sha256) throw new KubetapeError('RECORD_INVALID', `${file} changed while it was loaded`);
    await commit(true);
  } finally {
    await producer.close();
  }
}

async function progressOf(reader: TopicReader, ledger: string, key: string, signal: AbortSignal): Promise<Progress> {
  let progress: Progress = { v: 1, records: 0, done: false };
  await reader.readToEnd(
    [ledger],
    (message) => {
      if (message.key === key && message.value !== null) progress = decodeProgress(message.value);
    },
    signal,
  );
  return progress;
}
