/**
 * How the recording stands: what is watched and how fresh it is, how far the sinks are behind, what was set aside. Pure.
 *   in    what the store knows, where the topics end (if Kafka could be asked), the time
 *   out   the same, and what of it is trouble, with what to do
 */

export interface WatchFacts {
  readonly cluster: string;
  readonly resource: string;
  readonly namespace: string;
  readonly sinceMs: number;
  readonly seenUntilMs: number;
  readonly objects: number;
  readonly gaps: number;
  readonly unwatchedSeconds: number;
  readonly coverage: number | null;
}

export interface TopicFacts {
  readonly topic: string;
  /** Records and markers of transactions that are not in the store yet; null where Kafka could not be asked. */
  readonly lag: number | null;
  readonly writtenMs: number;
}

export interface StatusFacts {
  readonly watches: readonly WatchFacts[];
  readonly topics: readonly TopicFacts[];
  readonly deadLetters: number;
  readonly nowMs: number;
  /** Why Kafka could not be asked. */
  readonly kafkaTrouble: string | null;
}

export interface Trouble {
  readonly what: string;
  readonly remedy: string;
}

/** A quiet watch proves every minute that it is live; that proof has to get through Kafka and a sink, too. */
const STALE_MS = 180_000;
/** A sink that has something to write does so at once, or says in its log why not. */
const STUCK_MS = 60_000;

/** The API server sends no proof of life into a watch of Events, so that one is as stale as the others are. */
function provesItself({ resource }: WatchFacts): boolean {
  return resource !== 'events';
}

export function troublesOf({ watches, topics, deadLetters, nowMs, kafkaTrouble }: StatusFacts): Trouble[] {
  const troubles: Trouble[] = [];
  if (watches.length === 0)
    troubles.push({ what: 'nothing is watched yet', remedy: 'Do a collector and a sink run? `kubetape check` tells what is missing.' });
  for (const [cluster, all] of Map.groupBy(watches, (watch) => watch.cluster)) {
    const stale = all.filter((watch) => provesItself(watch) && nowMs - watch.seenUntilMs > STALE_MS);
    if (stale.length === 0) continue;
    const everything = stale.length === all.filter(provesItself).length;
    const names = everything ? `nothing of ${cluster}` : `not ${stale.map((watch) => nameOf(watch)).join(', ')} of ${cluster}`;
    const newest = new Date(Math.max(...stale.map(({ seenUntilMs }) => seenUntilMs))).toISOString().slice(0, 19);
    troubles.push({
      what: `${names} is known after ${newest}Z`,
      remedy: everything
        ? 'Is a collector running, and a sink? Their /ready says what they wait for.'
        : "The collector's /ready says why; `kubetape check collect` checks permissions.",
    });
  }
  const stuck = topics.filter(({ lag, writtenMs }) => (lag ?? 0) > 0 && nowMs - writtenMs > STUCK_MS);
  if (stuck.length > 0)
    troubles.push({
      what: `${stuck.map(({ topic, lag }) => `${topic} (${lag} behind)`).join(', ')}: nothing was written for a minute`,
      remedy: 'Is a sink running? Its /ready says what it waits for; `kubetape check sink` checks its connections.',
    });
  if (deadLetters > 0)
    troubles.push({
      what: `${deadLetters} ${deadLetters === 1 ? 'record' : 'records'} could not become rows`,
      remedy: '`kubetape dlq list` shows them and why.',
    });
  if (kafkaTrouble !== null)
    troubles.push({ what: `how far the sinks are behind is not known: ${kafkaTrouble}`, remedy: 'Name the brokers with --kafka-brokers.' });
  return troubles;
}

export function nameOf({ resource, namespace }: Pick<WatchFacts, 'resource' | 'namespace'>): string {
  return namespace === '' ? resource : `${resource} in ${namespace}`;
}

/** 100% is said only of what has no gap at all. */
export function shareText(share: number | null): string {
  if (share === null) return '-';
  return share >= 1 ? '100%' : `${(Math.floor(share * 10_000) / 100).toFixed(2)}%`;
}
