import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import * as z from 'zod';
import { type JsonObject, sha256 } from '../../core/json.js';
import { readRecord, writeRecord } from '../record-file.js';

const version = 1;

const stepSchema = z.strictObject({
  hex: z.string(),
  /** What its fingerprint was made of. */
  inputs: z.record(z.string(), z.json()),
  /** What it took when it was carried out last; milliseconds. */
  milliseconds: z.number(),
  /** What a lookup said. */
  said: z.record(z.string(), z.json()).optional(),
  /** What it was pinned to. */
  pins: z.record(z.string(), z.record(z.string(), z.json())).optional(),
});
const buildSchema = z.strictObject({ version: z.literal(version), build: z.string(), at: z.number(), steps: z.record(z.string(), stepSchema) });

export type LastStep = z.output<typeof stepSchema>;
export type LastBuild = Omit<z.output<typeof buildSchema>, 'version'>;

/** How each build of a project went last: what is new is told by it. A small file each; one that is not as it was written counts as not there. */
export class LastBuilds {
  readonly #folder: string;

  constructor(folder: string) {
    this.#folder = folder;
  }

  async read(build: string): Promise<LastBuild | undefined> {
    return readRecord(this.#file(build), buildSchema);
  }

  /** Steps that are not in `last` keep what is known of them. */
  async write(last: LastBuild): Promise<void> {
    const before = await this.read(last.build);
    const steps = { ...before?.steps, ...last.steps };
    await mkdir(this.#folder, { recursive: true, mode: 0o700 });
    await writeRecord(this.#file(last.build), { version, ...last, steps } satisfies JsonObject, 0o600);
  }

  #file(build: string): string {
    return join(this.#folder, `${sha256(build).slice(0, 32)}.json`);
  }
}
