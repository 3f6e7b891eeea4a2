import { lstat, readFile, realpath } from 'node:fs/promises';
import { BakeError } from '../../../../core/bake-error.js';
import { shellQuote } from '../../../../core/quote.js';
import { commandFailure } from './command-failure.js';
import { runInSpaces, type SpacesHost } from './spaces.js';

/**
 * Removes a folder with a tree in it. What bake mounts is never seen from here, so a mount below the folder is somebody
 * else's: then nothing is removed, because what is mounted there would be removed with it.
 * @throws BakeError `TreeMounted`, `TreeNotRemoved`
 */
export async function removeTree(folder: string, host: SpacesHost): Promise<void> {
  const facts = await lstat(folder).catch(() => undefined);
  if (facts === undefined) return;
  const real = await realpath(folder);
  const mounts = await mountsIn(real);
  if (mounts.length > 0) {
    throw new BakeError({ code: 'TreeMounted', message: `something is mounted in ${folder}: ${mounts.join(', ')}`, hint: `unmount it, then run "bake clean": ${mounts.map((mount) => `umount ${shellQuote(mount)}`).reverse().join(' && ')}` });
  }
  const result = await runInSpaces(host, ['rm', '-rf', '--one-file-system', '--', folder]);
  if (result.code !== 0) throw commandFailure(result, { code: 'TreeNotRemoved', what: `${folder} could not be removed`, where: folder, hint: 'run bake as the user who made it, and see whether files in it are immutable (lsattr)' });
}

/** Mount points at or below a folder, in this process's namespace. */
async function mountsIn(folder: string): Promise<readonly string[]> {
  const table = await readFile('/proc/self/mountinfo', 'utf8');
  // Fields: id, parent, device, root, mount point (white space as octal), …
  const points = table.split('\n').map((line) => (line.split(' ')[4] ?? '').replace(/\\([0-7]{3})/g, (_, octal: string) => String.fromCharCode(Number.parseInt(octal, 8))));
  return points.filter((point) => point === folder || point.startsWith(`${folder}/`));
}
