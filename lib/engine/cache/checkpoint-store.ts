import { createHash, randomBytes } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { access, constants, mkdir, open, readdir, readFile, rename, rm, stat, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import * as z from 'zod';
import { BakeError } from '../../core/bake-error.js';
import type { JsonObject } from '../../core/json.js';
import type { Clock } from '../../core/ports.js';
import { tryFileLock, withFileLock } from '../file-lock.js';
import { CheckpointMarks, type CheckpointUser } from './checkpoint-marks.js';

const version = 2;
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
  /** As they were written; whoever changes one changes its time, and a disk that fails its digest. `alone`: not read by what stands on this checkpoint. */
  files: z.array(z.strictObject({ name: z.string().regex(/^[^/]+$/), size: z.number(), mtime: z.number(), sha256: z.string(), alone: z.boolean() })),
});

export type CheckpointRecord = Omit<z.output<typeof recordSchema>, 'version' | 'files'>;

/** What is to be written down of a new checkpoint, and the names of its files that what stands on it does not read. */
export type Filled = CheckpointRecord & { readonly alone: readonly string[] };

export interface Checkpoint extends CheckpointRecord {
  readonly key: string;
  /** Of its own files; absolute. */
  readonly folder: string;
  /** Of its files. */
  readonly bytes: number;
  /** Of what it has outside of its folder, as far as that is known. */
  readonly bytesOutside: number;
  /** Milliseconds since the epoch. */
  readonly usedAt: number;
}

export interface CheckpointStoreOptions {
  readonly folder: string;
  readonly clock: Clock;
  /** The run that works with it: what it uses and saves stays until `release`. @default - nothing is kept from being removed */
  readonly user?: CheckpointUser;
}

/** Chooses what goes: keys of `all` that are not in `used`. What stands on what goes must go before it. */
export type Choice = (all: readonly Checkpoint[], used: ReadonlySet<string>) => readonly string[];

/**
 * Checkpoints of all of a user's projects: a folder each, named by the fingerprint of the state, which gets its name when it
 * is whole. What is damaged, or stands on something that is gone, counts as not there.
 */
export class CheckpointStore {
  readonly #options: CheckpointStoreOptions;
  readonly #marks: CheckpointMarks;

  constructor(options: CheckpointStoreOptions) {
    this.#options = options;
    this.#marks = new CheckpointMarks(options.folder, options.clock);
  }

  /** The same store, for a run. */
  usedBy(user: CheckpointUser): CheckpointStore {
    return new CheckpointStore({ ...this.#options, user });
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

  /** As `open`, and each byte of what will be read is as it was written; from then on nobody removes it, nor what it stands on, until `release`. */
  async use(key: string, signal: AbortSignal): Promise<Checkpoint | undefined> {
    const found = await this.#marked(key, signal);
    return found !== undefined && await this.#isSound(key, signal) ? found : undefined;
  }

  async #marked(key: string, signal: AbortSignal): Promise<Checkpoint | undefined> {
    const { user, folder } = this.#options;
    if (user === undefined || await this.peek(key) === undefined) return this.open(key);
    // Of one that others look after, such as a mounted one, nothing can be kept.
    if (await access(folder, constants.W_OK).then(() => false, () => true)) return this.open(key);
    return this.#exclusively(signal, async () => {
      const found = await this.open(key);
      for (let at = found; at !== undefined; at = at.parent === undefined ? undefined : await this.peek(at.parent)) await this.#marks.add(at.key, user);
      return found;
    });
  }

  async #isSound(key: string, signal: AbortSignal, isBelow = false): Promise<boolean> {
    const found = await this.#read(key);
    if (found === undefined) return false;
    for (const { name, sha256, alone } of found.files) {
      if (isBelow && alone) continue;
      const digest = await digestOf(join(found.checkpoint.folder, name), signal).catch(() => undefined);
      signal.throwIfAborted();
      if (digest !== sha256) return false;
    }
    const { parent } = found.checkpoint;
    return parent === undefined || this.#isSound(parent, signal, true);
  }

  /** To be called when the run that works with it is over. */
  async release(signal: AbortSignal): Promise<void> {
    const { user } = this.#options;
    if (user !== undefined && await this.#exists()) await this.#exclusively(signal, () => this.#marks.release(user));
  }

  /** The keys of what other runs, of any process, use. */
  usedByOthers(): Promise<ReadonlySet<string>> {
    return this.#marks.used(this.#options.user);
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
   * same one waits. What stands on one that it takes the place of goes with that.
   * @throws BakeError `CheckpointInUse` if it would take the place of one that a run uses
   */
  async write(key: string, signal: AbortSignal, fill: (folder: string) => Promise<Filled>): Promise<Checkpoint> {
    await mkdir(this.#options.folder, { recursive: true, mode: 0o700 });
    return withFileLock(this.#lock(key), { clock: this.#options.clock, signal }, async () => {
      const part = `${this.folderOf(key)}.part`;
      await rm(part, { recursive: true, force: true });
      await mkdir(part, { mode: 0o700 });
      try {
        const { alone, ...record } = await fill(part);
        const files = await Promise.all((await readdir(part)).map(async (name) => {
          const path = join(part, name);
          await flush(path);
          const { size, mtimeMs } = await stat(path);
          return { name, size, mtime: mtimeMs, sha256: await digestOf(path, signal), alone: alone.includes(name) };
        }));
        await writeFile(join(part, recordName), JSON.stringify({ version, ...record, files } satisfies JsonObject), { mode: 0o600 });
        await flush(join(part, recordName));
        const gone = await this.#exclusively(signal, async () => {
          const { user } = this.#options;
          const standing = await this.#withAllOn(key);
          const used = standing.length === 0 ? new Set() : await this.#marks.used();
          if (standing.some((one) => used.has(one))) throw new BakeError({ code: 'CheckpointInUse', message: `a run uses the checkpoint ${key}`, hint: 'it stays as it is' });
          const moved: string[] = [];
          for (const each of standing) moved.push(await this.#hide(each));
          if (user !== undefined) await this.#marks.add(key, user);
          await rename(part, this.folderOf(key));
          return moved;
        });
        for (const folder of gone) await rm(folder, { recursive: true, force: true });
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
    await this.removeHalf(key);
    await rm(await this.#hide(key), { recursive: true, force: true });
  }

  /** What a writer that died left. One that is whole stays. Nobody may be writing it: see `locked`. */
  async removeHalf(key: string): Promise<void> {
    await rm(`${this.folderOf(key)}.part`, { recursive: true, force: true });
  }

  /** Takes the checkpoints that `choose` names away from all who look for them, and returns them with what is left of them: the caller removes that. */
  async takeAway(choose: Choice, signal: AbortSignal): Promise<readonly { readonly checkpoint: Checkpoint; readonly rest: string }[]> {
    if (!(await this.#exists())) return [];
    return this.#exclusively(signal, async () => {
      const all = await this.list(); // before the marks: what a run saves is marked before it is seen
      const used = await this.#marks.used();
      const byKey = new Map(all.map((one) => [one.key, one]));
      const taken = [];
      for (const key of choose(all, used)) {
        const checkpoint = byKey.get(key);
        if (checkpoint !== undefined && !used.has(key)) taken.push({ checkpoint, rest: await this.#hide(key) });
      }
      return taken;
    });
  }

  /** Removes what dead processes left, and what is damaged. @returns the paths of what was removed */
  async sweep(signal: AbortSignal): Promise<readonly string[]> {
    if (!(await this.#exists())) return [];
    await this.#exclusively(signal, () => this.#marks.sweep());
    const { folder, clock } = this.#options;
    const names = await readdir(folder);
    const removed: string[] = [];
    for (const key of new Set(names.flatMap((name) => /^([0-9a-f]{64})(?:\.(?:part|gone|lock)|$)/.exec(name)?.[1] ?? []))) {
      const isWhole = await this.peek(key) !== undefined;
      if (isWhole && !names.some((name) => name.startsWith(`${key}.`) && !name.startsWith(`${key}.use-`))) continue;
      await this.tryLocked(key, signal, async () => {
        const rests = names.filter((name) => name.startsWith(`${key}.part`) || name.startsWith(`${key}.gone`)).map((name) => join(folder, name));
        if (names.includes(key) && await this.peek(key) === undefined) rests.push(await this.#hide(key));
        for (const path of rests) await rm(path, { recursive: true, force: true });
        removed.push(...rests);
      });
    }
    for (const name of names) if (name.endsWith('.stale')) await tryFileLock(join(folder, name), { clock, signal }, () => Promise.resolve());
    return removed;
  }

  /** As `locked`, but does nothing if somebody has the lock. */
  async tryLocked<T>(key: string, signal: AbortSignal, work: () => Promise<T>): Promise<T | undefined> {
    await mkdir(this.#options.folder, { recursive: true, mode: 0o700 });
    return tryFileLock(this.#lock(key), { clock: this.#options.clock, signal }, work);
  }

  /** Its name goes first, so that a half-removed one is never taken for a whole one. */
  async #hide(key: string): Promise<string> {
    const gone = `${this.folderOf(key)}.gone-${randomBytes(4).toString('hex')}`;
    await rename(this.folderOf(key), gone).catch((error: NodeJS.ErrnoException) => { if (error.code !== 'ENOENT') throw error; });
    return gone;
  }

  /** What stands on a checkpoint, and itself; what is on top first. */
  async #withAllOn(key: string): Promise<readonly string[]> {
    if (!(await stat(this.folderOf(key)).then(() => true, () => false))) return [];
    const all = await this.list();
    const above = (one: string): readonly string[] => [...all.filter(({ parent }) => parent === one).flatMap((child) => above(child.key)), one];
    return above(key);
  }

  #exists(): Promise<boolean> {
    return stat(this.#options.folder).then(() => true, () => false);
  }

  /** While nobody else makes marks, takes them away, or removes what has none. Short. */
  #exclusively<T>(signal: AbortSignal, work: () => Promise<T>): Promise<T> {
    return withFileLock(join(this.#options.folder, 'store.lock'), { clock: this.#options.clock, signal }, work);
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
      return { checkpoint: { ...record, key, folder, usedAt: mtimeMs, bytes: files.reduce((sum, file) => sum + file.size, 0), bytesOutside: bytesOutside(record.states) }, files };
    } catch {
      return undefined; // none, or one that is damaged: the same
    }
  }
}

/** A handler that keeps something elsewhere says how much in its member `bytes`. */
function bytesOutside(states: CheckpointRecord['states']): number {
  return Object.values(states).reduce((sum, { saved }) => sum + (typeof saved?.['bytes'] === 'number' ? saved['bytes'] : 0), 0);
}

async function digestOf(path: string, signal: AbortSignal): Promise<string> {
  const hash = createHash('sha256');
  await pipeline(createReadStream(path, { highWaterMark: 1024 * 1024 }), hash, { signal });
  return hash.digest('hex');
}

async function flush(path: string): Promise<void> {
  const file = await open(path, 'r');
  try {
    await file.datasync();
  } finally {
    await file.close();
  }
}
