import { posix } from 'node:path';
import type { Transfer } from './transfer.js';

/** In memory in every container, `/dev/shm` with it. */
const always = ['/dev'];
/** More links than this in one path are a loop; the kernel's own limit. */
const mostLinks = 40;

/**
 * Whether a path lies in a memory file system: in `/dev` or one of `tmpfs`, be it through links. The links are looked for
 * only if there are folders of one's own to lead to: every component costs a call.
 */
export async function leadsIntoMemory(archive: Pick<Transfer, 'stat'>, path: string, tmpfs: readonly string[] = [], signal?: AbortSignal): Promise<boolean> {
  const folders = [...always, ...tmpfs].map((folder) => posix.resolve('/', folder));
  const isIn = (one: string) => folders.some((folder) => one === folder || one.startsWith(`${folder}/`));
  if (isIn(path) || tmpfs.length === 0) return isIn(path);
  const todo = namesOf(path);
  let here = '/';
  for (let links = 0; todo.length > 0 && !isIn(here);) {
    here = posix.join(here, todo.shift()!);
    const facts = isIn(here) ? undefined : await archive.stat(here, signal);
    if (facts === undefined) break; // it is in memory, or not there yet and no link
    if (facts.type !== 'symlink' || facts.linkTarget === undefined) continue;
    if (++links > mostLinks) return false;
    todo.unshift(...namesOf(posix.resolve(posix.dirname(here), facts.linkTarget)));
    here = '/';
  }
  return isIn(here);
}

function namesOf(path: string): string[] {
  return path.split('/').filter((name) => name !== '');
}
