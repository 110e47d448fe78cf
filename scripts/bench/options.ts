/** The command line of the bench. Pure. */
import { parseArgs } from 'node:util';

export const SCENARIOS = ['paths', 'capture', 'sink', 'latency', 'coldstart', 'restart', 'past'] as const;
export type ScenarioName = (typeof SCENARIOS)[number];

export const PEERS = ['informer', 'otel', 'debezium'] as const;
export type PeerName = (typeof PEERS)[number];

export interface Options {
  readonly scenarios: readonly ScenarioName[];
  readonly quick: boolean;
  /** Other tools that are measured beside kubetape. */
  readonly peers: readonly PeerName[];
  readonly runs: number;
  /** Objects in the cluster; null takes the scenario's own number. */
  readonly objects: number | null;
  /** Events, records or seconds: how much is measured; null takes the scenario's own number. */
  readonly events: number | null;
  readonly partitions: readonly number[];
  readonly seed: number;
  /** Print the plan of each question; `past` only. */
  readonly plans: boolean;
  /** Folder for CPU profiles of kubetape's roles; null writes none. */
  readonly profile: string | null;
  /** Folder for the results. */
  readonly out: string;
}

export const USAGE = `usage: npm run bench -- [NAME …] [options]

  paths       what one event costs kubetape's own code, without servers
  capture     a replayed list and watch → Kafka; against the raw read of the same bytes
  sink        a filled topic → Postgres; against COPY of the same rows
  latency     a real cluster: change → committed in Kafka → row visible
  coldstart   10,000 to 150,000 pods: how time and memory grow
  restart     after kill -9 with 150,000 known objects: until it is caught up
  past        questions in SQL and commands, at 1,000,000 changes of 10,000 pods

  --quick           small numbers of paths, capture and sink, under three minutes: before and after a change
  --peers           other tools beside kubetape, downloaded and built by the bench where they are missing
  --peer NAME       informer, otel (capture) or debezium (sink); again for more
  --runs N          how often each is measured                       (default 3; 1 with --quick)
  --objects N       objects in the cluster                           (default by scenario)
  --events N        events or records that are measured              (default by scenario)
  --partitions N,…  partitions of the topic, one measurement each    (default 1,3; sink only)
  --seed N          of the generated pods                            (default 1)
  --plans           the plan of each question                        (past only)
  --profile DIR     CPU profiles of kubetape's processes
  --out DIR         results as JSON: NAME-TIME.json                  (default .kubetape/bench)
`;

/** @throws Error that says what is wrong with the arguments */
export function parseOptions(args: readonly string[]): Options | 'help' {
  const { values, positionals } = parseArgs({
    args: [...args],
    allowPositionals: true,
    options: {
      quick: { type: 'boolean', default: false },
      peers: { type: 'boolean', default: false },
      peer: { type: 'string', multiple: true, default: [] },
      runs: { type: 'string' },
      objects: { type: 'string' },
      events: { type: 'string' },
      partitions: { type: 'string', default: '1,3' },
      seed: { type: 'string', default: '1' },
      plans: { type: 'boolean', default: false },
      profile: { type: 'string' },
      out: { type: 'string', default: '.kubetape/bench' },
      help: { type: 'boolean', short: 'h', default: false },
    },
  });
  if (values.help) return 'help';
  const unknown = positionals.filter((name) => !isScenario(name));
  if (unknown.length > 0) throw new Error(`there is no bench ${unknown.join(', ')}; there are ${SCENARIOS.join(', ')}`);
  if (positionals.length === 0 && !values.quick) return 'help';
  return {
    scenarios: values.quick && positionals.length === 0 ? ['paths', 'capture', 'sink'] : positionals.filter(isScenario),
    quick: values.quick,
    peers: values.peers ? PEERS : values.peer.map(peerOf),
    runs: whole('runs', values.runs) ?? (values.quick ? 1 : 3),
    objects: whole('objects', values.objects),
    events: whole('events', values.events),
    partitions: values.partitions.split(',').map((text) => whole('partitions', text) ?? 1),
    seed: whole('seed', values.seed) ?? 1,
    plans: values.plans,
    profile: values.profile ?? null,
    out: values.out,
  };
}

function peerOf(name: string): PeerName {
  const peer = PEERS.find((one) => one === name);
  if (peer === undefined) throw new Error(`there is no peer ${name}; there are ${PEERS.join(', ')}`);
  return peer;
}

function isScenario(name: string): name is ScenarioName {
  return (SCENARIOS as readonly string[]).includes(name);
}

function whole(name: string, text: string | undefined): number | null {
  if (text === undefined) return null;
  const value = Number(text);
  if (!Number.isInteger(value) || value < 1 || value > 1e9) throw new Error(`--${name} takes a whole number above zero, not "${text}"`);
  return value;
}
