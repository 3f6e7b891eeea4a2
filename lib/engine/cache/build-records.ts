import { mkdir, readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import * as z from 'zod';
import { type JsonObject, sha256 } from '../../core/json.js';
import { readRecord, writeRecord } from '../record-file.js';

const version = 1;

const fileSchema = z.object({ path: z.string(), size: z.number() }).catchall(z.json());
const artifactSchema = z.object({ type: z.string(), id: z.string(), title: z.string(), files: z.array(fileSchema), data: z.record(z.string(), z.json()) }).catchall(z.json());

const recordSchema = z.strictObject({
  version: z.literal(version),
  image: z.string(),
  build: z.string(),
  platform: z.string(),
  step: z.string(),
  kind: z.string(),
  /** Whether it is what the source made itself, not what a post-processor made of that. */
  isMain: z.boolean(),
  /** Absent if it follows from something that nobody can know. */
  fingerprint: z.string().optional(),
  /** The run that made it, the stamp on it, and when; milliseconds since the epoch. */
  run: z.string(),
  token: z.string(),
  at: z.number(),
  /** What the build took. */
  milliseconds: z.number(),
  /** The last run of which it was a result, which may have found it up to date, and when. */
  lastRun: z.string(),
  lastAt: z.number(),
  /** All that the step gave; secrets are masked in it. */
  outputs: z.record(z.string(), z.json()),
  artifact: artifactSchema,
  /** What it was built from: artifacts of other builds, and what lookups found. */
  parents: z.array(z.strictObject({ build: z.string().optional(), id: z.string(), digest: z.string().optional() })),
  /** Of the project, when the run began. */
  commit: z.strictObject({ id: z.string(), isDirty: z.boolean() }).optional(),
});

/** An artifact that a build of this project made, and where it comes from. */
export type BuildRecord = Omit<z.output<typeof recordSchema>, 'version'>;
export type Commit = NonNullable<BuildRecord['commit']>;

/** What the builds of one project have made: a small file each. What is not as it was written counts as not there. */
export class BuildRecords {
  readonly #folder: string;

  constructor(folder: string) {
    this.#folder = folder;
  }

  async read(name: string): Promise<BuildRecord | undefined> {
    const found = await readRecord(this.#file(name), recordSchema);
    if (found === undefined) return undefined;
    const { version: _, ...record } = found;
    return record;
  }

  /** Takes the place of what was recorded under that name. */
  async write(name: string, record: BuildRecord): Promise<void> {
    await mkdir(this.#folder, { recursive: true, mode: 0o700 });
    await writeRecord(this.#file(name), { version, ...record } satisfies JsonObject, 0o600);
  }

  async forget(name: string): Promise<void> {
    await rm(this.#file(name), { force: true });
  }

  /** All that are whole, newest first, with the names they are recorded under. */
  async list(): Promise<readonly (BuildRecord & { readonly name: string })[]> {
    const names = (await readdir(this.#folder).catch((): string[] => [])).flatMap((file) => /^([0-9a-f]{64})\.json$/.exec(file)?.[1] ?? []);
    const records = await Promise.all(names.map(async (name) => ({ name, record: await this.read(name) })));
    return records.flatMap(({ name, record }) => (record === undefined ? [] : [{ name, ...record }])).sort((a, b) => b.at - a.at || (a.step < b.step ? -1 : 1));
  }

  #file(name: string): string {
    return join(this.#folder, `${name}.json`);
  }
}

/** The name of a record: that of its outcome, if it has one. */
export function recordName(outcome: string | undefined, token: string): string {
  return outcome ?? sha256(token);
}
