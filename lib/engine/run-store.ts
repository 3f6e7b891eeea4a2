import { mkdir, readdir, readFile, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { JournalEntry } from './journal.js';
import { fileJournalStore, Journal, journalVersion, parseJournal } from './journal.js';
import { type Ledger, ledgerOf } from './ledger.js';

/** A process, told from a later one that got the same number. */
export interface ProcessIdentity {
  readonly pid: number;
  /** When it started, in whatever form the system tells it. */
  readonly start: string;
}

export interface NewRun {
  readonly run: string;
  readonly process: ProcessIdentity;
  readonly project: string;
  /** Ids of the builds that it is to make. */
  readonly builds: readonly string[];
  readonly at: number;
}

export interface StoredRun {
  readonly id: string;
  readonly folder: string;
  readonly ledger: Ledger;
}

/** The runs of one project: a folder each, under `.bake/runs`. */
export class RunStore {
  readonly #folder: string;

  constructor(project: string) {
    this.#folder = join(project, '.bake', 'runs');
  }

  folderOf(run: string): string {
    return join(this.#folder, run);
  }

  /** Opens the journal of a new run; its first entry is on disk when this resolves. */
  async create({ run, process, project, builds, at }: NewRun): Promise<{ readonly folder: string; readonly journal: Journal }> {
    const folder = this.folderOf(run);
    await mkdir(folder, { recursive: true, mode: 0o700 });
    await writeFile(join(this.#folder, '..', '.gitignore'), '*\n');
    const journal = new Journal(await fileJournalStore(join(folder, 'journal.jsonl')));
    const first: JournalEntry = { type: 'run.opened', version: journalVersion, run, pid: process.pid, processStart: process.start, project, builds, at };
    await journal.append(first, 'durable');
    return { folder, journal };
  }

  /** Opens the journal of a dead run to go on with it; a torn last line is cut off. */
  async reopen(run: string): Promise<Journal> {
    const path = join(this.folderOf(run), 'journal.jsonl');
    const text = await readFile(path);
    const end = text.lastIndexOf(0x0a) + 1;
    if (end !== text.length) await truncate(path, end);
    return new Journal(await fileJournalStore(path));
  }

  /** Undefined if it has no journal: it was stopped before it began, or begins right now. @throws BakeError `JournalCorrupt`, `JournalTooNew` */
  async read(run: string): Promise<StoredRun | undefined> {
    const folder = this.folderOf(run);
    const path = join(folder, 'journal.jsonl');
    const text = await readFile(path, 'utf8').catch((error: NodeJS.ErrnoException) => {
      if (error.code === 'ENOENT') return undefined;
      throw error;
    });
    return text === undefined || text === '' ? undefined : { id: run, folder, ledger: ledgerOf(parseJournal(text, path)) };
  }

  /** Ids of all runs, oldest first. */
  async list(): Promise<readonly string[]> {
    const entries = await readdir(this.#folder, { withFileTypes: true }).catch(() => []);
    return entries.filter((entry) => entry.isDirectory()).map((entry) => entry.name).sort();
  }
}
