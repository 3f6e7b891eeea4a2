import { mkdir, readdir, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import * as z from 'zod';
import type { Clock } from '../../core/ports.js';
import { withFileLock } from '../file-lock.js';
import { isHolderAlive, isOfThisHost, lockHolderSchema, ownLockHolder } from '../lock-holder.js';
import { readRecord, writeRecord } from '../record-file.js';

const makerSchema = lockHolderSchema.extend({ run: z.string(), build: z.string(), project: z.string() });

/** A build that is at work on a state of a machine. */
export type Maker = z.output<typeof makerSchema>;
export type MakerFacts = Pick<Maker, 'run' | 'build' | 'project'>;

const [firstLook, longestLook] = [50, 250];

/**
 * Who is at work on which state, for all of a user's processes: a file for each, named by the state's fingerprint, from
 * before the build begins until it has passed the state. A file whose process is dead says nothing. Beside it lies
 * `<fingerprint>.wanted` as soon as another build waits for it.
 */
export class Makers {
  readonly #folder: string;
  readonly #clock: Clock;

  constructor({ folder, clock }: { readonly folder: string; readonly clock: Clock }) {
    this.#folder = folder;
    this.#clock = clock;
  }

  /**
   * Says that a build is at work on these states, the first of which it comes to first, and returns those that no other one
   * is at work on. If there is one, and `mayWait`, it says nothing but that the last such state is waited for, and returns that.
   */
  async begin(keys: readonly string[], me: MakerFacts, { mayWait, mayPromise, signal }: { readonly mayWait: boolean; readonly mayPromise: boolean; readonly signal: AbortSignal }): Promise<{ readonly key: string; readonly maker: Maker } | readonly string[]> {
    await mkdir(this.#folder, { recursive: true, mode: 0o700 });
    return this.#exclusively(signal, async () => {
      const others = new Map<string, Maker>();
      for (const key of keys) {
        const maker = await this.#alive(key);
        if (maker !== undefined && !isSame(maker, me)) others.set(key, maker);
      }
      const last = [...others].at(-1);
      if (mayWait && last !== undefined) {
        await writeFile(this.#wanted(last[0]), '', { mode: 0o600 });
        return { key: last[0], maker: last[1] };
      }
      const mine: Maker = { ...await ownLockHolder(), ...me };
      const free = mayPromise ? keys.filter((key) => !others.has(key)) : [];
      try {
        for (const key of free) await writeRecord(this.#file(key), mine, 0o600);
      } catch (error) {
        for (const key of free) await this.end(key); // nobody shall wait for what will never be taken back
        throw error;
      }
      return free;
    });
  }

  /** Whether somebody waits for it. */
  isWanted(key: string): Promise<boolean> {
    return stat(this.#wanted(key)).then(() => true, () => false);
  }

  /** To be called by its maker when it has passed it, with a checkpoint or without, or will never come to it. */
  async end(key: string): Promise<void> {
    await rm(this.#file(key), { force: true });
    await rm(this.#wanted(key), { force: true });
  }

  /** Waits until the maker has ended its work on it, or is dead. @throws the signal's reason */
  async over(key: string, maker: Maker, signal: AbortSignal): Promise<'ended' | 'died'> {
    for (let delay = firstLook; ; delay = Math.min(delay * 2, longestLook)) {
      const now = await readRecord(this.#file(key), makerSchema);
      // Written after the maker looked for it last, it would lie here for ever.
      if (now === undefined) await rm(this.#wanted(key), { force: true });
      if (now === undefined || !isSame(now, maker)) return 'ended';
      if (!(await isHolderAlive(now))) return 'died';
      await this.#clock.sleep(delay, signal);
    }
  }

  /** Removes what dead processes left. */
  async sweep(signal: AbortSignal): Promise<void> {
    const names = await readdir(this.#folder).catch((): string[] => []);
    const keys = new Set(names.flatMap((name) => /^([0-9a-f]{64})(?:\.|$)/.exec(name)?.[1] ?? []));
    if (keys.size > 0) await this.#exclusively(signal, async () => { for (const key of keys) if (await this.#alive(key) === undefined) await this.end(key); });
  }

  /** One of another computer may be dead or not: nobody waits for that. */
  async #alive(key: string): Promise<Maker | undefined> {
    const maker = await readRecord(this.#file(key), makerSchema);
    return maker !== undefined && isOfThisHost(maker) && await isHolderAlive(maker) ? maker : undefined;
  }

  #exclusively<T>(signal: AbortSignal, work: () => Promise<T>): Promise<T> {
    return withFileLock(join(this.#folder, 'makers.lock'), { clock: this.#clock, signal }, work);
  }

  #file(key: string): string {
    return join(this.#folder, key);
  }

  #wanted(key: string): string {
    return `${this.#file(key)}.wanted`;
  }
}

function isSame(maker: Maker, { run, build }: MakerFacts): boolean {
  return maker.run === run && maker.build === build;
}
