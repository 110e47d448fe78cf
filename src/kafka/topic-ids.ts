/**
 * Kafka's ids of topics, as librdkafka knows them: it fetches by id, so what it reports here is what it reads. Its own
 * interface for ids is not bound by node-rdkafka, and a second client to ask with would cost 66 MB; but it tells each
 * change of an id in its log, before it fetches from the new topic.
 *   in    lines of librdkafka's log, of the context `metadata`
 *   out   the id of a topic; a word when a topic that had one has another
 * Invariants (test/kafka/topic-ids.test.ts, against a real broker):
 *   T1 as it is   an answer is no older than the question
 *   T2 in time    the word comes before the first record of the new topic does, if polls wait for `told()`
 */
import type { KafkaConsumer } from 'node-rdkafka';
import { called } from './client.ts';

/** What a consumer that is asked for ids must be configured with. */
export function topicIdProperties(debug: string | undefined): { readonly debug: string; readonly log_level: number } {
  return { debug: debug === undefined ? 'metadata' : `${debug},metadata`, log_level: 7 };
}

const CHANGED = /Topic (\S+) changed id from (\S+) to (\S+)$/;
/** What an older broker than 2.8 has for an id, and librdkafka before it knows one. */
const NONE = 'AAAAAAAAAAAAAAAAAAAAAA';
const TIMEOUT_MS = 10_000;

export class TopicIds {
  readonly #consumer: KafkaConsumer;
  readonly #ids = new Map<string, string>();
  readonly #asking = new Map<string, Promise<unknown>>();

  /** @param onChange a topic that had an id has another: it was deleted and created again */
  constructor(consumer: KafkaConsumer, onChange: (topic: string) => void) {
    this.#consumer = consumer;
    consumer.on('event.log', ({ message }: { readonly message: string }) => {
      const [, topic = '', before, now = NONE] = CHANGED.exec(message) ?? [];
      if (topic === '' || now === NONE) return;
      this.#ids.set(topic, now);
      if (before !== NONE) onChange(topic);
    });
  }

  /** @returns null where the broker has no ids. @throws librdkafka's error */
  async of(topic: string): Promise<string | null> {
    const asking = this.#asking.get(topic) ?? this.#ask(topic).finally(() => this.#asking.delete(topic));
    this.#asking.set(topic, asking);
    await asking;
    await told();
    return this.#ids.get(topic) ?? null;
  }

  /** By name the first time: librdkafka keeps ids of topics that it has at hand, and asks for all of those later. */
  async #ask(topic: string): Promise<void> {
    const which = this.#ids.has(topic) ? { allTopics: false, timeout: TIMEOUT_MS } : { allTopics: false, topic, timeout: TIMEOUT_MS };
    await called((done) => this.#consumer.getMetadata(which, done as never));
  }
}

/** Resolves once every line has been heard that librdkafka wrote before now: they come through another door than answers. */
export function told(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
