import { createReadStream, createWriteStream } from 'node:fs';
import { chmod, cp, mkdir, readdir, rm, stat } from 'node:fs/promises';
import { isAbsolute, join, resolve } from 'node:path';
import { Readable, Transform } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { BakeError } from '../../../core/bake-error.js';
import type { Communicator, RemoteCommand, RemoteResult, TransferOptions, UploadOptions } from '../../../core/communicator.js';
import type { Exec } from '../../../core/ports.js';

export interface LocalCommunicatorOptions {
  readonly exec: Exec;
  /** Where commands run and relative paths start. @default - the folder in which `bake` was started */
  readonly cwd?: string;
}

/** This machine, as if it were a remote one: commands through `/bin/sh`, transfers as copies. */
export class LocalCommunicator implements Communicator {
  readonly kind = 'local';
  readonly #exec: Exec;
  readonly #cwd: string | undefined;

  constructor(options: LocalCommunicatorOptions) {
    this.#exec = options.exec;
    this.#cwd = options.cwd;
  }

  async exec({ command, stdin, onStdout, onStderr, signal }: RemoteCommand): Promise<RemoteResult> {
    const result = await this.#exec.run({
      command: '/bin/sh', args: ['-c', command],
      ...(this.#cwd === undefined ? {} : { cwd: this.#cwd }), ...(stdin === undefined ? {} : { stdin }),
      ...(onStdout === undefined ? {} : { onStdout }), ...(onStderr === undefined ? {} : { onStderr }), ...(signal === undefined ? {} : { signal }),
    });
    return { code: result.code, ...(result.signal === null ? {} : { signal: result.signal }), disconnected: false };
  }

  async upload(source: string | Uint8Array | Readable, destination: string, options: UploadOptions = {}): Promise<void> {
    await failingAs('UploadFailed', destination, options.signal, async () => {
      const facts = typeof source === 'string' ? await stat(source) : undefined;
      const content = typeof source === 'string' ? createReadStream(source) : source instanceof Uint8Array ? Readable.from([source]) : source;
      const total = facts?.size ?? (source instanceof Uint8Array ? source.byteLength : undefined);
      await this.#write(content, this.#path(destination), options, total);
      await chmod(this.#path(destination), options.mode ?? (facts === undefined ? 0o644 : facts.mode & 0o7777));
    });
  }

  async uploadDirectory(source: string, destination: string, options: TransferOptions = {}): Promise<void> {
    await failingAs('UploadFailed', destination, options.signal, () => copyFolder(source, this.#path(destination), options));
  }

  async download(source: string, destination: string, options: TransferOptions = {}): Promise<void> {
    await failingAs('DownloadFailed', source, options.signal, async () => {
      const facts = await stat(this.#path(source));
      if (!facts.isFile()) throw new Error('it is not a file');
      const { size, mode } = facts;
      await this.#write(createReadStream(this.#path(source)), destination, options, size);
      await chmod(destination, mode & 0o7777);
    });
  }

  async downloadDirectory(source: string, destination: string, options: TransferOptions = {}): Promise<void> {
    await failingAs('DownloadFailed', source, options.signal, () => copyFolder(this.#path(source), destination, options));
  }

  async close(): Promise<void> {}

  #path(path: string): string {
    return isAbsolute(path) || this.#cwd === undefined ? path : resolve(this.#cwd, path);
  }

  async #write(content: Readable, path: string, { signal, onProgress }: TransferOptions, total: number | undefined): Promise<void> {
    let done = 0;
    const meter = new Transform({
      transform(chunk: Uint8Array, _encoding, next) {
        done += chunk.byteLength;
        onProgress?.(done, total);
        next(null, chunk);
      },
    });
    // What will be a secret must not be readable before it has its mode.
    try {
      await pipeline(content, meter, createWriteStream(path, { mode: 0o600 }), signal === undefined ? {} : { signal });
    } catch (error) {
      if (done > 0) await rm(path, { force: true }); // half a file is worse than none
      throw error;
    }
  }
}

async function copyFolder(source: string, destination: string, { signal }: TransferOptions): Promise<void> {
  const { mode } = await stat(source);
  const names = await readdir(source);
  if (await mkdir(destination, { recursive: true }) !== undefined) await chmod(destination, mode & 0o7777);
  const filter = () => {
    signal?.throwIfAborted();
    return true;
  };
  for (const name of names) {
    await cp(join(source, name), join(destination, name), { recursive: true, force: true, verbatimSymlinks: true, preserveTimestamps: true, filter });
  }
}

async function failingAs(code: 'UploadFailed' | 'DownloadFailed', path: string, signal: AbortSignal | undefined, copy: () => Promise<void>): Promise<void> {
  signal?.throwIfAborted();
  try {
    await copy();
  } catch (error) {
    signal?.throwIfAborted();
    const reason = error instanceof Error ? error.message : String(error);
    throw new BakeError({ code, message: `could not copy ${path}: ${reason}`, hint: 'see whether the path is right, its folder exists and may be written to', cause: error });
  }
}
