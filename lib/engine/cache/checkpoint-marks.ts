import { readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import * as z from 'zod';
import type { Clock } from '../../core/ports.js';
import { isHolderAlive, isOfThisHost, lockHolderSchema, ownLockHolder } from '../lock-holder.js';
import { RunStore } from '../run-store.js';

const markSchema = lockHolderSchema.extend({ run: z.string(), project: z.string() });
type Mark = z.output<typeof markSchema>;

/** Of whose processes nothing can be known here: its marks count for as long as a build may take. */
const longestElsewhere = 24 * 3_600_000;

/** The run that uses checkpoints. */
export interface CheckpointUser {
  readonly run: string;
  readonly project: string;
}

/**
 * Who uses which checkpoint: a file `<key>.use-<run>` for each, beside the checkpoints. A mark counts while its process is
 * alive, and after that while its run is not closed: a machine that was kept, or that a killed run left, may stand on it.
 */
export class CheckpointMarks {
  readonly #folder: string;
  readonly #clock: Clock;

  constructor(folder: string, clock: Clock) {
    this.#folder = folder;
    this.#clock = clock;
  }

  async add(key: string, user: CheckpointUser): Promise<void> {
    await writeFile(this.#file(key, user), JSON.stringify({ ...await ownLockHolder(), ...user } satisfies Mark), { mode: 0o600 });
  }

  /** Takes away all marks of a run. */
  async release(user: CheckpointUser): Promise<void> {
    for (const { run, file } of await this.#list()) if (run === basename(user.run)) await rm(file, { force: true });
  }

  /** The keys of what is in use, by another one than `user`. */
  async used(user?: CheckpointUser): Promise<ReadonlySet<string>> {
    const known = new Map<string, Promise<boolean>>();
    const marks = (await this.#list()).filter(({ run }) => user === undefined || run !== basename(user.run));
    const alive = await Promise.all(marks.map(async ({ file }) => this.#counts(file, known)));
    return new Set(marks.filter((_, index) => alive[index]).map(({ key }) => key));
  }

  /** Removes marks that do not count any more. No one may be making marks meanwhile. @returns how many */
  async sweep(): Promise<number> {
    let removed = 0;
    for (const { file } of await this.#list()) {
      if (await this.#counts(file, new Map())) continue;
      await rm(file, { force: true });
      removed++;
    }
    return removed;
  }

  async #counts(file: string, known: Map<string, Promise<boolean>>): Promise<boolean> {
    const text = await readFile(file, 'utf8').catch(() => undefined);
    const mark = text === undefined ? undefined : parseMark(text);
    if (text === undefined || mark === undefined) return false; // taken away just now, or never written to its end
    if (!isOfThisHost(mark)) return this.#clock.now() - (await stat(file).then(({ mtimeMs }) => mtimeMs, () => 0)) < longestElsewhere;
    const answer = known.get(text) ?? isInUse(mark);
    known.set(text, answer);
    return answer;
  }

  async #list(): Promise<readonly { readonly key: string; readonly run: string; readonly file: string }[]> {
    const names = await readdir(this.#folder).catch((): string[] => []);
    return names.flatMap((name) => {
      const [, key, run] = /^([0-9a-f]{64})\.use-(.+)$/.exec(name) ?? [];
      return key === undefined || run === undefined ? [] : [{ key, run, file: join(this.#folder, name) }];
    });
  }

  #file(key: string, { run }: CheckpointUser): string {
    return join(this.#folder, `${key}.use-${basename(run)}`);
  }
}

function parseMark(text: string): Mark | undefined {
  try {
    return markSchema.parse(JSON.parse(text));
  } catch {
    return undefined;
  }
}

async function isInUse(mark: Mark): Promise<boolean> {
  if (await isHolderAlive(mark)) return true;
  const stored = await new RunStore(mark.project).read(mark.run).catch(() => 'unreadable' as const);
  return stored === 'unreadable' || (stored !== undefined && !stored.ledger.closed && stored.ledger.owed.length > 0);
}
