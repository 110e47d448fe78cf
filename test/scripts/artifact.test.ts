import assert from 'node:assert/strict';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, before, describe, it } from 'node:test';
import { artifact, withLock } from '../../scripts/setup/artifact.mjs';

describe('things made once', () => {
  let folder: string;
  before(() => {
    folder = mkdtempSync(path.join(tmpdir(), 'kubetape-artifact-'));
  });
  after(() => rmSync(folder, { recursive: true, force: true }));

  it('are there whole or not at all: a build that fails leaves nothing, and the next one succeeds', async () => {
    const target = path.join(folder, 'a');
    await assert.rejects(
      artifact(target, (building) => {
        writeFileSync(path.join(building, 'half'), '');
        return Promise.reject(new Error('interrupted'));
      }),
      /interrupted/,
    );
    assert.ok(!existsSync(target));
    await artifact(target, async (building) => {
      assert.ok(!existsSync(path.join(building, 'half')), 'remains of the failed build');
      writeFileSync(path.join(building, 'whole'), 'x');
    });
    assert.equal(readFileSync(path.join(target, 'whole'), 'utf8'), 'x');
  });

  it('are made once when two want them at the same time', async () => {
    const target = path.join(folder, 'b');
    let builds = 0;
    const build = async (): Promise<void> => {
      builds += 1;
      await new Promise((resolve) => setTimeout(resolve, 50));
    };
    await Promise.all([artifact(target, build), artifact(target, build)]);
    assert.equal(builds, 1);
  });

  for (const [what, content] of [
    ['a dead process', '4194303\n'],
    ['a process that was killed before it wrote its pid', ''],
  ] as const) {
    it(`a lock of ${what} is taken over`, async () => {
      const lock = path.join(folder, 'locks', 'c.lock');
      mkdirSync(path.dirname(lock), { recursive: true });
      writeFileSync(lock, content);
      assert.equal(await withLock(lock, () => Promise.resolve('done')), 'done');
      assert.ok(!existsSync(lock));
    });
  }
});
