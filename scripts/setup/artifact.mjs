/**
 * Things made once per user: in a folder named by version, built beside it and moved into place in one step, so that
 * what is there is whole. A lock keeps two clones from building the same; the lock of a dead process is taken over.
 */
import { mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import process from 'node:process';
import { exists } from './places.mjs';

/**
 * @param {string} folder the artefact, absent until it is whole
 * @param {(building: string) => Promise<void>} build fills the folder it is given
 */
export async function artifact(folder, build) {
  await withLock(`${folder}.lock`, async () => {
    if (exists(folder)) return;
    const building = `${folder}.building`;
    rmSync(building, { recursive: true, force: true });
    mkdirSync(building, { recursive: true });
    await build(building);
    renameSync(building, folder);
  });
}

const LOOK_EVERY_MS = 500;

/** Runs `work` while nobody else holds the lock. */
export async function withLock(file, work) {
  mkdirSync(path.dirname(file), { recursive: true });
  for (;;) {
    try {
      writeFileSync(file, `${process.pid}\n`, { flag: 'wx' });
      break;
    } catch (error) {
      if (error.code !== 'EEXIST') throw error;
    }
    if (!holderLives(file)) {
      // Of several that find the lock dead, the one whose rename succeeds removes it.
      const grave = `${file}.${process.pid}.dead`;
      try {
        renameSync(file, grave);
        rmSync(grave, { force: true });
      } catch (error) {
        if (error.code !== 'ENOENT') throw error;
      }
      continue;
    }
    await new Promise((resolve) => setTimeout(resolve, LOOK_EVERY_MS));
  }
  try {
    return await work();
  } finally {
    rmSync(file, { force: true });
  }
}

function holderLives(file) {
  let pid;
  try {
    pid = Number(readFileSync(file, 'utf8').trim());
  } catch {
    return false;
  }
  // A holder that was killed between creating and writing the file left it empty.
  if (!Number.isInteger(pid) || pid <= 0) return false;
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return error.code === 'EPERM';
  }
}
