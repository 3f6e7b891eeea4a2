import { posix } from 'node:path';
import type { Readable } from 'node:stream';
import type { ContainerPath, ContainerPort, ContainerProgram } from '../../../communicators/docker-exec/container-port.js';
import { BakeError } from '../../../core/bake-error.js';
import { type FakeFiles, packFrom, unpackInto } from './fake-files.js';
import { type FakeProgram, inputOf } from './fake-shell.js';

/** A container of `FakeDockerEngine` from the inside. */
export interface FakeInside {
  readonly files: FakeFiles;
  isRunning: boolean;
  /** Killed with the container. */
  readonly processes: Set<AbortController>;
}

/** The inside of a fake container; `inside` gives undefined when it is gone. */
export class FakeContainerPort implements ContainerPort {
  readonly #inside: () => FakeInside | undefined;
  readonly #program: FakeProgram;
  readonly #enter: (call: string) => Promise<void>;

  constructor(options: { readonly inside: () => FakeInside | undefined; readonly program: FakeProgram; readonly enter: (call: string) => Promise<void> }) {
    this.#inside = options.inside;
    this.#program = options.program;
    this.#enter = options.enter;
  }

  async run(program: ContainerProgram): Promise<number> {
    program.signal?.throwIfAborted();
    const inside = await this.#running('run');
    const [command, , script = ''] = program.argv;
    // The one program that kills others: it is known by how it begins.
    if (command === '/bin/sh' && script.includes('kill -$signal')) {
      for (const process of inside.processes) process.abort();
      return 0;
    }
    const process = new AbortController();
    inside.processes.add(process);
    const detached = new Promise<never>((_, reject) => { program.signal?.addEventListener('abort', () => reject(program.signal?.reason), { once: true }); });
    try {
      const code = await Promise.race([detached, this.#program({
        argv: program.argv, files: inside.files, stdin: () => inputOf(program), killed: process.signal,
        out: (text) => program.onStdout?.(Buffer.from(text as string)), err: (text) => (program.tty ? program.onStdout : program.onStderr)?.(Buffer.from(text)),
      })]);
      return this.#inside()?.isRunning === true ? code : 137;
    } finally {
      inside.processes.delete(process);
    }
  }

  async isRunning(): Promise<boolean> {
    return this.#inside()?.isRunning === true;
  }

  async putArchive(folder: string, tar: Readable): Promise<void> {
    const { files } = await this.#running('putArchive');
    if (folder !== '/' && files.get(folder)?.type !== 'directory') throw new BakeError({ code: 'UploadFailed', source: 'platform', message: `there is no folder ${folder} in the container` });
    await unpackInto(files, folder, tar);
  }

  async getArchive(path: string): Promise<Readable> {
    const { files } = await this.#running('getArchive');
    if (await this.stat(path) === undefined) throw new BakeError({ code: 'DownloadFailed', source: 'platform', message: `could not read ${path} in the container` });
    return packFrom(files, path);
  }

  async stat(path: string): Promise<ContainerPath | undefined> {
    const { files } = await this.#running('stat');
    const name = posix.resolve('/', path);
    if (name === '/') return { type: 'directory', size: 0 };
    const file = files.get(name);
    return file === undefined ? undefined : { type: file.type, size: file.content.length, ...(file.linkTarget === undefined ? {} : { linkTarget: posix.resolve(posix.dirname(name), file.linkTarget) }) };
  }

  async #running(call: string): Promise<FakeInside> {
    await this.#enter(call);
    const inside = this.#inside();
    if (inside?.isRunning !== true) throw new BakeError({ code: 'ConnectionLost', source: 'platform', transient: true, message: 'the container is not there any more' });
    return inside;
  }
}
