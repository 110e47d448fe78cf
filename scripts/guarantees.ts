/**
 * `npm run guarantees [-- --full] [-- FILE …]`: the faults, injected into real servers, and a table of what came of each.
 * Without --full in the short form that `npm test` runs too.
 */
import { spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { tableOfReports } from './guarantees/table.ts';
import { ROOT } from './setup/places.mjs';

async function main(): Promise<number> {
  const { values, positionals } = parseArgs({
    options: { full: { type: 'boolean' }, help: { type: 'boolean', short: 'h' } },
    allowPositionals: true,
  });
  if (values.help === true) {
    process.stdout.write(
      'npm run guarantees [-- --full] [FILE …]\n  --full  at full length: fifty kills, five minutes without a broker, half an hour of soak\n',
    );
    return 0;
  }
  const folder = mkdtempSync(path.join(tmpdir(), 'kubetape-guarantees-'));
  const file = path.join(folder, 'report.jsonl');
  try {
    const files = positionals.length === 0 ? [path.join('test', 'guarantees')] : positionals;
    const child = spawn(process.execPath, [path.join(ROOT, 'scripts', 'test.ts'), ...files], {
      cwd: ROOT,
      stdio: 'inherit',
      env: { ...process.env, KUBETAPE_GUARANTEES_REPORT: file, ...(values.full === true ? { KUBETAPE_GUARANTEES: 'full' } : {}) },
    });
    for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => child.kill(signal));
    const code = await new Promise<number>((resolve) => child.on('exit', (status) => resolve(status ?? 1)));
    process.stdout.write(`\n${tableOfReports(existsSync(file) ? readFileSync(file, 'utf8') : '')}`);
    if (code !== 0) process.stdout.write('Not every test passed: a fault without a line here is one of those.\n');
    return code;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

process.exitCode = await main();
