/**
 * The log's one writer: an idempotent, transactional producer. Fits TransactionalLog (capture/ports.ts).
 *
 * Outcomes of a commit, and what becomes of it:
 *   confirmed                        done
 *   refused, abortable               aborted, nothing is visible to read_committed, KAFKA_FAILED: write it again
 *   no answer                        commitTransaction is called again until there is a definite one: an abort could undo
 *                                    nothing if the commit had happened, and would then write everything twice
 *   fenced                           KAFKA_FENCED: somebody else is the writer now
 *   any other fatal error            KAFKA_WRITER_LOST: nobody here knows whether it happened, or who wrote since
 *
 * After the last two this writer is closed, and it opens itself no more: a new producer of the same id would fence whoever
 * has taken over, and write again what may be there. Only who reads the log anew may open it anew.
 */
import kafka from 'node-rdkafka';
import type { OutgoingMessage, TransactionalLog } from '../capture/ports.ts';
import { KubetapeError } from '../events/errors.ts';
import { called, connectClient, disconnectClient, partitionsOfTopics } from './client.ts';
import { commonProperties, type KafkaConnection } from './connection.ts';
import { FATAL, isFenced, kafkaError, QUEUE_FULL, type DriverError } from './errors.ts';
import { pause } from '../flow/pause.ts';

export interface TransactionalProducerSettings {
  readonly connection: KafkaConnection;
  /** One per writer: who comes second fences who came first. */
  readonly transactionalId: string;
  /** Topics that must be there before anything is written. */
  readonly topics: readonly string[];
  /** Heard of each failed attempt to open. */
  readonly onRetry?: (error: KubetapeError, attempt: number, delayMs: number) => void;
  /** Heard of trouble that the driver mends by itself. */
  readonly onTrouble?: (message: string) => void;
}

const CONNECT_TIMEOUT_MS = 10_000;
const INIT_TIMEOUT_MS = 30_000;
const COMMIT_TIMEOUT_MS = 30_000;
/** The broker aborts a transaction of a writer that died after so long; a successor ends it at once. */
const TRANSACTION_TIMEOUT_MS = 60_000;
const DISCONNECT_TIMEOUT_MS = 3_000;
const POLL_MS = 10;

export class TransactionalProducer implements TransactionalLog {
  readonly #settings: TransactionalProducerSettings;
  readonly #brokers: readonly string[];
  #producer: kafka.Producer | null = null;
  /** What the driver said when it could not go on; the call that fails of it says less. */
  #fatal: DriverError | null = null;

  constructor(settings: TransactionalProducerSettings) {
    this.#settings = settings;
    this.#brokers = settings.connection.brokers;
  }

  async open(signal: AbortSignal): Promise<void> {
    for (let attempt = 1; !signal.aborted; attempt += 1) {
      try {
        // A connection that does not come about takes its time-out to say so; a signal does not wait for it.
        await Promise.race([this.#start(), aborted(signal)]);
        return;
      } catch (error) {
        const failure = kafkaError(error, 'taking the log over', this.#brokers);
        if (!failure.retryable) throw failure;
        const delayMs = Math.min(10_000, 250 * 2 ** Math.min(attempt, 10));
        this.#settings.onRetry?.(failure, attempt, delayMs);
        await pause(delayMs, signal);
      }
    }
  }

  async commit(messages: readonly OutgoingMessage[]): Promise<void> {
    const producer = this.#producer;
    if (producer === null) throw new KubetapeError('KAFKA_WRITER_LOST', 'the log is not open for writing');
    try {
      await called((done) => producer.beginTransaction(done));
      for (const message of messages) await this.#produce(producer, message);
      await this.#commitUntilDefinite(producer);
    } catch (error) {
      if (await this.#aborted(producer, error as DriverError)) throw kafkaError(error, 'writing a transaction', this.#brokers);
      const fatal =
        [this.#fatal, error as DriverError].find((one) => one !== null && isFenced(one)) ?? this.#fatal ?? (error as DriverError);
      await this.close();
      const failure = kafkaError(fatal, 'writing a transaction', this.#brokers);
      throw failure.code === 'KAFKA_FENCED' ? failure : new KubetapeError('KAFKA_WRITER_LOST', failure.message, { cause: error });
    }
  }

  async close(): Promise<void> {
    const producer = this.#producer;
    this.#producer = null;
    if (producer !== null) await disconnectClient(producer, DISCONNECT_TIMEOUT_MS);
  }

  async #start(): Promise<void> {
    await this.close();
    const producer = new kafka.Producer(
      {
        'transaction.timeout.ms': TRANSACTION_TIMEOUT_MS,
        'compression.codec': 'lz4',
        // A commit flushes at once, so waiting costs latency only when batches are small.
        'linger.ms': 2,
        'batch.num.messages': 10_000,
        'message.max.bytes': 8 * 1024 * 1024,
        'queue.buffering.max.kbytes': 64 * 1024,
        'queue.buffering.max.messages': 100_000,
        ...commonProperties(this.#settings.connection),
        // What exactly-once rests on is nobody's to set.
        'transactional.id': this.#settings.transactionalId,
        'enable.idempotence': true,
        // No delivery reports: librdkafka counts failed deliveries of a transaction by itself and refuses its commit
        // (rdkafka_txnmgr.c, txn_dr_fails). A callback for each message would cost more than writing it.
        dr_cb: false,
      },
      {
        // Java's partitioner: other producers and consumers can tell where a key lies. A property of topics: among the
        // others it would be ignored without a word.
        partitioner: 'murmur2',
      },
    );
    try {
      await connectClient(producer, this.#brokers, CONNECT_TIMEOUT_MS);
      await partitionsOfTopics(producer, this.#settings.topics, this.#brokers);
      producer.setPollInterval(POLL_MS);
      this.#fatal = null;
      producer.on('event.error', (error: DriverError) => {
        if (error.code === FATAL || isFenced(error)) this.#fatal = error;
        this.#settings.onTrouble?.(error.message ?? '');
      });
      await called((done) => producer.initTransactions(INIT_TIMEOUT_MS, done));
      this.#producer = producer;
    } catch (error) {
      await disconnectClient(producer, DISCONNECT_TIMEOUT_MS);
      throw kafkaError(error, 'starting transactions', this.#brokers);
    }
  }

  async #produce(producer: kafka.Producer, { topic, key, value, headers }: OutgoingMessage): Promise<void> {
    const list = headers === undefined ? undefined : Object.entries(headers).map(([name, text]) => ({ [name]: text }));
    for (;;) {
      try {
        producer.produce(topic, null, value, key, null, undefined, list);
        return;
      } catch (error) {
        if ((error as DriverError).code !== QUEUE_FULL) throw error;
        producer.poll();
        await new Promise((resolve) => setTimeout(resolve, POLL_MS));
      }
    }
  }

  async #commitUntilDefinite(producer: kafka.Producer): Promise<void> {
    for (;;) {
      try {
        await called((done) => producer.commitTransaction(COMMIT_TIMEOUT_MS, done));
        return;
      } catch (error) {
        const failure = error as DriverError & { isRetriable?: boolean };
        if (failure.isFatal === true || failure.isTxnRequiresAbort === true || failure.isRetriable !== true) throw error;
      }
    }
  }

  /** @returns true when the transaction has certainly not happened, and the producer can begin another one */
  async #aborted(producer: kafka.Producer, error: DriverError): Promise<boolean> {
    if (isFenced(error) || error.isFatal === true) return false;
    try {
      await called((done) => producer.abortTransaction(COMMIT_TIMEOUT_MS, done));
      return true;
    } catch (failure) {
      this.#fatal ??= failure as DriverError;
      return false;
    }
  }
}

function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }));
}
