/** `npm run check`: types, lint, format, architecture. `npm run format` mends what can be mended. */
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import path from 'node:path';
import { ROOT } from './setup/places.mjs';

const fix = process.argv.includes('--fix');
const bin = (name: string): string => path.join(ROOT, 'node_modules', '.bin', name);
const architecture = 'test/architecture.test.ts';

const checks: { name: string; command: string; args: string[] }[] = [
  { name: 'types', command: bin('tsc'), args: ['-p', '.'] },
  {
    name: 'lint',
    command: bin('oxlint'),
    args: ['--type-aware', '--deny-warnings', ...(fix ? ['--fix'] : []), 'src', 'test', 'scripts', 'bin'],
  },
  { name: 'format', command: bin('oxfmt'), args: [...(fix ? [] : ['--check']), 'src', 'test', 'scripts', 'bin'] },
  ...(existsSync(path.join(ROOT, architecture))
    ? [{ name: 'architecture', command: process.execPath, args: ['--test', architecture] }]
    : []),
];

let failed = 0;
for (const { name, command, args } of checks) {
  const startedMs = Date.now();
  const { status, stdout, stderr } = spawnSync(command, args, { cwd: ROOT, encoding: 'utf8', maxBuffer: 64 * 1024 * 1024 });
  const seconds = ((Date.now() - startedMs) / 1000).toFixed(1);
  process.stdout.write(`${status === 0 ? '✔' : '✗'} ${name} ${seconds} s\n`);
  if (status === 0) continue;
  failed += 1;
  process.stdout.write(
    `${stdout}${stderr}`
      .trimEnd()
      .split('\n')
      .slice(-80)
      .map((line) => `    ${line}\n`)
      .join(''),
  );
}
process.exitCode = failed === 0 ? 0 : 1;
