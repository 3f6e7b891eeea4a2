import { once } from 'node:events';
import { createWriteStream } from 'node:fs';
import { chmod, mkdir, readdir, readlink, rename, rm, stat, symlink } from 'node:fs/promises';
import { join } from 'node:path';
import { randomBytes } from 'node:crypto';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type ssh2 from 'ssh2';
import type { TransferOptions, UploadOptions } from '../../../core/communicator.js';
import { openContent } from './cat-transfer.js';
import { metered } from './metered.js';

type Done<T> = (error: Error | null | undefined, value: T) => void;

/** Requests under way at a time; each one costs a round trip. */
const parallel = 16;

/** Transfers over one sftp channel: for machines without a usable shell or without tar. Errors are those of the library or of the local files. */
export class SftpTransfer {
  readonly #sftp: ssh2.SFTPWrapper;

  constructor(sftp: ssh2.SFTPWrapper) {
    this.#sftp = sftp;
  }

  async upload(source: string | Uint8Array | Readable, destination: string, options: UploadOptions): Promise<void> {
    const { stream, mode, total } = await openContent(source, options.mode);
    const input = metered(stream instanceof Uint8Array ? Readable.from([stream]) : stream, options.onProgress, total);
    await pipeline(input, this.#sftp.createWriteStream(destination, { mode: 0o600 }), { signal: options.signal });
    await call<void>((done) => this.#sftp.chmod(destination, mode, done));
  }

  async download(source: string, destination: string, options: TransferOptions): Promise<void> {
    const facts = await this.#stat(source);
    const part = `${destination}.${randomBytes(4).toString('hex')}.part`;
    try {
      await pipeline(metered(this.#sftp.createReadStream(source), options.onProgress, facts.size), createWriteStream(part, { mode: 0o600 }), { signal: options.signal });
      await chmod(part, facts.mode & 0o777);
      await rename(part, destination);
    } catch (error) {
      await rm(part, { force: true });
      throw error;
    }
  }

  async uploadDirectory(source: string, destination: string, options: TransferOptions): Promise<void> {
    const { mode } = await stat(source);
    const made = await this.#makeFolders(destination);
    const count = counter(options);
    await inParallel(await readdir(source, { withFileTypes: true }), async (entry) => {
      options.signal?.throwIfAborted();
      const [from, to] = [join(source, entry.name), `${destination}/${entry.name}`];
      if (entry.isDirectory()) {
        await this.uploadDirectory(from, to, count(entry.name));
      } else if (entry.isSymbolicLink()) {
        await call<void>((done) => this.#sftp.unlink(to, done)).catch(() => {}); // most often there is none
        const target = await readlink(from);
        await call<void>((done) => this.#sftp.symlink(target, to, done));
      } else if (entry.isFile()) {
        await this.upload(from, to, count(entry.name));
      }
    });
    if (made) await call<void>((done) => this.#sftp.chmod(destination, mode & 0o7777, done));
  }

  async downloadDirectory(source: string, destination: string, options: TransferOptions): Promise<void> {
    const { mode } = await this.#stat(source);
    const entries = await call<readonly ssh2.FileEntryWithStats[]>((done) => this.#sftp.readdir(source, done));
    const made = await mkdir(destination, { recursive: true });
    const count = counter(options);
    await inParallel(entries.filter((entry) => isPlainName(entry.filename)), async ({ filename, attrs }) => {
      options.signal?.throwIfAborted();
      const [from, to] = [`${source}/${filename}`, join(destination, filename)];
      if (attrs.isDirectory()) {
        await this.downloadDirectory(from, to, count(filename));
      } else if (attrs.isSymbolicLink()) {
        const target = await call<string>((done) => this.#sftp.readlink(from, done));
        await rm(to, { force: true });
        await symlink(target, to);
      } else if (attrs.isFile()) {
        await rm(to, { force: true }); // never through a link that came from the machine
        await this.download(from, to, count(filename));
      }
    });
    if (made !== undefined) await chmod(destination, mode & 0o777);
  }

  async close(): Promise<void> {
    const closed = once(this.#sftp, 'close');
    this.#sftp.end();
    await closed;
  }

  #stat(path: string): Promise<ssh2.Stats> {
    return call<ssh2.Stats>((done) => this.#sftp.stat(path, done));
  }

  /** As `mkdir -p`; true if the last folder was made. */
  async #makeFolders(path: string): Promise<boolean> {
    if (await this.#stat(path).then((facts) => facts.isDirectory(), () => false)) return false;
    const parent = path.replace(/\/+[^/]*\/*$/, '');
    if (parent !== '' && parent !== path) await this.#makeFolders(parent);
    await call<void>((done) => this.#sftp.mkdir(path, done));
    return true;
  }
}

function call<T>(request: (done: Done<T>) => void): Promise<T> {
  return new Promise((resolve, reject) => {
    request((error, value) => {
      if (error) reject(error);
      else resolve(value);
    });
  });
}

/** A name that stays in its folder: the machine decides what its listings say. */
function isPlainName(name: string): boolean {
  return name !== '' && name !== '.' && name !== '..' && !name.includes('/');
}

async function inParallel<T>(items: readonly T[], work: (item: T) => Promise<void>): Promise<void> {
  const left = [...items];
  const worker = async () => {
    for (let item = left.shift(); item !== undefined; item = left.shift()) await work(item);
  };
  await Promise.all(Array.from({ length: Math.min(parallel, items.length) }, worker));
}

/** Adds up the progress of many files. */
function counter({ signal, onProgress }: TransferOptions): (name: string) => TransferOptions {
  const bytes = new Map<string, number>();
  return (name) => ({
    ...(signal === undefined ? {} : { signal }),
    ...(onProgress === undefined ? {} : {
      onProgress: (done: number) => {
        bytes.set(name, done);
        let all = 0;
        for (const some of bytes.values()) all += some;
        onProgress(all);
      },
    }),
  });
}
