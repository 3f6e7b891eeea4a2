import { mkdir, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import * as z from 'zod';
import type { JsonObject } from '../../core/json.js';

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
    const text = await readFile(this.#file(fingerprint), 'utf8').catch(() => undefined);
    if (text === undefined) return undefined;
    try {
      return outcomeSchema.parse(JSON.parse(text));
    } catch {
      return undefined;
    }
  }

  async write(fingerprint: string, outcome: Outcome): Promise<void> {
    await mkdir(this.#folder, { recursive: true, mode: 0o700 });
    const part = `${this.#file(fingerprint)}.${process.pid}.part`;
    await writeFile(part, JSON.stringify({ version, ...outcome } satisfies JsonObject), { mode: 0o600 });
    await rename(part, this.#file(fingerprint));
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
