import { mkdir, open, readdir, readFile, rename, rm, stat, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import * as z from 'zod';
import type { JsonObject } from '../../core/json.js';
import type { Clock } from '../../core/ports.js';
import { withFileLock } from '../file-lock.js';

const version = 1;
const recordName = 'checkpoint.json';

const recordSchema = z.strictObject({
  version: z.literal(version),
  build: z.string(),
  /** The last step that is in it, and what it is called. */
  step: z.string(),
  title: z.string(),
  platform: z.string(),
  project: z.string(),
  /** Milliseconds since the epoch. */
  at: z.number(),
  /** What the steps that are in it took to carry out. */
  milliseconds: z.number(),
  /** The checkpoint it stands on. */
  parent: z.string().optional(),
  /** By the step's name in its build. */
  states: z.record(z.string(), z.strictObject({ kind: z.string(), output: z.record(z.string(), z.json()).optional(), saved: z.record(z.string(), z.json()).optional() })),
  /** When what is in it was carried out, by fingerprint. */
  ranAt: z.record(z.string(), z.number()),
  /** As they were written; whoever changes one changes its time. */
  files: z.array(z.strictObject({ name: z.string().regex(/^[^/]+$/), size: z.number(), mtime: z.number() })),
});

export type CheckpointRecord = Omit<z.output<typeof recordSchema>, 'version' | 'files'>;

export interface Checkpoint extends CheckpointRecord {
  readonly key: string;
  /** Of its own files; absolute. */
  readonly folder: string;
  /** Of its files. */
  readonly bytes: number;
  /** Milliseconds since the epoch. */
  readonly usedAt: number;
}

export interface CheckpointStoreOptions {
  readonly folder: string;
  readonly clock: Clock;
}

/**
 * Checkpoints of all of a user's projects: a folder each, named by the fingerprint of the state, which gets its name when it
 * is whole. What is damaged, or stands on something that is gone, counts as not there.
 */
export class CheckpointStore {
  readonly #options: CheckpointStoreOptions;

  constructor(options: CheckpointStoreOptions) {
    this.#options = options;
  }

  folderOf(key: string): string {
    return join(this.#options.folder, key);
  }

  /** Reads it without looking at its files. */
  async peek(key: string): Promise<Checkpoint | undefined> {
    const whole = await this.#read(key);
    return whole?.checkpoint;
  }

  /** The checkpoint if all its files, and those that it stands on, are as they were written. */
  async open(key: string): Promise<Checkpoint | undefined> {
    const found = await this.#read(key);
    if (found === undefined) return undefined;
    for (const { name, size, mtime } of found.files) {
      const facts = await stat(join(found.checkpoint.folder, name)).catch(() => undefined);
      if (facts?.size !== size || facts.mtimeMs !== mtime) return undefined;
    }
    const { parent } = found.checkpoint;
    return parent !== undefined && await this.open(parent) === undefined ? undefined : found.checkpoint;
  }

  /** Keeps what was used last from being the first that goes. */
  async touch({ key, parent }: Pick<Checkpoint, 'key' | 'parent'>): Promise<void> {
    const now = new Date(this.#options.clock.now());
    await utimes(join(this.folderOf(key), recordName), now, now).catch(() => {}); // pruned meanwhile: the caller finds out
    const above = parent === undefined ? undefined : await this.peek(parent);
    if (above !== undefined) await this.touch(above);
  }

  /**
   * Lets `fill` put files into a folder, and makes them the checkpoint `key` in one step. Whoever else wants to write the
   * same one waits.
   */
  async write(key: string, signal: AbortSignal, fill: (folder: string) => Promise<CheckpointRecord>): Promise<Checkpoint> {
    await mkdir(this.#options.folder, { recursive: true, mode: 0o700 });
    return withFileLock(this.#lock(key), { clock: this.#options.clock, signal }, async () => {
      const part = `${this.folderOf(key)}.part`;
      await rm(part, { recursive: true, force: true });
      await mkdir(part, { mode: 0o700 });
      try {
        const record = await fill(part);
        const files = await Promise.all((await readdir(part)).map(async (name) => {
          const path = join(part, name);
          await flush(path);
          const { size, mtimeMs } = await stat(path);
          return { name, size, mtime: mtimeMs };
        }));
        await writeFile(join(part, recordName), JSON.stringify({ version, ...record, files } satisfies JsonObject), { mode: 0o600 });
        await flush(join(part, recordName));
        await this.#drop(key);
        await rename(part, this.folderOf(key));
      } catch (error) {
        await rm(part, { recursive: true, force: true });
        throw error;
      }
      const made = await this.peek(key);
      if (made === undefined) throw new Error(`the checkpoint ${key} is gone as soon as it was written`);
      return made;
    });
  }

  /** Does the work while nobody writes or removes this checkpoint. */
  locked<T>(key: string, signal: AbortSignal, work: () => Promise<T>): Promise<T> {
    return withFileLock(this.#lock(key), { clock: this.#options.clock, signal }, work);
  }

  /** Also one that is not whole yet. Nobody may be writing it: see `locked`. */
  async remove(key: string): Promise<void> {
    await rm(`${this.folderOf(key)}.part`, { recursive: true, force: true });
    await this.#drop(key);
  }

  /** Its name goes first, so that a half-removed one is never taken for a whole one. */
  async #drop(key: string): Promise<void> {
    const gone = `${this.folderOf(key)}.gone`;
    await rm(gone, { recursive: true, force: true });
    await rename(this.folderOf(key), gone).catch((error: NodeJS.ErrnoException) => { if (error.code !== 'ENOENT') throw error; });
    await rm(gone, { recursive: true, force: true });
  }

  async list(): Promise<readonly Checkpoint[]> {
    const names = (await readdir(this.#options.folder).catch((): string[] => [])).filter((name) => /^[0-9a-f]{64}$/.test(name));
    return (await Promise.all(names.map((name) => this.peek(name)))).filter((one) => one !== undefined);
  }

  #lock(key: string): string {
    return join(this.#options.folder, `${key}.lock`);
  }

  async #read(key: string): Promise<{ readonly checkpoint: Checkpoint; readonly files: z.output<typeof recordSchema>['files'] } | undefined> {
    const folder = this.folderOf(key);
    try {
      const path = join(folder, recordName);
      const [text, { mtimeMs }] = await Promise.all([readFile(path, 'utf8'), stat(path)]);
      const { version: _, files, ...record } = recordSchema.parse(JSON.parse(text));
      return { checkpoint: { ...record, key, folder, usedAt: mtimeMs, bytes: files.reduce((sum, file) => sum + file.size, 0) }, files };
    } catch {
      return undefined; // none, or one that is damaged: the same
    }
  }
}

async function flush(path: string): Promise<void> {
  const file = await open(path, 'r');
  try {
    await file.datasync();
  } finally {
    await file.close();
  }
}
