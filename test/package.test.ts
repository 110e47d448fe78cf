/** The published package: packed, installed into an empty folder, run from there. */
import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { cpSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, before, describe, it } from 'node:test';
import { ROOT } from '../scripts/setup/places.mjs';
import { Installation } from './support/kubetape.ts';
import { sharedStack } from './support/stack.ts';

describe('the package', () => {
  let folder: string;

  before(() => {
    folder = mkdtempSync(path.join(tmpdir(), 'kubetape-package-'));
    const [packed] = JSON.parse(
      execFileSync('npm', ['pack', '--json', '--pack-destination', folder], {
        cwd: ROOT,
        encoding: 'utf8',
        stdio: ['ignore', 'pipe', 'ignore'],
      }).replace(/^[^[{]*/s, ''),
    ) as { filename: string; files: { path: string }[] }[];
    assert.ok(packed);
    const stray = packed.files
      .map((file) => file.path)
      .filter((file) => !/^(bin|dist|src\/postgres\/sql)\/|^(package\.json|README\.md|CHANGELOG\.md|LICENSE)$/.test(file));
    assert.deepEqual(stray, [], 'the package holds only what it needs');
    // Scripts are left out: what they compile, minutes long, is what this clone has compiled from the same sources.
    execFileSync(
      'npm',
      [
        'install',
        '--prefix',
        folder,
        '--ignore-scripts',
        '--no-audit',
        '--no-fund',
        '--loglevel=error',
        path.join(folder, packed.filename),
      ],
      { cwd: folder, stdio: 'ignore' },
    );
    cpSync(path.join(ROOT, 'node_modules', 'node-rdkafka', 'build'), path.join(folder, 'node_modules', 'node-rdkafka', 'build'), {
      recursive: true,
      verbatimSymlinks: true,
    });
  });
  after(() => rmSync(folder, { recursive: true, force: true }));

  function kubetape(
    args: readonly string[],
    env: Record<string, string> = {},
    name = 'kubetape',
  ): { status: number | null; stdout: string; stderr: string } {
    return spawnSync(path.join(folder, 'node_modules', '.bin', name), args, {
      cwd: folder,
      encoding: 'utf8',
      env: { PATH: process.env['PATH'] ?? '', HOME: folder, ...env },
    });
  }

  it('tells its version, as kubetape and as a plug-in of kubectl', () => {
    assert.match(kubetape(['version']).stdout, /0\.1\.0/);
    assert.match(kubetape(['version'], {}, 'kubectl-tape').stdout, /0\.1\.0/);
  });

  it('kubectl finds it', async () => {
    const stack = await sharedStack();
    const { stdout, stderr } = spawnSync(stack.kubectl, ['tape', 'version'], {
      encoding: 'utf8',
      env: { PATH: `${path.join(folder, 'node_modules', '.bin')}:${process.env['PATH'] ?? ''}`, HOME: folder },
    });
    assert.match(stdout, /0\.1\.0/, stderr);
  });

  it('creates topics and schema, and checks all of it, from there', async () => {
    const installation = await Installation.create(await sharedStack(), 'package');
    try {
      const again = kubetape(['migrate'], installation.env);
      assert.equal(again.status, 0, again.stderr);
      const { status, stdout, stderr } = kubetape(['check'], installation.env);
      assert.equal(status, 0, `${stdout}${stderr}`);
      assert.match(stdout, /all checks passed/);
    } finally {
      await installation.close();
    }
  });
});
