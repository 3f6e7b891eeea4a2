import { open, type FileHandle } from 'node:fs/promises';
import { BakeError } from '../core/bake-error.js';
import type { JsonObject } from '../core/json.js';

/** One line of a run's journal. What is in it never holds a secret. */
export type JournalEntry =
  | { readonly type: 'run.opened'; readonly version: number; readonly run: string; readonly pid: number; readonly processStart: string; readonly project: string; /** Ids of the builds that it is to make; unknown in journals of old. */ readonly builds?: readonly string[]; readonly at: number }
  /** The intent; on disk before the effect. */
  | { readonly type: 'resource.begun'; readonly step: string; readonly kind: string; readonly title: string; readonly build: string; readonly platform: string; readonly lifetime: 'run' | 'artifact'; readonly token: string; readonly spec: JsonObject; readonly needs: readonly string[]; readonly at: number }
  | { readonly type: 'resource.acquired'; readonly step: string; readonly handle: JsonObject; readonly at: number }
  | { readonly type: 'resource.released'; readonly step: string; readonly at: number }
  | { readonly type: 'action.done'; readonly step: string; readonly output: JsonObject; readonly at: number }
  /** A checkpoint of a machine is being saved: until it is, what the kinds' handlers made under the key must go again. */
  | { readonly type: 'checkpoint.begun'; readonly key: string; readonly kinds: readonly string[]; readonly at: number }
  | { readonly type: 'checkpoint.done'; readonly key: string; readonly at: number }
  /** From here on the artifacts of the build stay. */
  | { readonly type: 'build.succeeded'; readonly build: string; readonly at: number }
  /** The user asked for what a failed build holds to be kept. */
  | { readonly type: 'build.kept'; readonly build: string; readonly at: number }
  /** Everything begun is released or kept as an artifact. */
  | { readonly type: 'run.closed'; readonly at: number };

export const journalVersion = 1;

/** Where journal lines go. `durable` means: on the disk itself when the promise resolves. */
export interface JournalStore {
  append(lines: string, durable: boolean): Promise<void>;
  close(): Promise<void>;
}

/** Writes entries in order; those that come while a write is under way share the next one and its sync. */
export class Journal {
  readonly #store: JournalStore;
  #waiting: { readonly line: string; readonly durable: boolean; readonly done: () => void; readonly failed: (error: unknown) => void }[] = [];
  #writing: Promise<void> | undefined;

  constructor(store: JournalStore) {
    this.#store = store;
  }

  /** @throws BakeError `JournalNotWritable`; then nothing more may be created */
  append(entry: JournalEntry, durability: 'durable' | 'eventual'): Promise<void> {
    const written = new Promise<void>((done, failed) => {
      this.#waiting.push({ line: `${JSON.stringify(entry)}\n`, durable: durability === 'durable', done, failed });
    });
    this.#writing ??= this.#drain();
    return written;
  }

  async close(): Promise<void> {
    await this.#writing;
    await this.#store.close();
  }

  async #drain(): Promise<void> {
    // One turn of the event loop lets entries of the same moment share a write.
    await Promise.resolve();
    while (this.#waiting.length > 0) {
      const batch = this.#waiting;
      this.#waiting = [];
      try {
        await this.#store.append(batch.map((item) => item.line).join(''), batch.some((item) => item.durable));
        for (const item of batch) item.done();
      } catch (error) {
        const failure = new BakeError({ code: 'JournalNotWritable', source: 'platform', message: `the run's journal cannot be written: ${(error as Error).message}`, hint: 'free some space or correct the permissions of .bake, then run again', cause: error });
        for (const item of batch) item.failed(failure);
      }
    }
    this.#writing = undefined; // in the same turn as the last look at the line: what comes later starts a new drain
  }
}

/** A journal in a file. */
export async function fileJournalStore(path: string): Promise<JournalStore> {
  const file: FileHandle = await open(path, 'a', 0o600);
  return {
    async append(lines, durable) {
      await file.appendFile(lines);
      if (durable) await file.datasync();
    },
    close: () => file.close(),
  };
}

/**
 * Reads a journal that may have been cut off anywhere: a last line that is torn counts as never written, which the order
 * "intent first" makes safe.
 * @throws BakeError `JournalCorrupt` for a bad line before the torn one, `JournalTooNew`
 */
export function parseJournal(text: string, origin: string): readonly JournalEntry[] {
  const lines = text.split('\n');
  lines.pop(); // torn, or the nothing after the last line end
  const entries: JournalEntry[] = [];
  for (const [index, line] of lines.entries()) {
    try {
      const entry: unknown = JSON.parse(line);
      if (typeof entry !== 'object' || entry === null || !('type' in entry)) throw new Error('it is no entry');
      entries.push(entry as JournalEntry);
    } catch (error) {
      throw new BakeError({ code: 'JournalCorrupt', source: 'platform', message: `line ${index + 1} of ${origin} is damaged`, hint: 'run "bake clean --scan": it finds what is left by its stamps alone', cause: error });
    }
  }
  const opened = entries.find((entry) => entry.type === 'run.opened');
  if (opened !== undefined && opened.version > journalVersion) {
    throw new BakeError({ code: 'JournalTooNew', message: `${origin} was written by a newer bake`, hint: 'clean up with that version' });
  }
  return entries;
}
