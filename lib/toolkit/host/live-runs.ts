import { randomBytes } from 'node:crypto';
import { chmod, link, mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { BakeError } from '../../core/bake-error.js';
import type { Exec } from '../../core/ports.js';
import type { ProcessIdentity } from '../../engine/run-store.js';
import { isAlive } from './processes.js';

/**
 * The runs that are going on on this computer, of all projects: one small file each. A scan for stamps meets things of
 * other projects too, and must not take them from a run that is alive.
 */
const folder = join(tmpdir(), 'bake-live-runs');

/**
 * Marks a run as going on, until the function that it gives is called.
 * @throws BakeError `LiveRunsNotWritable` if the folder of the marks is not as bake makes it
 */
export async function announceRun(run: string, identity: ProcessIdentity): Promise<() => Promise<void>> {
  const path = join(folder, basename(run));
  // For every user of this computer, whatever the umask of the first; each may remove only what is his own.
  try {
    if ((await mkdir(folder, { recursive: true })) !== undefined) await chmod(folder, 0o1777);
    await writeFile(path, JSON.stringify(identity), { flag: 'wx' }); // never through a link that somebody put there
  } catch (error) {
    throw notWritable(error as NodeJS.ErrnoException);
  }
  return () => rm(path, { force: true });
}

/**
 * Stands for this folder of marks. A thing in the cloud that carries another one is of a computer, or a container, whose runs
 * cannot be seen from here: whether its run is alive is not known.
 */
export async function homeOfRuns(): Promise<string> {
  const path = join(folder, '.home');
  const known = await readFile(path, 'utf8').catch(() => undefined);
  if (known !== undefined) return known;
  const mark = randomBytes(8).toString('hex');
  try {
    if ((await mkdir(folder, { recursive: true })) !== undefined) await chmod(folder, 0o1777);
    await writeFile(`${path}-${mark}`, mark, { flag: 'wx' });
    await chmod(`${path}-${mark}`, 0o644); // whatever the umask: every user of this computer reads it
    await link(`${path}-${mark}`, path).catch((error: NodeJS.ErrnoException) => { if (error.code !== 'EEXIST') throw error; }); // whole at once, and the first one counts
    await rm(`${path}-${mark}`);
  } catch (error) {
    throw notWritable(error as NodeJS.ErrnoException);
  }
  return readFile(path, 'utf8');
}

function notWritable(error: NodeJS.ErrnoException): BakeError {
  const hint = error.code === 'EACCES' || error.code === 'EPERM'
    ? `let every user of this computer write there: its owner or root runs "chmod 1777 ${folder}"`
    : `${folder} must be a folder that every user of this computer may write to, on a disk with space left`;
  return new BakeError({ code: 'LiveRunsNotWritable', source: 'platform', message: `this run cannot be marked as going on in ${folder}: ${error.message}`, hint, cause: error });
}

export async function isRunAlive(run: string, exec: Exec): Promise<boolean> {
  try {
    return await isAlive(JSON.parse(await readFile(join(folder, basename(run)), 'utf8')) as ProcessIdentity, exec);
  } catch {
    return false; // no such file: it has ended, or never ran here
  }
}
