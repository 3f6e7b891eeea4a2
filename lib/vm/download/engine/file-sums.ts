import { createHash, type Hash } from 'node:crypto';
import { constants, createReadStream, type BigIntStats } from 'node:fs';
import { access, mkdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import * as z from 'zod';
import { BakeError } from '../../../core/bake-error.js';
import { sha256 } from '../../../core/json.js';
import { byteMeter } from '../../../engine/byte-meter.js';
import { withFileLock } from '../../../engine/file-lock.js';
import type { StepContext } from '../../../engine/handler.js';
import { algorithms, type Algorithm } from '../checksum.js';
import { readRecord, writeRecord } from '../../../engine/record-file.js';

export type Sums = Readonly<Partial<Record<Algorithm, string>>>;

/** The sums of a file as it was when it had these properties. */
const memorySchema = z.object({
  path: z.string(),
  size: z.string(),
  mtime: z.string(),
  /** Changes with every write, also where a program sets the time of change back. */
  ctime: z.string(),
  inode: z.string(),
  sums: z.partialRecord(z.enum(algorithms as readonly [Algorithm, ...Algorithm[]]), z.string()),
});
type Memory = z.output<typeof memorySchema>;

type SumsContext = Pick<StepContext, 'clock' | 'signal' | 'progress'>;

/** Sums of files, each computed once as long as the file stays as it is. */
export class FileSums {
  readonly #folder: string;

  /** @param folder where the sums are remembered; it need not be there, nor be writable */
  constructor(folder: string) {
    this.#folder = folder;
  }

  /**
   * The sums by these algorithms. Whoever else wants those of the same file waits for the first.
   * @throws BakeError `FileChanged`
   */
  async of(path: string, wanted: readonly Algorithm[], ctx: SumsContext): Promise<Sums> {
    const known = await this.#recall(path, wanted);
    if (known !== undefined) return known;
    const canRemember = await mkdir(this.#folder, { recursive: true }).then(() => access(this.#folder, constants.W_OK)).then(() => true, () => false);
    if (!canRemember) return this.#compute(path, wanted, ctx);
    return withFileLock(`${this.#file(path)}.lock`, ctx, async () => (await this.#recall(path, wanted)) ?? this.#compute(path, wanted, ctx));
  }

  /** Takes the sums of a file that its writer computed while writing it. */
  async remember(path: string, sums: Sums): Promise<void> {
    await this.#store(path, await stat(path, { bigint: true }), sums);
  }

  async #recall(path: string, wanted: readonly Algorithm[]): Promise<Sums | undefined> {
    const [memory, info] = await Promise.all([readRecord(this.#file(path), memorySchema), stat(path, { bigint: true })]);
    return memory !== undefined && isOf(memory, path, info) && wanted.every((algorithm) => memory.sums[algorithm] !== undefined) ? memory.sums : undefined;
  }

  async #compute(path: string, wanted: readonly Algorithm[], ctx: SumsContext): Promise<Sums> {
    const before = await stat(path, { bigint: true });
    const digester = new Digester(wanted);
    await digester.read(path, Number(before.size), ctx);
    const sums = digester.sums();
    const after = await stat(path, { bigint: true });
    if (!isOf(memoryOf(path, before, sums), path, after)) throw new BakeError({ code: 'FileChanged', message: `${path} changed while its checksum was computed`, hint: 'let whatever writes it come to its end first', transient: true });
    await this.#store(path, after, sums).catch(() => {}); // then it is computed again next time
    return sums;
  }

  async #store(path: string, info: BigIntStats, sums: Sums): Promise<void> {
    const old = await readRecord(this.#file(path), memorySchema);
    const others = old !== undefined && isOf(old, path, info) ? old.sums : {};
    await mkdir(this.#folder, { recursive: true });
    await writeRecord(this.#file(path), memoryOf(path, info, { ...others, ...sums }));
  }

  #file(path: string): string {
    return join(this.#folder, `${sha256(path)}.json`);
  }
}

/** Several hashes of one stream of bytes. */
export class Digester {
  readonly #hashes: ReadonlyMap<Algorithm, Hash>;

  constructor(wanted: readonly Algorithm[]) {
    this.#hashes = new Map(wanted.map((algorithm) => [algorithm, createHash(algorithm)]));
  }

  update(bytes: Uint8Array): void {
    for (const hash of this.#hashes.values()) hash.update(bytes);
  }

  /** Takes the first `size` bytes of a file; throws the signal's reason if aborted. */
  async read(path: string, size: number, ctx: Pick<StepContext, 'signal' | 'progress'>): Promise<void> {
    if (size === 0) return;
    const count = byteMeter(ctx, 'verify', size);
    for await (const chunk of createReadStream(path, { highWaterMark: 1024 * 1024, end: size - 1 }) as AsyncIterable<Buffer>) {
      ctx.signal.throwIfAborted();
      this.update(chunk);
      count(chunk.length);
    }
  }

  /** To be called once, at the end. */
  sums(): Sums {
    return Object.fromEntries([...this.#hashes].map(([algorithm, hash]) => [algorithm, hash.digest('hex')]));
  }
}

function memoryOf(path: string, info: BigIntStats, sums: Sums): Memory {
  return { path, size: String(info.size), mtime: String(info.mtimeNs), ctime: String(info.ctimeNs), inode: String(info.ino), sums };
}

function isOf(memory: Memory, path: string, info: BigIntStats): boolean {
  const now = memoryOf(path, info, {});
  return memory.path === now.path && memory.size === now.size && memory.mtime === now.mtime && memory.ctime === now.ctime && memory.inode === now.inode;
}
