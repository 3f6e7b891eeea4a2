import { mkdtemp, readdir, rename, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/**
 * A folder that takes long to fill, made once for all tests of this machine: under another name and then renamed, so
 * that whoever looks sees it whole or not at all. Of several who make it at the same time the first one's stays.
 * `name` changes with what is in it.
 */
export async function madeOnce(name: string, fill: (folder: string) => Promise<void>): Promise<string> {
  const target = join(tmpdir(), `bake-test-${name}`);
  if (await isThere(target)) return target;
  const part = await mkdtemp(`${target}.part-`);
  try {
    await fill(part);
    await rename(part, target);
  } catch (error) {
    await rm(part, { recursive: true, force: true });
    if (!(await isThere(target))) throw error;
  }
  return target;
}

async function isThere(folder: string): Promise<boolean> {
  return (await stat(folder).catch(() => undefined)) !== undefined && (await readdir(folder)).length > 0;
}
