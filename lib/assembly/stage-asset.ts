import { createHash } from 'node:crypto';
import { constants, copyFileSync, createReadStream, lstatSync, readdirSync, readFileSync, readlinkSync, type Stats, symlinkSync } from 'node:fs';
import { chmod, copyFile, mkdir, rename, rm, stat, writeFile } from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';
import { setImmediate } from 'node:timers/promises';
import { BakeError } from '../core/bake-error.js';
import { canonicalJson, sha256 } from '../core/json.js';
import type { AssetJson, PendingAssetJson } from '../plan/late.js';

/**
 * Hashes a file or folder of the user's and copies it to `<folder>/<digest>`, where the plan finds it whatever happens to
 * the original. The digest covers names, modes and contents, and nothing else.
 * @throws BakeError `FileNotFound`, `FileNotReadable`, `WrongFileType`
 */
export async function stageAsset(pending: PendingAssetJson['$asset'], project: string, folder: string): Promise<AssetJson> {
  // What bake itself writes is no input, and the stage must not be copied into itself.
  const own = new Set([dirname(folder), join(project, '.bake')]);
  if (pending.content !== undefined) return stageContent(pending.pending, pending.content, folder);
  const path = resolve(project, pending.pending);
  const info = await stat(path).catch((error: NodeJS.ErrnoException) => { throw unreadable(pending.pending, path, error); });
  const type = info.isDirectory() ? 'directory' : 'file';
  if (!info.isDirectory() && !info.isFile()) throw wrongType(pending.pending, 'neither a file nor a folder', 'give a file or a folder');
  if (pending.type !== undefined && pending.type !== type) throw wrongType(pending.pending, `a ${type === 'file' ? 'file' : 'folder'}`, `give a ${pending.type === 'file' ? 'file' : 'folder'}`);
  try {
    const { digest, size } = type === 'file' ? await fileDigest(path, info) : await folderDigest(path, own);
    await stage(join(folder, digest), (part) => (type === 'file' ? copyOne(path, part) : copyFolder(path, part, own)));
    return { $asset: { digest, type, name: basename(path), size } };
  } catch (error) {
    throw BakeError.is(error) ? error : unreadable(pending.pending, path, error as NodeJS.ErrnoException);
  }
}

async function stageContent(name: string, content: string, folder: string): Promise<AssetJson> {
  const digest = entryDigest('file', 0o644, sha256(content));
  await stage(join(folder, digest), (part) => writeFile(part, content, { mode: 0o644 }));
  return { $asset: { digest, type: 'file', name: basename(name), size: Buffer.byteLength(content) } };
}

let parts = 0;

/** Content-addressed, so what is there already is right; a copy becomes visible only when it is whole. */
async function stage(target: string, write: (part: string) => Promise<unknown>): Promise<void> {
  if (await stat(target).then(() => true, () => false)) return;
  const part = `${target}.${process.pid}-${parts++}.part`; // files with the same content are staged at the same time
  await rm(part, { recursive: true, force: true });
  try {
    await write(part);
    await rename(part, target);
  } catch (error) {
    await rm(part, { recursive: true, force: true });
    if (!(await stat(target).then(() => true, () => false))) throw error;
  }
}

async function copyOne(path: string, part: string): Promise<void> {
  await copyFile(path, part, constants.COPYFILE_FICLONE);
  await chmod(part, (await stat(path)).mode & 0o777);
}

/** Not `cp` in one call: it refuses a folder that holds the stage, even if the stage is left out. */
async function copyFolder(folder: string, part: string, own: ReadonlySet<string>): Promise<void> {
  await mkdir(part);
  for (const [index, name] of readdirSync(folder).entries()) {
    if (index % turn === turn - 1) await setImmediate();
    const path = join(folder, name);
    if (own.has(path)) continue;
    const info = lstatSync(path);
    if (info.isDirectory()) await copyFolder(path, join(part, name), own);
    else if (info.isSymbolicLink()) symlinkSync(readlinkSync(path), join(part, name));
    else copyFileSync(path, join(part, name), constants.COPYFILE_FICLONE);
  }
  await chmod(part, (await stat(folder)).mode & 0o777);
}

/** Up to so many bytes a file is read in one go: for a folder of small files that takes a tenth of the time. */
const smallFile = 256 * 1024;
/** After so many entries of a folder others get their turn: a Ctrl-C, a line of progress. */
const turn = 200;

async function fileDigest(path: string, { mode, size: expected }: Stats): Promise<{ digest: string; size: number }> {
  const hash = createHash('sha256');
  if (expected <= smallFile) {
    const content = readFileSync(path);
    return { digest: entryDigest('file', mode, hash.update(content).digest('hex')), size: content.length };
  }
  let size = 0;
  for await (const chunk of createReadStream(path, { highWaterMark: 1024 * 1024 })) {
    hash.update(chunk as Buffer);
    size += (chunk as Buffer).length;
  }
  return { digest: entryDigest('file', mode, hash.digest('hex')), size };
}

async function folderDigest(folder: string, own: ReadonlySet<string>): Promise<{ digest: string; size: number }> {
  const entries: (readonly [string, string])[] = [];
  let total = 0;
  const walk = async (relative: string): Promise<void> => {
    for (const [index, name] of readdirSync(join(folder, relative)).sort().entries()) {
      if (index % turn === turn - 1) await setImmediate();
      const inside = relative === '' ? name : `${relative}/${name}`;
      const path = join(folder, inside);
      if (own.has(path)) continue;
      const info = lstatSync(path);
      if (info.isDirectory()) {
        entries.push([inside, entryDigest('directory', info.mode, '')]);
        await walk(inside);
      } else if (info.isSymbolicLink()) {
        entries.push([inside, entryDigest('link', 0, sha256(readlinkSync(path)))]);
      } else if (info.isFile()) {
        const { digest, size } = await fileDigest(path, info);
        entries.push([inside, digest]);
        total += size;
      } else {
        throw wrongType(path, 'a socket, pipe or device', 'leave it out of the folder');
      }
    }
  };
  await walk('');
  return { digest: entryDigest('directory', (await stat(folder)).mode, sha256(canonicalJson(entries))), size: total };
}

function entryDigest(type: string, mode: number, content: string): string {
  return sha256(`${type} ${(mode & 0o777).toString(8)} ${content}`);
}

function unreadable(given: string, path: string, error: NodeJS.ErrnoException): BakeError {
  if (error.code === 'ENOENT' || error.code === 'ENOTDIR') return new BakeError({ code: 'FileNotFound', message: `"${given}" does not exist`, hint: `bake looked at ${path}: relative paths start at the folder of image.ts`, cause: error });
  return new BakeError({ code: 'FileNotReadable', message: `"${given}" cannot be read: ${error.message}`, hint: 'check its permissions', cause: error });
}

function wrongType(given: string, what: string, hint: string): BakeError {
  return new BakeError({ code: 'WrongFileType', message: `"${given}" is ${what}`, hint });
}

/** Makes the folder that assets are staged in. */
export async function assetFolder(outDir: string): Promise<string> {
  const folder = join(outDir, 'assets');
  await mkdir(folder, { recursive: true });
  return folder;
}
