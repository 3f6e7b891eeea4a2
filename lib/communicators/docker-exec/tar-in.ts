import { chmod, lstat, mkdir, readFile, realpath, rm, symlink, writeFile } from 'node:fs/promises';
import { createWriteStream } from 'node:fs';
import { dirname, join, normalize, resolve, sep } from 'node:path';
import { pipeline } from 'node:stream/promises';
import type { Readable } from 'node:stream';
import type { Extract } from 'tar-stream';
import type { TransferOptions } from '../../core/communicator.js';
import { counting } from './counting.js';

const permissions = 0o7777;

/** Writes the only file of a tar stream to a local path; nothing is left there if it fails. */
export async function fileFromTar(tar: Readable, destination: string, { onProgress, signal }: TransferOptions): Promise<void> {
  let found = false;
  try {
    for await (const entry of await entriesOf(tar, signal)) {
      const { type, mode, size } = entry.header;
      if (found || type !== 'file') {
        entry.resume();
        if (!found) throw new Error(`it is no file but a ${type ?? 'thing without a type'}`);
        continue;
      }
      found = true;
      let received = 0;
      await pipeline(entry, counting((bytes) => onProgress?.(received += bytes, size)), createWriteStream(destination, { mode: 0o600 }));
      await chmod(destination, (mode ?? 0o644) & permissions);
    }
    if (!found) throw new Error('the archive is empty');
  } catch (error) {
    if (found) await rm(destination, { force: true });
    throw error;
  } finally {
    tar.destroy();
  }
}

/**
 * Writes what is in a tar stream into a local folder. The archive comes from a machine and is not trusted: no name leads
 * out of the folder, and links are made last, so that nothing is written through one, nor through one that was there before.
 */
export async function folderFromTar(tar: Readable, destination: string, { onProgress, signal }: TransferOptions): Promise<void> {
  const root = resolve(destination);
  const links: (() => Promise<void>)[] = [];
  const modes: (() => Promise<void>)[] = [];
  let received = 0;
  try {
    await mkdir(root, { recursive: true });
    for await (const entry of await entriesOf(tar, signal)) {
      const { name, type, mode = 0o644, linkname } = entry.header;
      const path = inside(root, name);
      if (path !== undefined && path !== root) {
        await makeParents(root, path);
        if (type === 'directory') {
          await makeWay(path, 'directory');
          await mkdir(path, { recursive: true });
          modes.push(() => chmod(path, mode & permissions)); // last, as it may forbid writing into it
        } else if (type === 'file' || type === 'contiguous-file') {
          await makeWay(path, 'file');
          await pipeline(entry, counting((bytes) => onProgress?.(received += bytes)), createWriteStream(path, { mode: 0o600 }));
          await chmod(path, mode & permissions);
        } else if (type === 'symlink' && typeof linkname === 'string') {
          links.push(async () => { await makeWay(path, 'link'); await symlink(linkname, path); });
        } else if (type === 'link' && typeof linkname === 'string') {
          const target = inside(root, linkname);
          if (target !== undefined) links.unshift(async () => { await requireInside(root, target); await makeWay(path, 'link'); await writeFile(path, await readFile(target), { mode: mode & permissions }); });
        }
      }
      entry.resume();
    }
    for (const make of [...links, ...modes.reverse()]) await make();
  } finally {
    tar.destroy();
  }
}

/** What is in a tar stream. It has to be read at once: what comes before somebody reads is lost. */
async function entriesOf(tar: Readable, signal: AbortSignal | undefined): Promise<Extract> {
  const { extract } = await import('tar-stream');
  const entries = extract();
  tar.on('error', (error: Error) => entries.destroy(error));
  const stop = () => entries.destroy(signal?.reason as Error);
  signal?.addEventListener('abort', stop, { once: true });
  tar.once('close', () => signal?.removeEventListener('abort', stop));
  tar.pipe(entries);
  return entries;
}

/** The local path of an archive's name, or undefined if it leads out of the folder. */
function inside(root: string, name: string): string | undefined {
  const path = join(root, normalize(`/${name}`));
  return path === root || path === root + sep ? root : path.startsWith(root + sep) ? path.replace(/[/\\]+$/, '') : undefined;
}

/** Makes the folders above a path. A link that an earlier archive left there would lead out, so it makes room for a folder. */
async function makeParents(root: string, path: string): Promise<void> {
  let here = root;
  for (const name of dirname(path).slice(root.length).split(sep).filter((part) => part !== '')) {
    here = join(here, name);
    await makeWay(here, 'directory');
    await mkdir(here, { recursive: true });
  }
}

async function requireInside(root: string, target: string): Promise<void> {
  if (!(await realpath(target)).startsWith(join(await realpath(root), sep))) throw new Error(`${target} leads out of the folder`);
}

/** Removes what stands in the way; a link in particular, which would lead the write elsewhere. */
async function makeWay(path: string, wanted: 'directory' | 'file' | 'link'): Promise<void> {
  const there = await lstat(path).catch(() => undefined);
  if (there === undefined || (wanted === 'directory' && there.isDirectory())) return;
  if (there.isDirectory()) throw new Error(`${path} is a folder, and the archive has a ${wanted} there`);
  await rm(path, { force: true });
}
