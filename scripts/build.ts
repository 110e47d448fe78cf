/** `npm run build`: dist/ for the published package, as Node strips no types below node_modules. */
import { spawnSync } from 'node:child_process';
import { rmSync } from 'node:fs';
import path from 'node:path';
import { ROOT } from './setup/places.mjs';

const out = path.join(ROOT, 'dist');
rmSync(out, { recursive: true, force: true });
const { status } = spawnSync(path.join(ROOT, 'node_modules', '.bin', 'tsc'), ['-p', 'tsconfig.build.json'], {
  cwd: ROOT,
  stdio: 'inherit',
});
process.exitCode = status ?? 1;
