/** What docs/cli.md shows, tried: its commands on the recorded fixtures, and every flag that it names. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import { run } from '../cli/child.ts';
import { recordFixtures } from '../cli/recording.ts';
import { freshDatabase } from '../postgres/database.ts';

const BIN = fileURLToPath(new URL('../../bin/kubetape.js', import.meta.url));
const text = readFileSync(new URL('../../docs/cli.md', import.meta.url), 'utf8');
const { url, database } = await freshDatabase();
await recordFixtures(database);

/** `$ kubetape …` in a block, up to a pipe or a remark. */
const shown = [...text.matchAll(/^\$ kubetape (.*)$/gm)].map(([, line = '']) => line.replace(/\s+(#|\|(?!\|)).*$/, ''));
const sections = text.split(/^## /m).slice(1);

function words(line: string): string[] {
  return [...line.matchAll(/'([^']*)'|"([^"]*)"|(\S+)/g)].map(([, single, double, plain]) => single ?? double ?? plain ?? '');
}

describe('docs/cli.md', () => {
  it('shows commands', () => assert.ok(shown.length >= 9, `only ${shown.length}`));

  for (const line of shown.filter((one) => !one.startsWith('tail')))
    it(`kubetape ${line}`, async () => {
      // Its revisions and times are of another evening: then the answer may be that there is nothing, but never that it is wrong.
      const { code, stdout, stderr } = await run(BIN, words(line), { DATABASE_URL: url, TZ: 'UTC' });
      assert.doesNotMatch(stderr, /unknown|--help/, stderr);
      if (code !== 0 && stdout === '') assert.match(stderr, /^error: .*(no revision|not recorded|began|watched|nothing)/im);
    });

  for (const section of sections) {
    const [verb = ''] = section.split('\n');
    if (verb.includes(' ')) continue;
    const flags = new Set(section.match(/(?<![\w-])--[a-z][a-z-]+/g) ?? []);
    it(`${verb}: its flags are there`, async () => {
      const { stdout } = await run(BIN, [verb, '--help'], {});
      for (const flag of flags) if (flag !== '--configmap-data') assert.ok(stdout.includes(flag), `${flag} in \n${stdout}`);
    });
  }
});
