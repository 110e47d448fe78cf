/**
 * paths: what one event costs kubetape's own code, without Kafka, Postgres or a socket. Needs no servers, and as it counts
 * CPU time and not the clock's, it says something on a busy machine too.
 */
import { Child } from '../child.ts';
import type { Report, Sample } from '../report.ts';
import type { Bench } from '../scenario.ts';
import { profiling } from '../scenario.ts';

const COLUMNS = [
  { key: 'micros', title: 'CPU µs per event', digits: 1 },
  { key: 'rate', title: 'events per CPU-s', digits: 0 },
  { key: 'bytes', title: 'bytes out per event', digits: 0 },
] as const;

/** In the order in which the process reports them. */
const SUBJECTS = { capture: 'watch line → messages', parse: 'JSON.parse of the line alone', sink: 'record → parameters' } as const;

export async function paths({ options, say }: Bench): Promise<Report> {
  const load = { objects: options.objects ?? 2_000, events: options.events ?? 20_000 };
  const samples: Sample[] = [];
  for (let run = 1; run <= options.runs; run += 1) {
    const child = new Child('paths-process.ts', { ...load, seed: options.seed }, {}, profiling(options));
    try {
      for (const subject of Object.values(SUBJECTS)) {
        const { micros, bytes } = await child.next<{ micros: number; bytes: number }>();
        samples.push({ subject, values: { micros, bytes, rate: 1e6 / micros } });
        say(`${subject}: ${micros.toFixed(1)} µs`);
      }
      await child.exited();
    } finally {
      await child.end();
    }
  }
  return {
    bench: 'paths',
    about: "CPU time of kubetape's own code per event, of all threads of the process",
    parameters: { ...load, seed: options.seed, runs: options.runs },
    columns: COLUMNS,
    samples,
    ratios: [
      { title: 'watch line → messages to JSON.parse alone, CPU', key: 'micros', of: SUBJECTS.capture, to: SUBJECTS.parse },
      { title: 'record → parameters to JSON.parse alone, CPU', key: 'micros', of: SUBJECTS.sink, to: SUBJECTS.parse },
    ],
    notes: [],
  };
}
