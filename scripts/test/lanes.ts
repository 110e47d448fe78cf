/**
 * Test files side by side: each lane has servers of its own and takes the next file when it has done one. What a file
 * prints appears in one piece, when it has ended.
 */
import { spawn, type ChildProcess } from 'node:child_process';
import { ROOT } from '../setup/places.mjs';
import { closingLines, NOTHING, sum, totalsOf, type Totals } from './totals.ts';

export interface Lanes {
  /** The folder of each lane's servers. */
  readonly dirs: readonly string[];
  readonly options: readonly string[];
  readonly env: Readonly<Record<string, string | undefined>>;
}

/** @returns the exit code: 0 when every file's was */
export async function runInLanes(files: readonly string[], { dirs, options, env }: Lanes): Promise<number> {
  const startedMs = performance.now();
  const waiting = [...files];
  const running = new Set<ChildProcess>();
  const failed: string[] = [];
  let totals: Totals = NOTHING;
  let stopped = false;
  for (const signal of ['SIGINT', 'SIGTERM'] as const)
    process.on(signal, () => {
      stopped = true;
      for (const child of running) child.kill(signal);
    });

  const lane = async (dir: string): Promise<void> => {
    for (let file = waiting.shift(); file !== undefined && !stopped; file = waiting.shift()) {
      const child = spawn(process.execPath, ['--test', ...options, file], {
        cwd: ROOT,
        stdio: ['ignore', 'pipe', 'pipe'],
        env: { ...env, KUBETAPE_TEST_STACK: dir },
      });
      running.add(child);
      let output = '';
      for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk: Buffer) => (output += chunk.toString()));
      const code = await new Promise<number | null>((resolve) => child.on('close', resolve));
      running.delete(child);
      process.stdout.write(`\n${file}\n${output}`);
      const own = totalsOf(output);
      if (own !== null) totals = sum(totals, own);
      if (code !== 0 || own === null) failed.push(file);
    }
  };
  await Promise.all(dirs.map(lane));
  process.stdout.write(`\nAll ${files.length} files:\n${closingLines(totals, performance.now() - startedMs, failed)}`);
  return failed.length === 0 && !stopped ? 0 : 1;
}
