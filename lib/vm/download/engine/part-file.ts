import { chmod, type FileHandle, open, rename, rm } from 'node:fs/promises';
import * as z from 'zod';
import type { StepContext } from '../../../engine/handler.js';
import type { Algorithm } from '../checksum.js';
import { Digester, type Sums } from './file-sums.js';
import { readRecord, writeRecord } from '../../../engine/record-file.js';

const versionSchema = z.object({
  etag: z.string().optional(),
  lastModified: z.string().optional(),
  /** Bytes of the whole file. */
  total: z.number().int().nonnegative().optional(),
});
const recordSchema = versionSchema.extend({ source: z.string() });

/** What tells one version of a file on a server from another. */
export type Version = z.output<typeof versionSchema>;

export interface PartOptions {
  readonly path: string;
  /** Stands for the URL. What another one began is gone on with only if `mixes`. */
  readonly source: string;
  /** Whether parts of different URLs may make one file: its sum is known and will tell. */
  readonly mixes: boolean;
  readonly algorithms: readonly Algorithm[];
}

/**
 * The part of a file that is there already, which a later process can go on with: a record beside it says which version
 * it is of. To be used under a lock.
 */
export class PartFile {
  static async open(options: PartOptions, ctx: Pick<StepContext, 'signal' | 'progress'>): Promise<PartFile> {
    const record = await readRecord(`${options.path}.json`, recordSchema);
    const part = new PartFile(options, await open(options.path, 'a+', 0o600));
    try {
      if (record !== undefined && (record.source === options.source || options.mixes)) await part.#goOn(record, ctx);
      else await part.clear();
    } catch (error) {
      await part.close();
      throw error;
    }
    return part;
  }

  readonly #options: PartOptions;
  readonly #handle: FileHandle;
  #digester: Digester;
  #version: Version = {};
  #length = 0;

  private constructor(options: PartOptions, handle: FileHandle) {
    this.#options = options;
    this.#handle = handle;
    this.#digester = new Digester(options.algorithms);
  }

  /** Bytes that are there. */
  get length(): number {
    return this.#length;
  }
  get version(): Version {
    return this.#version;
  }

  /** Nothing is there any more. */
  async clear(): Promise<void> {
    await rm(`${this.#options.path}.json`, { force: true });
    await this.#handle.truncate(0);
    this.#digester = new Digester(this.#options.algorithms);
    [this.#version, this.#length] = [{}, 0];
  }
  /** From now on it is a part of this version. */
  async begin(version: Version): Promise<void> {
    await this.clear();
    await writeRecord(`${this.#options.path}.json`, { ...version, source: this.#options.source });
    this.#version = version;
  }
  async append(chunk: Uint8Array): Promise<void> {
    for (let written = 0; written < chunk.length; ) written += (await this.#handle.write(chunk, written)).bytesWritten;
    this.#digester.update(chunk);
    this.#length += chunk.length;
  }
  /** To be called once, when all is there. */
  sums(): Sums {
    return this.#digester.sums();
  }
  /** Makes it the file, safe on the disk and read-only. */
  async finish(path: string): Promise<void> {
    await this.#handle.sync();
    await this.close();
    await chmod(this.#options.path, 0o400);
    await rename(this.#options.path, path);
    await rm(`${this.#options.path}.json`, { force: true });
  }
  async discard(): Promise<void> {
    await this.close();
    await rm(`${this.#options.path}.json`, { force: true });
    await rm(this.#options.path, { force: true });
  }
  /** Leaves it to a later download. */
  async close(): Promise<void> {
    await this.#handle.close();
  }

  async #goOn({ source, ...version }: z.output<typeof recordSchema>, ctx: Pick<StepContext, 'signal' | 'progress'>): Promise<void> {
    const { size } = await this.#handle.stat();
    await this.#digester.read(this.#options.path, size, ctx);
    this.#length = size;
    this.#version = source === this.#options.source ? version : { total: version.total };
  }
}
