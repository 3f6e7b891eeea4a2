import { constants } from 'node:fs';
import { chmod, copyFile, lstat, mkdir, readdir, readlink, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { BakeError } from '../../../core/bake-error.js';
import type { StagedAsset } from '../../../plan/late.js';

/** What is to be on a medium. */
export interface MediumContents {
  readonly files?: readonly { readonly asset: StagedAsset; readonly contents: boolean }[] | undefined;
  /** Texts by path. */
  readonly content?: Readonly<Record<string, string | Uint8Array>> | undefined;
}

/** One thing on a medium; a folder comes before what is in it. */
export interface MediumEntry {
  /** From the medium's root, with slashes. */
  readonly path: string;
  /** Bytes; 0 for what is no file. */
  readonly size: number;
  readonly what:
    | { readonly type: 'directory' }
    | { readonly type: 'link'; readonly target: string }
    | { readonly type: 'file'; readonly source: string; readonly executable: boolean }
    | { readonly type: 'text'; readonly text: string | Uint8Array };
}

/**
 * Looks at what a medium is to hold; reads no file and writes nothing.
 * @param sameName how a name is compared: where two names are the same, so are two files
 * @throws BakeError `MediumConflict` if two files have one path
 */
export async function planTree({ files = [], content = {} }: MediumContents, sameName: (path: string) => string = (path) => path): Promise<readonly MediumEntry[]> {
  const taken = new Map<string, MediumEntry>();
  const take = (entry: MediumEntry) => {
    const other = taken.get(sameName(entry.path));
    if (other?.path === entry.path && other.what.type === 'directory' && entry.what.type === 'directory') return;
    if (other !== undefined) throw conflict(other.path, entry.path);
    taken.set(sameName(entry.path), entry);
  };
  const add = async (source: string, path: string): Promise<void> => {
    const info = await lstat(source);
    if (info.isDirectory()) {
      take({ path, size: 0, what: { type: 'directory' } });
      await addContents(source, `${path}/`);
    } else if (info.isSymbolicLink()) take({ path, size: 0, what: { type: 'link', target: await readlink(source) } });
    else take({ path, size: info.size, what: { type: 'file', source, executable: (info.mode & 0o111) !== 0 } });
  };
  const addContents = async (source: string, prefix: string): Promise<void> => {
    for (const name of (await readdir(source)).sort()) await add(join(source, name), `${prefix}${name}`);
  };
  const addText = (path: string, text: string | Uint8Array) => {
    const parts = path.split('/');
    for (let depth = 1; depth < parts.length; depth++) take({ path: parts.slice(0, depth).join('/'), size: 0, what: { type: 'directory' } });
    take({ path, size: Buffer.byteLength(text), what: { type: 'text', text } });
  };
  for (const { asset, contents } of files) await (contents && asset.type === 'directory' ? addContents(asset.path, '') : add(asset.path, asset.name));
  for (const [path, text] of Object.entries(content)) addText(path, text);
  return [...taken.values()];
}

/** Writes a tree into `root`, a new folder, readable for its owner alone. A file that can be executed stays so. */
export async function writeTree(root: string, entries: readonly MediumEntry[]): Promise<void> {
  await mkdir(root, { mode: 0o700 });
  for (const { path, what } of entries) {
    const target = join(root, path);
    if (what.type === 'directory') await mkdir(target, { mode: 0o700 });
    else if (what.type === 'link') await symlink(what.target, target);
    else if (what.type === 'text') await writeFile(target, what.text, { mode: 0o600, flag: 'wx' });
    else {
      await copyFile(what.source, target, constants.COPYFILE_FICLONE);
      await chmod(target, what.executable ? 0o700 : 0o600);
    }
  }
}

function conflict(one: string, other: string): BakeError {
  const both = one === other ? `"${one}" twice` : `"${one}" and "${other}", which are one name there`;
  return new BakeError({ code: 'MediumConflict', message: `the medium would have ${both}`, hint: 'give each file a name of its own' });
}
