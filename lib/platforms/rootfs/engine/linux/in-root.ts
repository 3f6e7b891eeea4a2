import { lstat, readlink } from 'node:fs/promises';
import { join, posix } from 'node:path';

/** More links than this in one path are a loop; the kernel's own limit. */
const mostLinks = 40;

/**
 * Where a path of a tree lies on this computer, its links followed as a process inside would follow them: an absolute
 * link starts at the tree's root, and `..` never leaves it. What does not exist yet is taken as it is written. Only for
 * trees in which nothing runs: a link made in the meantime is not seen.
 * @throws Error if links lead in a circle
 */
export async function inRoot(root: string, path: string): Promise<string> {
  const todo = path.split('/').filter((name) => name !== '' && name !== '.');
  let here = '/';
  for (let links = 0; todo.length > 0;) {
    const name = todo.shift()!;
    if (name === '..') {
      here = posix.dirname(here);
      continue;
    }
    const next = posix.join(here, name);
    const target = await linkTarget(join(root, next));
    if (target === undefined) {
      here = next;
      continue;
    }
    if (++links > mostLinks) throw new Error(`${path} leads in a circle in ${root}`);
    if (target.startsWith('/')) here = '/';
    todo.unshift(...target.split('/').filter((part) => part !== '' && part !== '.'));
  }
  return here === '/' ? root : join(root, here);
}

async function linkTarget(path: string): Promise<string | undefined> {
  const facts = await lstat(path).catch(() => undefined);
  return facts?.isSymbolicLink() ? readlink(path) : undefined;
}
