import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { test } from 'node:test';
import { CATALOGUE, settingsOfRole } from '../../src/config/catalogue.ts';
import { parseSettings } from '../../src/config/file.ts';
import { ROLES } from '../../src/config/roles.ts';
import { resolve, settings } from '../../src/config/settings.ts';
import { settingsTable, settingsYaml, shownSettings } from '../../src/config/show.ts';

const env = { DATABASE_URL: 'postgres://me:hush@db/x', KUBETAPE_HMAC_KEY: 'hush-hush-hush-hush' };

test('every setting has words, a variable and a flag of its own, or is a secret', () => {
  for (const setting of CATALOGUE) {
    assert.ok(setting.about.length > 3, setting.key);
    assert.ok((setting.flag === null) === (setting.kind.secret === 'all'), setting.key);
    assert.match(setting.env[0] ?? '', /^KUBETAPE_[A-Z_]+$/);
  }
  for (const role of ROLES) {
    const flags = settingsOfRole(role).flatMap(({ flag }) => flag ?? []);
    assert.equal(new Set(flags).size, flags.length, role);
  }
});

test('every default is a value that would be accepted', () => {
  for (const role of ROLES) assert.deepEqual(resolve(role, { env }).problems, [], role);
});

test('C3 masked: what is shown holds no secret', () => {
  const shown = shownSettings(resolve('run', { env }));
  assert.doesNotMatch(settingsYaml(shown) + JSON.stringify(shown), /hush/);
  assert.equal(shown.find((one) => one.key === 'hmacKey')?.value, '***');
});

test('what is shown is a settings file that says the same', () => {
  const { found, problems } = parseSettings(
    settingsYaml(shownSettings(resolve('collect', { argv: ['--partitions-of', 'x'], env: {} }))),
    'shown.yaml',
  );
  assert.deepEqual(problems, []);
  const { settings: values } = settings('collect', {});
  for (const [key, { value }] of found) assert.deepEqual(value, (values as Record<string, unknown>)[key], key);
  assert.equal(found.size, Object.keys(values).length);
});

test("the README's table is the one that the kinds make", () => {
  const [, table = ''] = /<!-- settings:begin -->\n([\s\S]*?)<!-- settings:end -->/.exec(readme()) ?? [];
  assert.equal(table.trim(), settingsTable().trim());
});

function readme(): string {
  const file = new URL('../../README.md', import.meta.url);
  return existsSync(file) ? readFileSync(file, 'utf8') : '';
}
