/**
 * restart: a collector that knows many objects is killed with SIGKILL while changes arrive; how long from the start of
 * the next one until all that happened meanwhile is committed. The limit line is the start with nothing to remember.
 */
import { Installation } from '../product.ts';
import { Replayed } from '../replayed.ts';
import type { Report, Sample } from '../report.ts';
import { profiling, type Bench } from '../scenario.ts';
import { countRecords } from '../topic.ts';
import { when } from '../wait.ts';

const OBJECTS = 150_000;
/** Changes before, during and after the kill. */
const EVENTS = 2_000;
const SETTLE_MS = 1_000;
const WITHIN_MS = 600_000;

const COLUMNS = [
  { key: 'seconds', title: 'start → caught up s', digits: 2 },
  { key: 'cpu', title: 'CPU-s', digits: 2 },
  { key: 'peak', title: 'peak RSS MB', digits: 0 },
  { key: 'lost', title: 'lost', digits: 0 },
  { key: 'twice', title: 'twice', digits: 0 },
] as const;

export async function restart(bench: Bench): Promise<Report> {
  const { options, say } = bench;
  const objects = options.objects ?? OBJECTS;
  const events = options.events ?? EVENTS;
  const samples: Sample[] = [];
  for (let run = 1; run <= options.runs; run += 1) {
    for (const known of [1, objects]) {
      const values = await restartRun(bench, known, events);
      const subject = `${known.toLocaleString('en')} known object${known === 1 ? '' : 's'}`;
      samples.push({ subject, values });
      say(`${subject}: ${values['seconds']?.toFixed(2)} s`);
    }
  }
  return {
    bench: 'restart',
    about: 'kill -9 while changes arrive, then: from the start of the next process to all changes committed',
    parameters: { objects, events, seed: options.seed, runs: options.runs },
    columns: COLUMNS,
    samples,
    ratios: [],
    notes: ['Read back whole: nothing may be lost, and nothing may be there twice, whenever the kill came.'],
  };
}

async function restartRun({ options, stack }: Bench, objects: number, events: number): Promise<Sample['values']> {
  const replayed = await Replayed.start(stack.dir, { seed: options.seed, objects, bytesPerSecond: 0 });
  const installation = await Installation.create(stack, { KUBECONFIG: replayed.kubeconfig });
  try {
    const first = await installation.start('collect');
    await when('the list to be committed', async () => (await first.metric('kubetape_changes_total')) >= objects, WITHIN_MS, 200);
    await replayed.allow(events);
    await when('some events to be committed', async () => (await first.metric('kubetape_changes_total')) > objects, WITHIN_MS, 5);
    await first.end('SIGKILL');
    // What happens while nobody looks.
    await replayed.allow(events);
    const expected = objects + 2 * events;
    // A commit that was under way is through by then, or never will be.
    await new Promise((resolve) => setTimeout(resolve, SETTLE_MS));
    const missing = expected - (await countRecords(stack, installation.topic('pods'))).distinct;
    const second = await installation.start('collect', {}, profiling(options));
    const endedMs = await when(
      'the second to be caught up',
      async () => (await second.metric('kubetape_changes_total')) >= missing,
      WITHIN_MS,
    );
    const { cpuSeconds: cpu } = second;
    const { peak } = second.memory;
    await second.end();
    const { records, distinct } = await countRecords(stack, installation.topic('pods'));
    return { seconds: (endedMs - second.startedMs) / 1000, cpu, peak, lost: expected - distinct, twice: records - distinct };
  } finally {
    await installation.close();
    await replayed.end();
  }
}
