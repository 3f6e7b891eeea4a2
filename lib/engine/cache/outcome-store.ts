import { mkdir, readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import * as z from 'zod';
import type { JsonObject } from '../../core/json.js';
import { readRecord, writeRecord } from '../record-file.js';

const version = 1;

const outcomeSchema = z.strictObject({
  version: z.literal(version),
  step: z.string(),
  kind: z.string(),
  build: z.string(),
  run: z.string(),
  /** The stamp on what the step made. */
  token: z.string(),
  /** Milliseconds since the epoch. */
  at: z.number(),
  milliseconds: z.number(),
  outputs: z.record(z.string(), z.json()),
  /** When what it stands on was carried out, by fingerprint. */
  ranAt: z.record(z.string(), z.number()),
});

/** What a step made, in a run that succeeded. */
export type Outcome = Omit<z.output<typeof outcomeSchema>, 'version'>;

const isFingerprint = (name: string) => /^[0-9a-f]{64}$/.test(name);

/** What the builds of one project have made, by fingerprint: a small file each. What is not as it was written counts as not there. */
export class OutcomeStore {
  readonly #folder: string;

  constructor(folder: string) {
    this.#folder = folder;
  }

  async read(fingerprint: string): Promise<Outcome | undefined> {
    return readRecord(this.#file(fingerprint), outcomeSchema);
  }

  async write(fingerprint: string, outcome: Outcome): Promise<void> {
    await mkdir(this.#folder, { recursive: true, mode: 0o700 });
    await writeRecord(this.#file(fingerprint), { version, ...outcome } satisfies JsonObject, 0o600);
  }

  async forget(fingerprint: string): Promise<void> {
    await rm(this.#file(fingerprint), { force: true });
  }

  /** All that are whole, newest last. */
  async list(): Promise<readonly (Outcome & { readonly fingerprint: string })[]> {
    const names = (await readdir(this.#folder).catch((): string[] => [])).map((name) => name.replace(/\.json$/, '')).filter(isFingerprint);
    const outcomes = await Promise.all(names.map(async (fingerprint) => ({ fingerprint, outcome: await this.read(fingerprint) })));
    return outcomes.flatMap(({ fingerprint, outcome }) => (outcome === undefined ? [] : [{ fingerprint, ...outcome }])).sort((a, b) => a.at - b.at);
  }

  #file(fingerprint: string): string {
    return join(this.#folder, `${fingerprint}.json`);
  }
}
