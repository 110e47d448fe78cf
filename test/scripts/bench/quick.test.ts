/** The bench itself, from its command line to its results, on real servers and with tiny numbers. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { test } from 'node:test';
import { ROOT } from '../../../scripts/setup/places.mjs';
import { TEST_STACK } from '../../support/stack.ts';

interface Results {
  readonly bench: string;
  readonly commit: string;
  readonly machine: { readonly cpus: number };
  readonly versions: Readonly<Record<string, string>>;
  readonly samples: readonly { readonly subject: string; readonly values: Readonly<Record<string, number | null>> }[];
  readonly ratios: readonly { readonly value: number | null }[];
}

test('the quick bench runs to its end, and counts every record', () => {
  const out = mkdtempSync(path.join(tmpdir(), 'kubetape-bench-'));
  try {
    const args = ['--quick', '--objects', '300', '--events', '3000', '--partitions', '1', '--out', out];
    const { status, stdout, stderr } = spawnSync(process.execPath, [path.join(ROOT, 'scripts', 'bench.ts'), ...args], {
      encoding: 'utf8',
      env: { ...process.env, KUBETAPE_BENCH_STACK: `${TEST_STACK}-bench` },
      timeout: 900_000,
    });
    assert.equal(status, 0, stderr);
    assert.match(stdout, /kubetape collect to the raw read/);
    const results = readdirSync(out)
      .toSorted()
      .map((name) => JSON.parse(readFileSync(path.join(out, name), 'utf8')) as Results);
    assert.deepEqual(
      results.map(({ bench }) => bench),
      ['capture', 'paths', 'sink'],
    );
    for (const { samples, ratios, machine, versions } of results) {
      assert.ok(machine.cpus > 0 && versions['node'] !== undefined);
      for (const { subject, values } of samples) {
        assert.equal(values['lost'] ?? 0, 0, `${subject} lost something`);
        assert.ok((values['rate'] ?? 0) > 0, `${subject} has no rate`);
      }
      for (const { value } of ratios) assert.ok(value !== null && value > 0);
    }
  } finally {
    rmSync(out, { recursive: true, force: true });
  }
});
