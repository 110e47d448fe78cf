#!/usr/bin/env node
/**
 * Starts kubetape with the right Node. Plain JavaScript without dependencies, for any Node from 18 on.
 * The package brings a runtime where npm has one for the platform: its native parts are built for that one.
 */
import { spawn } from 'node:child_process';
import { existsSync, readFileSync, realpathSync } from 'node:fs';
import * as nodeModule from 'node:module';
import os from 'node:os';
import path from 'node:path';
import process from 'node:process';
import { fileURLToPath, pathToFileURL } from 'node:url';

const WANTED_MAJOR = 24;
/** Set for the runtime that was chosen: whatever it is, it does not choose again. */
const CHOSEN = '_KUBETAPE_RUNTIME';
const root = path.dirname(path.dirname(fileURLToPath(import.meta.url)));

/** The runtime next to us, or null. */
function bundledRuntime() {
  try {
    const file = nodeModule.createRequire(import.meta.url).resolve(`node-${process.platform}-${process.arch}/package.json`);
    const binary = path.join(path.dirname(file), 'bin', 'node');
    return existsSync(binary) ? { binary, version: JSON.parse(readFileSync(file, 'utf8')).version } : null;
  } catch {
    return null;
  }
}

/** Node strips no types below node_modules: there the package has a dist/. */
function mainModule() {
  const source = path.join(root, 'src', 'main.ts');
  const installed = root.split(path.sep).includes('node_modules');
  return !installed && existsSync(source) ? source : path.join(root, 'dist', 'main.js');
}

function runWith(binary) {
  const args = [process.argv[1], ...process.argv.slice(2)];
  const child = spawn(binary, args, { stdio: 'inherit', env: { ...process.env, [CHOSEN]: '1' } });
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP', 'SIGQUIT', 'SIGUSR2']) process.on(signal, () => child.kill(signal));
  child.on('error', (error) => {
    process.stderr.write(`kubetape: cannot start ${binary}: ${error.code}\n`);
    process.exit(1);
  });
  child.on('exit', (code, signal) => process.exit(code ?? 128 + (os.constants.signals[signal] ?? 0)));
}

const bundled = process.env[CHOSEN] ? null : bundledRuntime();
const own = bundled !== null && realpathSync(process.execPath) === realpathSync(bundled.binary);

if (bundled !== null && !own && bundled.version !== process.versions.node) {
  runWith(bundled.binary);
} else if (Number(process.versions.node.split('.')[0]) < WANTED_MAJOR) {
  process.stderr.write(
    `kubetape needs Node ${WANTED_MAJOR} or newer; this is ${process.versions.node}.\nInstall it from https://nodejs.org, or with your package manager, and run the same command again.\n`,
  );
  process.exit(1);
} else {
  // What was compiled once need not be compiled at the next start.
  nodeModule.enableCompileCache?.();
  await import(pathToFileURL(mainModule()).href);
}
