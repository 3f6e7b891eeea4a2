import { mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { sha256 } from '../../../core/json.js';

const prefix = 'bake-qemu-';
/** A file in the folder that says whose it is. */
const tokenFile = 'token';

/**
 * The folder of a machine's sockets. Its path is short, because that of a socket may have some hundred bytes only, and made of
 * the token, so that what runs is found by it after a crash.
 */
export function controlFolder(token: string): string {
  return join(tmpdir(), `${prefix}${sha256(token).slice(0, 16)}`);
}

/** Makes it new, readable by nobody else. */
export async function makeControlFolder(token: string): Promise<string> {
  const folder = controlFolder(token);
  await removeControlFolder(folder);
  await mkdir(folder, { mode: 0o700 });
  await writeFile(join(folder, tokenFile), token);
  return folder;
}

export function removeControlFolder(folder: string): Promise<void> {
  return rm(folder, { recursive: true, force: true });
}

/** All of this user's, of any run. */
export async function controlFolders(): Promise<readonly { readonly folder: string; readonly token: string }[]> {
  const names = (await readdir(tmpdir())).filter((name) => name.startsWith(prefix));
  const found = await Promise.all(names.map(async (name) => {
    const folder = join(tmpdir(), name);
    return { folder, token: await readFile(join(folder, tokenFile), 'utf8').catch(() => undefined) };
  }));
  return found.flatMap(({ folder, token }) => (token === undefined ? [] : [{ folder, token }]));
}
