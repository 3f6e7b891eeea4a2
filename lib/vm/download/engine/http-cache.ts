import { mkdir, rm, stat } from 'node:fs/promises';
import { extname, join } from 'node:path';
import * as z from 'zod';
import { withFileLock } from '../../../engine/file-lock.js';
import type { StepContext } from '../../../engine/handler.js';
import type { Algorithm, Sum } from '../checksum.js';
import type { Location } from '../location.js';
import type { FileSums, Sums } from './file-sums.js';
import type { HttpClient } from './http-client.js';
import { checksumMismatch, isRight } from './mismatch.js';
import { PartFile, type PartOptions } from './part-file.js';
import { readRecord, writeRecord } from '../../../engine/record-file.js';
import { sourceId } from './source-id.js';
import { transfer } from './transfer.js';

type Remote = Extract<Location, { readonly type: 'http' }>;

/** What a URL gave when it was last asked, for files that no sum tells apart. */
const answerSchema = z.object({ digest: z.string().regex(/^[0-9a-f]{64}$/), etag: z.string().optional(), lastModified: z.string().optional() });

export interface CachedFile {
  readonly path: string;
  readonly sums: Sums;
}

/**
 * Downloaded files by their sum, so that what has a name here never changes. Of several processes that want the same file
 * one downloads it and the others wait.
 */
export class HttpCache {
  readonly #folder: string;
  readonly #sums: FileSums;
  readonly #client: HttpClient;
  readonly #ctx: StepContext;

  constructor({ folder, sums, client, ctx }: { readonly folder: string; readonly sums: FileSums; readonly client: HttpClient; readonly ctx: StepContext }) {
    this.#folder = folder;
    this.#sums = sums;
    this.#client = client;
    this.#ctx = ctx;
  }

  /**
   * The file of a URL, from the cache if it is there.
   * @throws BakeError `DownloadFailed`, `ChecksumMismatch`
   */
  async get(location: Remote, sum: Sum | undefined, tries: number): Promise<CachedFile> {
    if (sum === undefined) return this.#locked(`url-${sourceId(location.url)}`, (name) => this.#latest(location, name, tries));
    const name = `${sum.algorithm}-${sum.hex}${endingOf(location)}`;
    return await this.#cached(name, sum) ?? this.#locked(name, async () => await this.#cached(name, sum) ?? this.#download(location, name, sum, tries));
  }

  /** Undefined if it is not there, or if it is not as it was. */
  async #cached(name: string, sum: Sum): Promise<CachedFile | undefined> {
    const path = join(this.#folder, name);
    if (!(await isThere(path))) return undefined;
    const sums = await this.#sums.of(path, algorithmsFor(sum), this.#ctx);
    if (!isRight(sums, sum)) return undefined;
    this.#ctx.log(`in the cache: ${path}`, 'info');
    return { path, sums };
  }

  async #download(location: Remote, name: string, sum: Sum, tries: number): Promise<CachedFile> {
    const path = join(this.#folder, name);
    if (await isThere(path)) {
      this.#ctx.warn({ code: 'DamagedDownload', message: `${path} is not as it was when it was downloaded, and is downloaded again`, hint: 'did a program write to it, or is the disk failing?' });
      await rm(path, { force: true });
    }
    return this.#withPart({ path: `${path}.part`, source: sourceId(location.url), mixes: true, algorithms: algorithmsFor(sum) }, async (part) => {
      const fill = async () => {
        await transfer({ ...location, part, isVerified: true, client: this.#client, tries }, this.#ctx);
        return part.sums();
      };
      const wasBegun = part.length > 0;
      let sums = await fill();
      if (!isRight(sums, sum) && wasBegun) { // what an earlier run left may be of another version
        await part.clear();
        sums = await fill();
      }
      if (!isRight(sums, sum)) {
        await part.discard();
        throw checksumMismatch(location, sums, sum);
      }
      return this.#keep(part, path, sums);
    });
  }

  /** Asks the server every time, and downloads only what has changed. */
  async #latest(location: Remote, name: string, tries: number): Promise<CachedFile> {
    const recordPath = join(this.#folder, `${name}.json`);
    const fileOf = (digest: string) => join(this.#folder, `sha256-${digest}${endingOf(location)}`);
    const answer = await readRecord(recordPath, answerSchema);
    const old = answer === undefined ? undefined : await this.#unchanged(fileOf(answer.digest), answer.digest);
    return this.#withPart({ path: join(this.#folder, `${name}.part`), source: sourceId(location.url), mixes: false, algorithms: algorithmsFor() }, async (part) => {
      const isNew = await transfer({ ...location, part, isVerified: false, known: old === undefined ? undefined : answer, client: this.#client, tries }, this.#ctx);
      if (!isNew && old !== undefined) {
        await part.discard();
        this.#ctx.log(`in the cache and still the latest: ${old.path}`, 'info');
        return old;
      }
      const { version } = part;
      const sums = part.sums();
      const digest = sums.sha256 ?? '';
      const file = await this.#keep(part, fileOf(digest), sums);
      await writeRecord(recordPath, { digest, etag: version.etag, lastModified: version.lastModified });
      return file;
    });
  }

  async #unchanged(path: string, digest: string): Promise<CachedFile | undefined> {
    if (!(await isThere(path))) return undefined;
    const sums = await this.#sums.of(path, algorithmsFor(), this.#ctx);
    return sums.sha256 === digest ? { path, sums } : undefined;
  }

  async #keep(part: PartFile, path: string, sums: Sums): Promise<CachedFile> {
    await part.finish(path);
    await this.#sums.remember(path, sums);
    return { path, sums };
  }

  async #withPart<T>(options: PartOptions, work: (part: PartFile) => Promise<T>): Promise<T> {
    const part = await PartFile.open(options, this.#ctx);
    try {
      return await work(part);
    } finally {
      await part.close();
    }
  }

  async #locked<T>(name: string, work: (name: string) => Promise<T>): Promise<T> {
    await mkdir(this.#folder, { recursive: true, mode: 0o700 });
    const { clock, signal, log } = this.#ctx;
    const onWait = (holder: { readonly pid: number; readonly host: string } | undefined) => log(`waiting for ${holder === undefined ? 'another run' : `process ${holder.pid} on ${holder.host}`}, which downloads it`, 'info');
    return withFileLock(join(this.#folder, `${name}.lock`), { clock, signal, onWait }, () => work(name));
  }
}

function algorithmsFor(sum?: Sum): readonly Algorithm[] {
  return sum === undefined || sum.algorithm === 'sha256' ? ['sha256'] : [sum.algorithm, 'sha256'];
}

/** Some programs look at it: `.iso`, `.vmdk`. */
function endingOf({ name }: Remote): string {
  const ending = extname(name);
  return /^\.[A-Za-z0-9]{1,12}$/.test(ending) ? ending.toLowerCase() : '';
}

async function isThere(path: string): Promise<boolean> {
  return stat(path).then((info) => info.isFile(), () => false);
}
