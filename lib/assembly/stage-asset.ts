import { mkdir, rename, rm, stat, writeFile } from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';
import { BakeError } from '../core/bake-error.js';
import { sha256 } from '../core/json.js';
import type { AssetJson, PendingAssetJson } from '../plan/late.js';
import { copyHashed } from './copy-hashed.js';
import { DigestCache } from './digest-cache.js';
import { entryDigest, type Measured } from './entry-digest.js';
import { fileState } from './file-state.js';
import { FolderAsset } from './folder-asset.js';
import { unreadable, wrongType } from './stage-error.js';

export interface Stage {
  /** The folder that assets are relative to, with the `.bake` that remembers their digests. */
  readonly project: string;
  /** Where copies go: `assetFolder`. */
  readonly folder: string;
  /** Milliseconds. @default Date.now */
  readonly now?: () => number;
}

/**
 * Hashes a file or folder of the user's and copies it to `<folder>/<digest>`, where the plan finds it whatever happens to
 * the original. The digest covers names, modes and contents, and nothing else. What is staged and did not change since is
 * not read again.
 * @throws BakeError `FileNotFound`, `FileNotReadable`, `FileChanging`, `WrongFileType`, `StageNotWritable`
 */
export async function stageAsset(pending: PendingAssetJson['$asset'], stage: Stage): Promise<AssetJson> {
  if (pending.content !== undefined) return stageContent(pending.pending, pending.content, stage.folder);
  const path = resolve(stage.project, pending.pending);
  const info = await stat(path).catch((error: NodeJS.ErrnoException) => { throw unreadable(pending.pending, path, stage.folder, error); });
  const type = info.isDirectory() ? 'directory' : 'file';
  if (!info.isDirectory() && !info.isFile()) throw wrongType(pending.pending, 'neither a file nor a folder', 'give a file or a folder');
  if (pending.type !== undefined && pending.type !== type) throw wrongType(pending.pending, `a ${type === 'file' ? 'file' : 'folder'}`, `give a ${pending.type === 'file' ? 'file' : 'folder'}`);
  try {
    const cache = await DigestCache.open(stage.project, path);
    const { digest, size } = type === 'file' ? await stageFile(path, cache, stage) : await stageFolder(path, cache, stage);
    await cache.save();
    return { $asset: { digest, type, name: basename(path), size } };
  } catch (error) {
    throw BakeError.is(error) ? error : unreadable(pending.pending, path, stage.folder, error as NodeJS.ErrnoException);
  }
}

async function stageFile(path: string, cache: DigestCache, { folder, now = Date.now }: Stage): Promise<Measured> {
  const found = fileState(await stat(path));
  const known = cache.get('', found);
  if (known !== undefined) {
    const measured = { digest: entryDigest('file', found.mode, known), size: found.size };
    if (await isStaged(folder, measured)) return measured;
  }
  return place(folder, async (part) => {
    const readAt = now();
    const hashed = await copyHashed(path, found, { path: part, modeMask: 0o777 });
    cache.set('', hashed, readAt);
    return { digest: entryDigest('file', hashed.state.mode, hashed.hash), size: hashed.size };
  });
}

async function stageFolder(path: string, cache: DigestCache, { project, folder: stage, now = Date.now }: Stage): Promise<Measured> {
  // What bake itself writes is no input, and the stage must not be copied into itself.
  const folder = await FolderAsset.list(path, { own: new Set([dirname(stage), join(project, '.bake')]), cache, now });
  const measured = await folder.measure();
  if (measured !== undefined && await isStaged(stage, measured)) return measured;
  return place(stage, (part) => folder.copyTo(part), (part) => folder.setModes(part));
}

async function stageContent(name: string, content: string, folder: string): Promise<AssetJson> {
  const measured = { digest: entryDigest('file', 0o644, sha256(content)), size: Buffer.byteLength(content) };
  if (!(await isStaged(folder, measured))) await place(folder, async (part) => {
    await writeFile(part, content, { mode: 0o644 });
    return measured;
  });
  return { $asset: { ...measured, type: 'file', name: basename(name) } };
}

let parts = 0;

/**
 * Makes a copy under a name of its own, whose digest is known only then. It becomes visible when it is whole; content-addressed,
 * so what is there already is right, and goes before it. `finish` is for what would be in the way of its removal.
 */
async function place(folder: string, write: (part: string) => Promise<Measured>, finish?: (part: string) => Promise<void>): Promise<Measured> {
  const part = join(folder, `${process.pid}-${parts++}.part`);
  await rm(part, { recursive: true, force: true });
  try {
    const measured = await write(part);
    if (await isStaged(folder, measured)) return measured;
    await finish?.(part);
    // Files with the same content are staged at the same time.
    await rename(part, join(folder, measured.digest)).catch(async (error: unknown) => { if (!(await isStaged(folder, measured))) throw error; });
    return measured;
  } finally {
    await rm(part, { recursive: true, force: true });
  }
}

/** The size is looked at because a file may be shorter after a power failure than it was written. */
async function isStaged(folder: string, { digest, size }: Measured): Promise<boolean> {
  return stat(join(folder, digest)).then((info) => info.isDirectory() || info.size === size, () => false);
}

/** Makes the folder that assets are staged in. */
export async function assetFolder(outDir: string): Promise<string> {
  const folder = join(outDir, 'assets');
  await mkdir(folder, { recursive: true });
  return folder;
}
