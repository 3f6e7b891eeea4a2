import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import type { Exec } from '../../core/ports.js';
import type { ProcessIdentity } from '../../engine/run-store.js';
import { isAlive } from './processes.js';

/**
 * The runs that are going on on this computer, of all projects: one small file each. A scan for stamps meets things of
 * other projects too, and must not take them from a run that is alive.
 */
const folder = join(tmpdir(), 'bake-live-runs');

export async function announceRun(run: string, identity: ProcessIdentity): Promise<() => Promise<void>> {
  const path = join(folder, basename(run));
  await mkdir(folder, { recursive: true, mode: 0o777 });
  await writeFile(path, JSON.stringify(identity));
  return () => rm(path, { force: true });
}

export async function isRunAlive(run: string, exec: Exec): Promise<boolean> {
  try {
    return await isAlive(JSON.parse(await readFile(join(folder, basename(run)), 'utf8')) as ProcessIdentity, exec);
  } catch {
    return false; // no such file: it has ended, or never ran here
  }
}
