/** What a verb prints, compared with what it printed when somebody looked at it. KUBETAPE_TEST_GOLDEN=write accepts what is printed now. */
import assert from 'node:assert/strict';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Ended } from './child.ts';

const FOLDER = fileURLToPath(new URL('golden', import.meta.url));

/** Ages depend on when the test runs, and with them the width of their columns. */
function normalised(text: string): string {
  return (
    text
      .replaceAll(/(?<=^|\(| {2})((\d+(ms|[smhdy]))+|<invalid>)(?=\s|$|\)| ago)/gm, 'AGE')
      .replaceAll(/(?<=deleted )(\d+[smhdy])+(?= ago)/g, 'AGE')
      // Tables only: what stands behind a sign or at the beginning of a line is an indent.
      .replaceAll(/(?<=[^\s+-]) {3,}(?=\S)/g, '   ')
      .replaceAll(/(?<=now it is )[\d:TZ-]+/g, 'NOW')
      .replaceAll(/127\.0\.0\.1:\d+\/\w+/g, 'DATABASE')
  );
}

export function transcript(command: string, { code, stdout, stderr }: Ended): string {
  const said = stderr === '' ? '' : stderr.replaceAll(/^/gm, '2> ').replace(/2> $/, '');
  return `$ ${command}\n${normalised(`${stdout}${said}`)}[exit ${code}]\n`;
}

export function compareGolden(name: string, actual: string): void {
  const file = path.join(FOLDER, `${name}.txt`);
  if (process.env['KUBETAPE_TEST_GOLDEN'] === 'write') {
    mkdirSync(FOLDER, { recursive: true });
    writeFileSync(file, actual);
    return;
  }
  assert.ok(existsSync(file), `${file} is missing: KUBETAPE_TEST_GOLDEN=write makes it`);
  assert.equal(actual, readFileSync(file, 'utf8'));
}
