import { lstatSync, mkdirSync, readdirSync, readlinkSync, symlinkSync } from 'node:fs';
import { chmod, mkdir, stat } from 'node:fs/promises';
import { join, sep } from 'node:path';
import { setImmediate } from 'node:timers/promises';
import { sha256 } from '../core/json.js';
import { copyHashed, type Hashed } from './copy-hashed.js';
import type { DigestCache } from './digest-cache.js';
import { description, entryDigest, type Measured } from './entry-digest.js';
import { type FileState, fileState } from './file-state.js';
import { wrongType } from './stage-error.js';

export interface FolderOptions {
  /** Paths that are left out. */
  readonly own: ReadonlySet<string>;
  readonly cache: DigestCache;
  /** Milliseconds. */
  readonly now: () => number;
}

/** What is in the folder, by its path in it: parents first, and each folder's entries in the order of their names. */
type Entry = { readonly name: string } & (
  | { readonly type: 'directory'; readonly mode: number }
  | { readonly type: 'link'; readonly target: string }
  | { readonly type: 'file'; readonly state: FileState }
);

/** After so many entries of a folder others get their turn: a Ctrl-C, a line of progress. */
const turn = 200;
/** Opening a file costs as much as reading so many bytes of it. */
const openingCost = 16 * 1024;

/** A folder of the user's, listed once. */
export class FolderAsset {
  readonly #path: string;
  readonly #mode: number;
  readonly #entries: readonly Entry[];
  readonly #options: FolderOptions;

  /** @throws BakeError `WrongFileType` if there is something in it that cannot be copied */
  static async list(path: string, options: FolderOptions): Promise<FolderAsset> {
    const entries: Entry[] = [];
    const walk = async (folder: string): Promise<void> => {
      for (const [index, base] of readdirSync(join(path, folder)).sort().entries()) {
        if (index % turn === turn - 1) await setImmediate();
        const name = folder === '' ? base : `${folder}/${base}`;
        const here = `${path}${sep}${name}`;
        if (options.own.has(here)) continue;
        const info = lstatSync(here);
        if (info.isDirectory()) {
          entries.push({ name, type: 'directory', mode: info.mode });
          await walk(name);
        } else if (info.isSymbolicLink()) {
          entries.push({ name, type: 'link', target: readlinkSync(here) });
        } else if (info.isFile()) {
          entries.push({ name, type: 'file', state: fileState(info) });
        } else {
          throw wrongType(here, 'a socket, pipe or device', 'leave it out of the folder');
        }
      }
    };
    await walk('');
    return new FolderAsset(path, (await stat(path)).mode, entries, options);
  }

  private constructor(path: string, mode: number, entries: readonly Entry[], options: FolderOptions) {
    this.#path = path;
    this.#mode = mode;
    this.#entries = entries;
    this.#options = options;
  }

  /** Reads what is not known; undefined if so much is new that the whole had better be copied in the same pass. */
  async measure(): Promise<Measured | undefined> {
    const { cache } = this.#options;
    let [known, unknown] = [0, 0];
    for (const entry of this.#entries) {
      if (entry.type !== 'file') continue;
      const cost = entry.state.size + openingCost;
      // A folder that is made anew for each run, as by a compiler, mostly holds what it held.
      if (cache.get(entry.name, entry.state) !== undefined || cache.hadSize(entry.name, entry.state.size)) known += cost;
      else unknown += cost;
    }
    if (unknown > known) return undefined;
    return this.#digest((name, state) => {
      const hash = cache.get(name, state);
      return hash === undefined ? this.#read(name, state) : { hash, size: state.size, state };
    });
  }

  /** Copies it to a folder that does not exist yet, with all modes but those of folders. */
  async copyTo(part: string): Promise<Measured> {
    await mkdir(part, { mode: 0o700 });
    for (const { name, ...entry } of this.#entries) {
      if (entry.type === 'directory') mkdirSync(join(part, name), { mode: 0o700 });
      else if (entry.type === 'link') symlinkSync(entry.target, join(part, name));
    }
    return this.#digest((name, state) => this.#read(name, state, join(part, name)));
  }

  /** Folders may be such that nobody can write to them: so they get their modes last, the innermost first. */
  async setModes(part: string): Promise<void> {
    for (const entry of this.#entries.toReversed()) if (entry.type === 'directory') await chmod(join(part, entry.name), entry.mode & 0o777);
    await chmod(part, this.#mode & 0o777);
  }

  async #read(name: string, found: FileState, copy?: string): Promise<Hashed> {
    const { cache, now } = this.#options;
    const readAt = now();
    const hashed = await copyHashed(join(this.#path, name), found, copy === undefined ? undefined : { path: copy, modeMask: 0o7777 });
    cache.set(name, hashed, readAt);
    return hashed;
  }

  async #digest(read: (name: string, state: FileState) => Hashed | Promise<Hashed>): Promise<Measured> {
    const list: (readonly [name: string, what: string])[] = [];
    let total = 0;
    for (const [index, { name, ...entry }] of this.#entries.entries()) {
      if (index % turn === turn - 1) await setImmediate();
      if (entry.type === 'directory') {
        list.push([name, description('directory', entry.mode)]);
      } else if (entry.type === 'link') {
        list.push([name, description('link', 0, entry.target)]);
      } else {
        const { hash, size, state } = await read(name, entry.state);
        list.push([name, description('file', state.mode, hash)]);
        total += size;
      }
    }
    return { digest: entryDigest('directory', this.#mode, sha256(JSON.stringify(list))), size: total };
  }
}
