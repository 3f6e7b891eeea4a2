import { mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join, relative } from 'node:path';
import { isJsonObject, type Json, sha256 } from '../core/json.js';
import type { Hashed } from './copy-hashed.js';
import { type FileState, isUnchanged } from './file-state.js';

/** Goes up when what stands in the file changes. */
const version = 1;

/**
 * A file that changed less than so many milliseconds before it was read may change again without its times showing it: some
 * file systems count in steps of two seconds.
 */
const racy = 2_000;

interface Entry extends Omit<FileState, 'mode'> {
  /** SHA-256 of the content. */
  readonly hash: string;
}

let parts = 0;

/**
 * What the files of one asset held when they were last read, so that those that did not change since need not be read again.
 * One small file per asset under `.bake/digests/`, replaced as a whole: processes side by side at worst read a file again.
 * One that is damaged or cannot be written counts for nothing. What is written through a memory map into pages that are not on
 * the disk yet changes no times, here as for git and make.
 */
export class DigestCache {
  readonly #file: string;
  /** By name, as it was found. */
  readonly #found: ReadonlyMap<string, Entry>;
  readonly #current = new Map<string, Entry>();
  #isNew = false;

  /** `path` is the asset's. */
  static async open(project: string, path: string): Promise<DigestCache> {
    const file = join(project, '.bake', 'digests', `${sha256(relative(project, path)).slice(0, 32)}.json`);
    return new DigestCache(file, parse(await readFile(file, 'utf8').catch(() => '')));
  }

  private constructor(file: string, found: ReadonlyMap<string, Entry>) {
    this.#file = file;
    this.#found = found;
  }

  /** The SHA-256 of the file of that name inside the asset, if it is as it was when it was read. */
  get(name: string, state: FileState): string | undefined {
    const entry = this.#found.get(name);
    if (entry === undefined || !isUnchanged(entry, state)) return undefined;
    this.#current.set(name, entry);
    return entry.hash;
  }

  /** Whether it had that size when it was read: it may be the same again, written anew. */
  hadSize(name: string, size: number): boolean {
    return this.#found.get(name)?.size === size;
  }

  /** Remembers what was read from `readAt` on, in milliseconds, unless nobody could tell from its state that it is another. */
  set(name: string, { hash, size, state }: Hashed, readAt: number): void {
    const isOnDisk = size === state.size; // the kernel makes the content of its own files up as they are read
    if (!isOnDisk || Math.max(state.mtimeMs, state.ctimeMs) > readAt - racy) {
      const before = this.#found.get(name);
      if (before !== undefined) this.#current.set(name, before); // its state does not come back, and its size is still of use
      return;
    }
    const { dev, ino, mtimeMs, ctimeMs } = state;
    this.#current.set(name, { hash, dev, ino, size, mtimeMs, ctimeMs });
    this.#isNew = true;
  }

  /** Writes what was asked for and set since it was opened; the rest is of files that are gone. */
  async save(): Promise<void> {
    if (!this.#isNew && this.#current.size === this.#found.size) return;
    const part = `${this.#file}.${process.pid}-${parts++}.part`;
    try {
      await mkdir(join(this.#file, '..'), { recursive: true });
      await writeFile(part, JSON.stringify({ version, files: Object.fromEntries(this.#current) }));
      await rename(part, this.#file);
    } catch {
      await rm(part, { force: true }).catch(() => {}); // the next run reads the files again
    }
  }
}

/** Whole or nothing: what one wrong entry stands next to is worth as little. */
function parse(text: string): ReadonlyMap<string, Entry> {
  try {
    const found = JSON.parse(text) as unknown;
    if (!isJsonObject(found) || found['version'] !== version || !isJsonObject(found['files'])) return new Map();
    const entries = Object.entries(found['files']);
    return entries.every(([, entry]) => isEntry(entry)) ? new Map(entries as [string, never][]) : new Map();
  } catch {
    return new Map();
  }
}

function isEntry(entry: Json): boolean {
  return isJsonObject(entry) && typeof entry['hash'] === 'string' && /^[0-9a-f]{64}$/.test(entry['hash']);
}
