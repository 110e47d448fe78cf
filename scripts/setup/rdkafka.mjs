/**
 * node-rdkafka is compiled against the runtime's headers, which takes more than a minute. The result is kept per
 * (node-rdkafka, Node, platform), so that the next clone copies it.
 */
import { spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, readdirSync, rmSync } from 'node:fs';
import path from 'node:path';
import process from 'node:process';
import { artifact } from './artifact.mjs';
import { CACHE, exists, PACKAGE, PLATFORM, ROOT, runtimeBinary, runtimeHome, RUNTIME_VERSION } from './places.mjs';
import { runTool } from './progress.mjs';

const BUILD = path.join(ROOT, 'node_modules', 'node-rdkafka', 'build');
const NODE = RUNTIME_VERSION ?? process.versions.node;
const KEPT = path.join(CACHE, `node-rdkafka-${PACKAGE.dependencies['node-rdkafka']}-node-${NODE}-${PLATFORM}`);
/** Written last: a build that was interrupted has none. */
const MARK = path.join(BUILD, `kubetape-node-${NODE}`);

export function rdkafkaReady() {
  return exists(MARK) && exists(path.join(BUILD, 'Release', 'node-librdkafka.node'));
}

/** Was it compiled before, for another clone? */
export function rdkafkaKept() {
  return exists(KEPT);
}

export async function installRdkafka() {
  await artifact(KEPT, async (building) => {
    const env = {
      PATH: `${path.dirname(runtimeBinary())}${path.delimiter}${process.env.PATH ?? ''}`,
      npm_config_nodedir: runtimeHome(),
      // A parallel make breaks the build of librdkafka.
      JOBS: '1',
    };
    await runTool('node-rdkafka', 'npm', ['rebuild', 'node-rdkafka', '--loglevel=error', '--foreground-scripts'], { cwd: ROOT, env });
    copyResult(BUILD, building);
  });
  rmSync(BUILD, { recursive: true, force: true });
  copyResult(KEPT, BUILD);
  const load = spawnSync(runtimeBinary(), ['-e', "require('node-rdkafka')"], { cwd: ROOT, encoding: 'utf8' });
  if (load.status !== 0) {
    rmSync(KEPT, { recursive: true, force: true });
    throw new Error(
      `node-rdkafka was built but does not load; run this again to build it anew.\n${load.stderr.trim().split('\n').slice(-5).join('\n')}`,
    );
  }
  mkdirSync(MARK, { recursive: true });
}

/** The addon, and the shared libraries that it looks for in ../deps. */
function copyResult(from, to) {
  mkdirSync(path.join(to, 'Release'), { recursive: true });
  mkdirSync(path.join(to, 'deps'), { recursive: true });
  cpSync(path.join(from, 'Release', 'node-librdkafka.node'), path.join(to, 'Release', 'node-librdkafka.node'));
  for (const name of readdirSync(path.join(from, 'deps'))) {
    if (/\.(so(\.\d+)*|dylib)$/.test(name)) cpSync(path.join(from, 'deps', name), path.join(to, 'deps', name), { verbatimSymlinks: true });
  }
}
