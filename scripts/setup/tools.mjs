/** The tools of the host that a step may need, how to find them, and the remedy where one is missing. */
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import process from 'node:process';

const MAC = process.platform === 'darwin';
const remedy = (apt, brew) => (MAC ? `brew install ${brew}` : `apt-get install ${apt}   (or your system's equivalent)`);

const TOOLS = {
  npm: { name: 'npm', found: () => runs('npm', ['--version']), remedy: 'It comes with Node.js.' },
  node24: {
    name: 'Node.js 24',
    found: () => process.versions.node.startsWith('24.'),
    remedy: `npm has no runtime for ${process.platform}-${process.arch}: install Node.js 24 and run this with it.`,
  },
  java: {
    name: 'Java 17 or newer',
    found: () => version('java', ['-version'], /version "(\d+)/) >= 17,
    remedy: remedy('openjdk-17-jdk-headless', 'openjdk@17'),
  },
  mvn: { name: 'Maven', found: () => runs('mvn', ['--version']), remedy: remedy('maven', 'maven') },
  go: {
    name: 'Go 1.26 or newer',
    found: () => version('go', ['version'], /go1\.(\d+)/) >= 26,
    remedy: MAC ? 'brew install go' : 'See https://go.dev/doc/install (Debian has an older one).',
  },
  cxx: {
    name: 'a C++ compiler and make',
    found: () => (runs('g++', ['--version']) || runs('clang++', ['--version'])) && runs('make', ['--version']),
    remedy: MAC ? 'xcode-select --install' : remedy('g++ make', ''),
  },
  python: { name: 'Python 3', found: () => runs('python3', ['--version']), remedy: remedy('python3', 'python3') },
  postgresUser: {
    name: 'a system user to run Postgres as (it refuses to run as root)',
    found: () => process.getuid?.() !== 0 || postgresUser() !== null,
    remedy: 'useradd --system --no-create-home kubetape   (or name an existing one in KUBETAPE_POSTGRES_USER)',
  },
};

/** @param {Set<string>} needed @returns {{name: string, remedy: string}[]} */
export function missingTools(needed) {
  return [...needed].map((key) => TOOLS[key]).filter((tool) => !tool.found());
}

/** The user under whom Postgres runs when this is root: {name, uid, gid}; null when there is none. */
export function postgresUser() {
  const wanted = process.env.KUBETAPE_POSTGRES_USER;
  const users = readFileSync('/etc/passwd', 'utf8')
    .split('\n')
    .map((line) => line.split(':'));
  for (const name of wanted === undefined ? ['kubetape', 'postgres'] : [wanted]) {
    const user = users.find(([one]) => one === name);
    if (user !== undefined) return { name, uid: Number(user[2]), gid: Number(user[3]) };
  }
  return null;
}

function runs(command, args) {
  return spawnSync(command, args, { stdio: 'ignore' }).status === 0;
}

function version(command, args, pattern) {
  const { stdout, stderr } = spawnSync(command, args, { encoding: 'utf8' });
  return Number(pattern.exec(`${stdout ?? ''}${stderr ?? ''}`)?.[1] ?? 0);
}
