import { readdir, realpath, stat } from 'node:fs/promises';
import { join, sep } from 'node:path';
import { BakeError } from '../../../core/bake-error.js';

/** A folder whose files are served. */
export interface Folder {
  /** Absolute, without links. */
  readonly root: string;
  /** Whether this path (`/a/b`) is that of a regular file in the folder, also after all links were followed. */
  has(path: string): Promise<boolean>;
  /** Paths of the files, 1,000 at most, for hints. */
  list(): Promise<readonly string[]>;
}

const longestList = 1_000;

/** @throws BakeError `FolderNotFound` */
export async function openFolder(path: string): Promise<Folder> {
  const root = await realpath(path).catch(() => undefined);
  if (root === undefined || !(await stat(root)).isDirectory()) {
    throw new BakeError({ code: 'FolderNotFound', message: `there is no folder ${path} to serve`, hint: 'relative paths start at the folder of image.ts' });
  }
  const inside = root.endsWith(sep) ? root : `${root}${sep}`;
  return {
    root,
    async has(served) {
      try {
        const real = await realpath(join(root, served));
        return real.startsWith(inside) && (await stat(real)).isFile();
      } catch {
        return false; // not there, or not for us
      }
    },
    async list() {
      const entries = await readdir(root, { recursive: true, withFileTypes: true }).catch(() => []);
      return entries.filter((entry) => entry.isFile()).slice(0, longestList).map((entry) => `/${join(entry.parentPath, entry.name).slice(inside.length).replaceAll(sep, '/')}`);
    },
  };
}
