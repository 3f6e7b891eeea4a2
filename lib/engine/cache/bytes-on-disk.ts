import { lstat, readdir } from 'node:fs/promises';
import { join } from 'node:path';

/** What `stat` counts in, whatever the file system's own blocks are (POSIX leaves it open; Linux, macOS and the BSDs agree). */
const block = 512;

/**
 * Bytes that a file or folder really takes: holes take none, and what several names lead to counts once.
 * @param seen what was counted before; what is counted now is added
 */
export async function bytesOnDisk(path: string, seen: Set<string>): Promise<number> {
  const facts = await lstat(path).catch(() => undefined); // it may go while it is looked at
  if (facts === undefined) return 0;
  if (facts.isDirectory()) {
    let sum = 0;
    for (const name of await readdir(path).catch((): string[] => [])) sum += await bytesOnDisk(join(path, name), seen);
    return sum + taken(facts);
  }
  const id = `${facts.dev}:${facts.ino}`;
  if (facts.nlink > 1 && seen.has(id)) return 0;
  seen.add(id);
  return taken(facts);
}

/** Windows does not tell blocks. */
function taken({ blocks, size }: { readonly blocks?: number; readonly size: number }): number {
  return blocks === undefined ? size : blocks * block;
}
