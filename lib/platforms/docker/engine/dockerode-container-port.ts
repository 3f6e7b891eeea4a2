import type { Duplex } from 'node:stream';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { setTimeout as delay } from 'node:timers/promises';
import type Docker from 'dockerode';
import type { ContainerPath, ContainerPort, ContainerProgram } from '../../../communicators/docker-exec/container-port.js';
import { BakeError } from '../../../core/bake-error.js';
import { isDisconnection, reasonOf, statusOf } from './daemon-error.js';
import { StreamDemux } from './stream-demux.js';

/** Bits of Go's FileMode. */
const goDirectory = 2 ** 31;
const goSymlink = 2 ** 27;
const goIrregular = [2 ** 26, 2 ** 25, 2 ** 24, 2 ** 21, 2 ** 19];

/** One running container through the daemon's API. */
export class DockerodeContainerPort implements ContainerPort {
  readonly #container: Docker.Container;

  constructor(container: Docker.Container) {
    this.#container = container;
  }

  async run(program: ContainerProgram): Promise<number> {
    program.signal?.throwIfAborted();
    const { stdin, tty = false, terminal, user, workdir, env } = program;
    const hasInput = stdin !== undefined;
    try {
      const exec = await this.#container.exec({
        Cmd: [...program.argv], AttachStdout: true, AttachStderr: true, AttachStdin: hasInput, Tty: tty,
        ...(user === undefined ? {} : { User: user }), ...(workdir === undefined ? {} : { WorkingDir: workdir }),
        ...(env === undefined ? {} : { Env: Object.entries(env).map(([name, value]) => `${name}=${value}`) }),
      });
      // Only an upgraded connection can be closed in one direction, which is how the program learns that its input is over.
      const size = terminal?.size();
      const socket = await exec.start({ hijack: true, stdin: hasInput, Tty: tty, ...(size === undefined ? {} : { ConsoleSize: [size.rows, size.columns] }) });
      const stopFitting = terminal === undefined ? undefined : keepSize(exec, socket, terminal);
      const said = await converse(socket, program).finally(stopFitting);
      return await exitCodeOf(exec, said, program.signal);
    } catch (error) {
      program.signal?.throwIfAborted();
      if (BakeError.is(error)) throw error;
      throw this.#lost(error) ?? new BakeError({ code: 'CommandNotStarted', source: 'platform', message: `could not start a command in the container: ${reasonOf(error)}`, cause: error });
    }
  }

  async isRunning(): Promise<boolean> {
    return this.#container.inspect().then((facts) => facts.State.Running, () => false);
  }

  async putArchive(folder: string, tar: Readable, signal?: AbortSignal): Promise<void> {
    let failure: Error | undefined;
    tar.once('error', (error) => { failure = error; });
    try {
      await this.#container.putArchive(tar, { path: folder, ...(signal === undefined ? {} : { abortSignal: signal }) });
    } catch (error) {
      signal?.throwIfAborted();
      if (failure !== undefined) throw failure;
      // The daemon refuses before it has read everything, and the broken pipe may be seen before its answer.
      const isGone = isDisconnection(error) && (await this.stat(folder, signal)) === undefined;
      if (isGone || statusOf(error) === 404 && !/no such container/i.test(reasonOf(error))) throw new BakeError({ code: 'UploadFailed', source: 'platform', message: `there is no folder ${folder} in the container`, hint: 'make it first, in a Shell step', cause: error });
      throw this.#lost(error) ?? new BakeError({ code: 'UploadFailed', source: 'platform', message: `could not write to ${folder} in the container: ${reasonOf(error)}`, cause: error });
    }
  }

  async getArchive(path: string, signal?: AbortSignal): Promise<Readable> {
    try {
      const answer = await this.#container.getArchive({ path, ...(signal === undefined ? {} : { abortSignal: signal }) });
      return Readable.from(answer as AsyncIterable<Buffer>, { objectMode: false });
    } catch (error) {
      signal?.throwIfAborted();
      throw this.#lost(error) ?? new BakeError({ code: 'DownloadFailed', source: 'platform', message: `could not read ${path} in the container: ${reasonOf(error)}`, cause: error });
    }
  }

  async stat(path: string, signal?: AbortSignal): Promise<ContainerPath | undefined> {
    try {
      const answer = await this.#container.infoArchive({ path, ...(signal === undefined ? {} : { abortSignal: signal }) }) as unknown as Readable & { headers: Record<string, string> };
      answer.resume();
      const facts = JSON.parse(Buffer.from(answer.headers['x-docker-container-path-stat'] ?? '', 'base64').toString()) as { size: number; mode: number; linkTarget: string };
      const has = (bit: number) => Math.floor(facts.mode / bit) % 2 === 1;
      const type = has(goSymlink) ? 'symlink' : has(goDirectory) ? 'directory' : goIrregular.some(has) ? 'other' : 'file';
      return { type, size: facts.size, ...(type === 'symlink' ? { linkTarget: facts.linkTarget } : {}) };
    } catch (error) {
      signal?.throwIfAborted();
      if (statusOf(error) === 404 && !(await this.#isMissing())) return undefined;
      throw this.#lost(error) ?? new BakeError({ code: 'ConnectionLost', source: 'platform', transient: true, message: `could not look at ${path} in the container: ${reasonOf(error)}`, cause: error });
    }
  }

  /** A HEAD request's 404 has no body that would say what was not found. */
  async #isMissing(): Promise<boolean> {
    return this.#container.inspect().then(() => false, (error: unknown) => statusOf(error) === 404);
  }

  /** The error of a daemon or container that is gone, if that is what it is. */
  #lost(error: unknown): BakeError | undefined {
    const status = statusOf(error);
    const reason = reasonOf(error);
    const isGone = isDisconnection(error) || (status === 404 && /no such container|no such exec/i.test(reason)) || (status === 409 && /not running|is paused/i.test(reason));
    return isGone ? new BakeError({ code: 'ConnectionLost', source: 'platform', transient: true, message: `the container is not there any more: ${reason}`, cause: error }) : undefined;
  }
}

/** Gives the program's terminal the size of another one, now and from now on. */
function keepSize(exec: Docker.Exec, socket: Duplex, terminal: NonNullable<ContainerProgram['terminal']>): () => void {
  const fit = () => {
    const { rows, columns } = terminal.size();
    exec.resize({ h: rows, w: columns }).catch(() => {}); // it has not started yet, or has ended
  };
  fit();
  socket.once('data', fit);
  return terminal.onResize(fit);
}

/** Feeds the input and hands on the output until the program has closed it; resolves with the first words of its output. */
function converse(socket: Duplex, { stdin, tty, onStdout, onStderr, signal }: ContainerProgram): Promise<string> {
  return new Promise((resolve, reject) => {
    let head = '';
    let ended = false;
    const keep = (chunk: Uint8Array) => { if (head.length < 1_000) head += Buffer.from(chunk).toString(); };
    const demux = new StreamDemux((chunk) => { keep(chunk); onStdout?.(chunk); }, (chunk) => { keep(chunk); onStderr?.(chunk); });
    const stop = () => socket.destroy();
    const finish = (settle: () => void) => {
      if (ended) return;
      ended = true;
      signal?.removeEventListener('abort', stop);
      if (stdin instanceof Readable) stdin.destroy();
      socket.destroy();
      settle();
    };
    socket.on('data', (chunk: Buffer) => {
      try {
        if (tty) { keep(chunk); onStdout?.(chunk); } else demux.write(chunk);
      } catch (error) {
        finish(() => reject(error));
      }
    });
    socket.on('end', () => finish(() => resolve(head)));
    socket.on('close', () => finish(() => { if (signal?.aborted) reject(signal.reason); else resolve(head); }));
    // A program that does not read its input breaks the pipe; how it ended is told by its exit code.
    socket.on('error', () => {});
    signal?.addEventListener('abort', stop, { once: true });
    if (signal?.aborted) stop();
    if (stdin instanceof Readable) {
      // A source that fails has the connection closed under the program: half an input must not look like a whole one.
      stdin.once('error', (error) => finish(() => reject(error)));
      pipeline(stdin, socket, { end: true }).catch(() => {});
    } else if (stdin !== undefined) socket.end(stdin);
  });
}

/** The daemon sets the exit code just before or just after it closes the output. */
async function exitCodeOf(exec: Docker.Exec, said: string, signal: AbortSignal | undefined): Promise<number> {
  for (let wait = 1; ; wait = Math.min(wait * 2, 200)) {
    signal?.throwIfAborted();
    const { Running: running, ExitCode: code, Pid: pid } = await exec.inspect();
    if (!running && code !== null) {
      if (pid === 0 && (code === 126 || code === 127)) {
        throw new BakeError({ code: 'CommandNotStarted', source: 'platform', message: `could not start a command in the container: ${said.trim()}`, hint: 'the image needs /bin/sh, and execUser has to be a user of the image' });
      }
      return code;
    }
    await delay(wait);
  }
}
