import { lstat, readlink } from 'node:fs/promises';
import { join, posix } from 'node:path';
import { BakeError } from '../../../../core/bake-error.js';

/** More links than this in one path are a loop; the kernel's own limit. */
const mostLinks = 40;

/**
 * Where a path of a root tree lies on this computer, its links followed as the machine will follow them: an absolute one
 * starts at the tree's root, and `..` never leads out of it, so nothing is read or written outside. What is not there is
 * taken as it is written.
 * @throws BakeError `UnsafeTree` if links lead in a circle
 */
export async function inTree(tree: string, path: string): Promise<string> {
  const todo = partsOf(path);
  let here = '/';
  for (let links = 0; todo.length > 0;) {
    const next = posix.join(here, todo.shift()!);
    const facts = await lstat(join(tree, next)).catch(() => undefined);
    if (facts?.isSymbolicLink() !== true) {
      here = next;
      continue;
    }
    if (++links > mostLinks) throw new BakeError({ code: 'UnsafeTree', message: `the links of ${path} in the root tree lead in a circle`, hint: 'mend them in the image that makes the tree' });
    const target = await readlink(join(tree, next));
    if (target.startsWith('/')) here = '/';
    todo.unshift(...partsOf(target));
  }
  return join(tree, here);
}

function partsOf(path: string): string[] {
  return path.split('/').filter((part) => part !== '' && part !== '.');
}
