/** The code's layout, checked: the data flows one way, and every driver has one folder. */
import assert from 'node:assert/strict';
import { globSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';

const SRC = fileURLToPath(new URL('../src/', import.meta.url));

interface Import {
  /** The importing file and what it imports, both relative to src/; a package by its name. */
  readonly from: string;
  readonly to: string;
  readonly typeOnly: boolean;
  readonly relative: boolean;
  /** `await import(…)`: not part of a cycle at load time. */
  readonly dynamic: boolean;
}

const FILES = globSync('**/*.ts', { cwd: SRC }).toSorted();
const IMPORTS = FILES.flatMap(importsOf);

const STAGES = ['audit', 'capture', 'sinks', 'loads', 'past', 'processors', 'console'];
const EDGES = ['kubernetes', 'kafka', 'postgres'];
const BASE = ['events', 'flow', 'telemetry', 'config'];
/** Pure, and of no stage: whoever shows a change or derives something from one may ask for its words. */
const DIFF = 'diff';
/** Pure as well: what the tables have of an object beside itself. */
const COLUMNS = 'columns';

/** Which folders a folder may import from, besides itself. */
const MAY_IMPORT: Readonly<Record<string, readonly string[]>> = {
  'main.ts': ['cli', 'app'],
  // What is told of the past is pure as well: the verbs print it.
  cli: ['app', 'past', DIFF, COLUMNS, ...BASE],
  app: [...STAGES, ...EDGES, DIFF, COLUMNS, ...BASE],
  ...Object.fromEntries(STAGES.map((stage) => [stage, [DIFF, COLUMNS, ...BASE]])),
  ...Object.fromEntries(EDGES.map((edge) => [edge, BASE])),
  [DIFF]: ['events'],
  [COLUMNS]: [DIFF, 'events'],
  telemetry: ['events', 'flow'],
  config: ['events', 'flow'],
  flow: ['events'],
  events: [],
};

const OWNERS: Readonly<Record<string, readonly string[]>> = {
  '@kubernetes/client-node': ['kubernetes'],
  undici: ['kubernetes'],
  'node-rdkafka': ['kafka'],
  '@platformatic/kafka': ['kafka'],
  pg: ['postgres'],
  'p-queue': ['sinks'],
  pino: ['telemetry'],
  'pino-pretty': ['telemetry'],
  'prom-client': ['telemetry'],
  valibot: ['config'],
  yaml: ['config', 'cli'],
  commander: ['cli', 'main.ts'],
};

test('A0 the imports are really seen', () => {
  const seen = new Set(IMPORTS.map(shown));
  for (const one of [
    'config/kinds.ts imports valibot',
    'telemetry/log.ts imports pino',
    'telemetry/log.ts imports pino-pretty',
    'cli/run.ts imports app/run.ts',
    'main.ts imports cli/program.ts',
  ])
    assert.ok(seen.has(one), one);
  assert.ok(IMPORTS.some(({ typeOnly }) => typeOnly) && IMPORTS.some(({ dynamic }) => dynamic));
});

test('A1 one way: a folder imports only from what lies below it', () => {
  const wrong = IMPORTS.filter(({ from, to, typeOnly, relative }) => {
    if (!relative || folderOf(from) === folderOf(to)) return false;
    // An edge fits a port: it may know the port's types.
    if (typeOnly && EDGES.includes(folderOf(from)) && /^(capture|sinks|past)\/ports\.ts$|^columns\/table\.ts$/.test(to)) return false;
    return !(MAY_IMPORT[folderOf(from)] ?? []).includes(folderOf(to));
  });
  assert.deepEqual(wrong.map(shown), []);
});

test('A2 one driver, one folder', () => {
  const wrong = IMPORTS.filter(
    ({ from, to, relative }) => !relative && !to.startsWith('node:') && !(OWNERS[to] ?? []).includes(folderOf(from)),
  );
  assert.deepEqual(wrong.map(shown), []);
});

test('A3 no cycles', () => {
  const next = new Map<string, string[]>();
  for (const { from, to, relative, dynamic } of IMPORTS) if (relative && !dynamic) next.set(from, [...(next.get(from) ?? []), to]);
  const done = new Set<string>();
  const visit = (file: string, above: readonly string[]): void => {
    assert.ok(!above.includes(file), `cycle: ${[...above.slice(above.indexOf(file)), file].join(' → ')}`);
    if (done.has(file)) return;
    for (const to of next.get(file) ?? []) visit(to, [...above, file]);
    done.add(file);
  };
  for (const file of FILES) visit(file, []);
});

test('A4 no barrels, no drawers', () => {
  const drawers = /(^|\/)(index|utils?|helpers?|common|managers?|misc)(\.|\/)|(^|[/-])manager\.ts$/;
  assert.deepEqual(
    FILES.filter((file) => drawers.test(file)),
    [],
  );
  const reexports = FILES.filter((file) => /^export (\*|(type )?\{[^}]*\}) from /m.test(readFileSync(path.join(SRC, file), 'utf8')));
  assert.deepEqual(reexports, []);
});

test('A5 relative imports end in .ts and point at a file', () => {
  const files = new Set(FILES);
  assert.deepEqual(IMPORTS.filter(({ to, relative }) => relative && !files.has(to)).map(shown), []);
});

test('A6 a file says what it is for before anything else', () => {
  assert.deepEqual(
    FILES.filter((file) => !readFileSync(path.join(SRC, file), 'utf8').startsWith('/**')),
    [],
  );
});

function importsOf(file: string): Import[] {
  const text = readFileSync(path.join(SRC, file), 'utf8');
  const found: { specifier: string; typeOnly: boolean; dynamic: boolean }[] = [];
  for (const [, type, names = '', specifier = ''] of text.matchAll(
    /^(?:import|export(?=[^'"=(;]*\sfrom\s))\s+(type\s+)?(?:([^'"=();]*?)\s+from\s+)?['"]([^'"]+)['"];?$/gm,
  )) {
    const each =
      /\{([^}]*)\}/
        .exec(names)?.[1]
        ?.split(',')
        .map((name) => name.trim())
        .filter((name) => name !== '') ?? [];
    const onlyTypes = each.length > 0 && each.every((name) => name.startsWith('type ')) && names.trim().startsWith('{');
    found.push({ specifier, typeOnly: type !== undefined || onlyTypes, dynamic: false });
  }
  for (const [, specifier = ''] of text.matchAll(/\b(?:import|require|load)\(\s*['"]([^'"]+)['"]\s*\)/g))
    found.push({ specifier, typeOnly: false, dynamic: true });
  return found.map(({ specifier, typeOnly, dynamic }) => {
    const relative = specifier.startsWith('.');
    const to = relative ? path.posix.normalize(path.posix.join(path.posix.dirname(file), specifier)) : packageOf(specifier);
    return { from: file, to, typeOnly, relative, dynamic };
  });
}

function packageOf(specifier: string): string {
  return specifier.startsWith('@')
    ? specifier.split('/').slice(0, 2).join('/')
    : specifier.startsWith('node:')
      ? specifier
      : (specifier.split('/')[0] ?? specifier);
}

function folderOf(file: string): string {
  return file.split('/')[0] ?? file;
}

function shown({ from, to }: Import): string {
  return `${from} imports ${to}`;
}
