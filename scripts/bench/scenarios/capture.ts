/**
 * capture: a replayed streaming list and watch → records committed in Kafka, state and checkpoints included. Beside it
 * the raw read of the same bytes, with and without parsing; with --peers others that do (some of) the same.
 * Every record is read back by an independent client: what is missing counts as lost, what is there twice as duplicate.
 */
import { Child } from '../child.ts';
import type { Report, Sample } from '../report.ts';
import { Installation } from '../product.ts';
import { Replayed } from '../replayed.ts';
import { profiling, type Bench } from '../scenario.ts';
import { countRecords } from '../topic.ts';
import { when } from '../wait.ts';
import { INFORMER, informerRun } from '../peers/informer.ts';
import { OTEL, otelCollector, otelRun } from '../peers/otel.ts';

export interface Load {
  readonly objects: number;
  readonly events: number;
}

const RAW = 'raw read';
const PARSED = 'raw read and JSON.parse';
const KUBETAPE = 'kubetape collect';
const WITHIN_MS = 600_000;

const COLUMNS = [
  { key: 'rate', title: 'events/s', digits: 0 },
  { key: 'megabytes', title: 'MB/s', digits: 1 },
  { key: 'cpu', title: 'CPU-s per 1,000 events', digits: 4 },
  { key: 'list', title: 'list: pods/s', digits: 0 },
  { key: 'peak', title: 'peak RSS MB', digits: 0 },
  { key: 'lost', title: 'lost', digits: 0 },
  { key: 'twice', title: 'twice', digits: 0 },
] as const;

export async function capture(bench: Bench): Promise<Report> {
  const { options, say } = bench;
  const load: Load = { objects: options.objects ?? 2_000, events: options.events ?? (options.quick ? 40_000 : 100_000) };
  const collector = options.peers.includes('otel') ? await otelCollector(say) : null;
  const samples: Sample[] = [];
  const add = (subject: string, values: Sample['values']): void => {
    samples.push({ subject, values });
    say(`${subject}: ${Math.round(values['rate'] ?? 0).toLocaleString('en')} events/s`);
  };
  for (let run = 1; run <= options.runs; run += 1) {
    add(RAW, await rawRun(bench, load, false));
    add(PARSED, await rawRun(bench, load, true));
    add(KUBETAPE, await productRun(bench, load));
    if (options.peers.includes('informer')) add(INFORMER, await informerRun(bench, load));
    if (collector !== null) add(OTEL, await otelRun(bench, load, collector));
  }
  return {
    bench: 'capture',
    about: 'A streaming list and then a watch, replayed as fast as the client reads → committed in Kafka',
    parameters: { ...load, seed: options.seed, runs: options.runs },
    columns: COLUMNS,
    samples,
    ratios: [
      { title: 'kubetape collect to the raw read, events/s', key: 'rate', of: KUBETAPE, to: RAW },
      { title: 'kubetape collect to read and parse, events/s', key: 'rate', of: KUBETAPE, to: PARSED },
      { title: 'kubetape collect to read and parse, CPU', key: 'cpu', of: KUBETAPE, to: PARSED },
      ...(options.peers.includes('informer')
        ? [
            {
              title: 'kubetape collect to the naive informer, events/s',
              key: 'rate',
              of: KUBETAPE,
              to: INFORMER,
              target: { atLeast: 1.5 },
            },
            { title: 'kubetape collect to the naive informer, CPU', key: 'cpu', of: KUBETAPE, to: INFORMER },
          ]
        : []),
      ...(collector === null
        ? []
        : [
            {
              title: 'kubetape collect to the OpenTelemetry Collector, events/s',
              key: 'rate',
              of: KUBETAPE,
              to: OTEL,
              target: { atLeast: 8 },
            },
          ]),
    ],
    notes: [
      'CPU of the raw read is that of its own process; of kubetape all threads, librdkafka and garbage collection included.',
      'kubetape redacts, strips managedFields, writes state and checkpoint in the same transaction and is read back whole.',
    ],
  };
}

interface Phase {
  readonly lines: number;
  readonly bytes: number;
  readonly seconds: number;
  readonly cpuSeconds: number;
}

async function rawRun({ options, stack }: Bench, { objects, events }: Load, parse: boolean): Promise<Sample['values']> {
  const replayed = await Replayed.start(stack.dir, { seed: options.seed, objects, bytesPerSecond: 0 });
  const reader = new Child('reader-process.ts', { url: replayed.url, listed: objects + 1, events, parse });
  try {
    const list = await reader.next<Phase>();
    await replayed.allow(events);
    const watch = await reader.next<Phase>();
    return {
      rate: watch.lines / watch.seconds,
      megabytes: watch.bytes / watch.seconds / 1e6,
      cpu: (watch.cpuSeconds / watch.lines) * 1000,
      list: list.lines / list.seconds,
      lost: events - watch.lines,
      twice: 0,
    };
  } finally {
    await reader.end();
    await replayed.end();
  }
}

async function productRun({ options, stack }: Bench, { objects, events }: Load): Promise<Sample['values']> {
  const replayed = await Replayed.start(stack.dir, { seed: options.seed, objects, bytesPerSecond: 0 });
  const installation = await Installation.create(stack, { KUBECONFIG: replayed.kubeconfig });
  try {
    const collector = await installation.start('collect', {}, profiling(options));
    const committed = (): Promise<number> => collector.metric('kubetape_changes_total');
    await when('the list to be committed', async () => (await committed()) >= objects, WITHIN_MS);
    const listedMs = Date.now() - (await replayed.state()).askedMs;
    const before = await replayed.state();
    const startedMs = performance.now();
    const cpu = collector.cpuSeconds;
    await replayed.allow(events);
    // Asking the collector costs it time: it is asked only once all is on its way.
    await when('the events to be sent', async () => (await replayed.state()).sent >= events, WITHIN_MS, 50);
    const endedMs = await when('the events to be committed', async () => (await committed()) >= objects + events, WITHIN_MS);
    const used = cpu === null || collector.cpuSeconds === null ? null : collector.cpuSeconds - cpu;
    const { peak } = collector.memory;
    await collector.end();
    const seconds = (endedMs - startedMs) / 1000;
    const { records, distinct } = await countRecords(stack, installation.topic('pods'));
    const { bytes } = await replayed.state();
    return {
      rate: events / seconds,
      megabytes: (bytes - before.bytes) / seconds / 1e6,
      cpu: used === null ? null : (used / events) * 1000,
      list: objects / (listedMs / 1000),
      peak,
      lost: objects + events - distinct,
      twice: records - distinct,
    };
  } finally {
    await installation.close();
    await replayed.end();
  }
}
