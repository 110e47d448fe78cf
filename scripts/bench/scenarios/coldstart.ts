/**
 * coldstart: nothing is known yet; how long until every pod is committed in Kafka, and until the last row, and what
 * memory it takes, at 10,000, 50,000 and 150,000 pods. Time counts from the start of the process.
 */
import { Installation } from '../product.ts';
import { Replayed } from '../replayed.ts';
import type { Report, Sample } from '../report.ts';
import { profiling, type Bench } from '../scenario.ts';
import { countRecords } from '../topic.ts';
import { when } from '../wait.ts';

const SIZES = [10_000, 50_000, 150_000];
const WITHIN_MS = 1_200_000;
/** How long a process is left alone before its memory counts as resting. */
const REST_MS = 15_000;

const COLUMNS = [
  { key: 'synced', title: 'in Kafka s', digits: 1 },
  { key: 'rate', title: 'pods/s', digits: 0 },
  { key: 'cpu', title: 'collector CPU-s', digits: 1 },
  { key: 'peak', title: 'collector peak MB', digits: 0 },
  { key: 'resting', title: 'resting MB', digits: 0 },
  { key: 'rows', title: 'last row s', digits: 1 },
  { key: 'sinkPeak', title: 'sink peak MB', digits: 0 },
  { key: 'lost', title: 'lost', digits: 0 },
] as const;

export async function coldstart(bench: Bench): Promise<Report> {
  const { options, say } = bench;
  const sizes = options.objects === null ? SIZES : [options.objects];
  const samples: Sample[] = [];
  for (let run = 1; run <= options.runs; run += 1) {
    for (const objects of sizes) {
      const values = await coldRun(bench, objects);
      samples.push({ subject: subjectOf(objects), values });
      say(`${subjectOf(objects)}: ${values['synced']?.toFixed(1)} s to Kafka, ${values['rows']?.toFixed(1)} s to the last row`);
    }
  }
  const [small, large] = [sizes[0] ?? 0, sizes.at(-1) ?? 0];
  return {
    bench: 'coldstart',
    about: 'From the start of both processes, with nothing known, to the last pod in Kafka and to the last row',
    parameters: { seed: options.seed, runs: options.runs },
    columns: COLUMNS,
    samples,
    ratios:
      small === large
        ? []
        : [
            {
              title: `time to Kafka, ${large.toLocaleString('en')} to ${small.toLocaleString('en')} pods`,
              key: 'synced',
              of: subjectOf(large),
              to: subjectOf(small),
            },
          ],
    notes: [
      `Resting is ${REST_MS / 1000} s after the last row.`,
      'Collector and sink run at the same time, with Kafka and Postgres on the same cores.',
    ],
  };
}

function subjectOf(objects: number): string {
  return `${objects.toLocaleString('en')} pods`;
}

async function coldRun({ options, stack }: Bench, objects: number): Promise<Sample['values']> {
  const replayed = await Replayed.start(stack.dir, { seed: options.seed, objects, bytesPerSecond: 0 });
  const installation = await Installation.create(stack, { KUBECONFIG: replayed.kubeconfig });
  try {
    const startedMs = performance.now();
    const collector = await installation.start('collect', {}, profiling(options));
    const sink = await installation.start('sink', {}, profiling(options));
    // The metric costs the collector time: often at first, when the whole takes seconds, and rarely later.
    const everyMs = Math.max(50, objects / 200);
    const syncedMs = await when(
      'all pods in Kafka',
      async () => (await collector.metric('kubetape_changes_total')) >= objects,
      WITHIN_MS,
      everyMs,
    );
    const cpu = collector.cpuSeconds;
    const rowsMs = await when(
      'the last row',
      async () => (await sink.metric('kubetape_rows_written_total', 'resource="pods"')) >= objects,
      WITHIN_MS,
      everyMs,
    );
    await new Promise((resolve) => setTimeout(resolve, REST_MS));
    const { peak, now } = collector.memory;
    const sinkPeak = sink.memory.peak;
    await collector.end();
    await sink.end();
    const { distinct } = await countRecords(stack, installation.topic('pods'));
    const seconds = (syncedMs - startedMs) / 1000;
    return {
      synced: seconds,
      rate: objects / seconds,
      cpu,
      peak,
      resting: now,
      rows: (rowsMs - startedMs) / 1000,
      sinkPeak,
      lost: objects - distinct,
    };
  } finally {
    await installation.close();
    await replayed.end();
  }
}
