import { posix } from 'node:path';
import { PassThrough, Readable } from 'node:stream';
import { BakeError } from '../../core/bake-error.js';
import type { Communicator, RemoteCommand, RemoteResult, TransferOptions, UploadOptions } from '../../core/communicator.js';
import { LineSplitter } from '../../core/lines.js';
import type { Clock } from '../../core/ports.js';
import { shellFor, type Terminal } from '../../core/terminal.js';
import { shellQuote } from '../../core/quote.js';
import type { ContainerPort, ContainerProgram } from './container-port.js';
import type { DockerExecConnection } from './docker-exec-connection.js';
import { leadsIntoMemory } from './memory-folders.js';
import { ownerOf } from './owner.js';
import { announced, killRemote, PidReader } from './remote-process.js';
import { fileFromTar, folderFromTar } from './tar-in.js';
import { type Owner, tarOfFile, tarOfFolder } from './tar-out.js';
import { archiveTransfer, followLinks, programTransfer, type Transfer } from './transfer.js';

/** What was typed too early would be echoed before the process has told its id. */
function heldBack(keys: Readable, until: Promise<unknown>): Readable {
  const held = new PassThrough();
  void until.then(() => keys.pipe(held));
  return held;
}

/** A command line, with its output as it comes. */
interface Program extends Pick<RemoteCommand, 'command' | 'stdin' | 'signal'>, Pick<ContainerProgram, 'terminal'> {
  readonly tty: boolean;
  readonly onStdout: (chunk: Uint8Array) => void;
  readonly onStderr: (chunk: Uint8Array) => void;
  /** All output has come. */
  readonly onEnd: () => void;
}

/** The exit code of a process that KILL ended, which is also how it looks when the container was stopped. */
const killed = 137;

/**
 * Works in a running container through its engine's API: commands as programs started in it, files as tar streams.
 * Nothing has to be installed in the image but `/bin/sh`.
 */
export class DockerExecCommunicator implements Communicator {
  readonly kind = 'docker-exec';
  readonly #port: ContainerPort;
  readonly #connection: DockerExecConnection;
  readonly #clock: Clock;
  #owner: Promise<Owner> | undefined;

  constructor(options: { readonly port: ContainerPort; readonly connection: DockerExecConnection; readonly clock: Clock }) {
    this.#port = options.port;
    this.#connection = options.connection;
    this.#clock = options.clock;
  }

  async exec(command: RemoteCommand): Promise<RemoteResult> {
    const stdout = new LineSplitter((line) => command.onStdout?.(line));
    const stderr = new LineSplitter((line) => command.onStderr?.(line));
    // A terminal has no end of file that could be sent after the input, so a command with input goes without one.
    const tty = this.#connection.pty === true && command.stdin === undefined;
    return this.#run({ ...command, tty, onStdout: (chunk) => stdout.write(chunk), onStderr: (chunk) => stderr.write(chunk), onEnd: () => { stdout.end(); stderr.end(); } });
  }

  shell(terminal: Terminal, signal?: AbortSignal): Promise<RemoteResult> {
    return terminal.raw((keys, screen) => this.#run({
      command: shellFor(terminal.type), stdin: keys, tty: true, terminal, onStdout: (chunk) => { screen.write(chunk); }, onStderr: () => {}, onEnd: () => {}, ...(signal === undefined ? {} : { signal }),
    }));
  }

  async #run(command: Program): Promise<RemoteResult> {
    command.signal?.throwIfAborted();
    const { user, workdir, env } = this.#connection;
    const { tty, terminal, onStdout, onStderr } = command;
    const pids = new PidReader(tty ? onStdout : onStderr);
    const stdin = terminal !== undefined && command.stdin instanceof Readable ? heldBack(command.stdin, pids.pid) : command.stdin;
    const detach = new AbortController();
    const ended = this.#port.run({
      argv: announced(command.command),
      ...(user === undefined ? {} : { user }), ...(workdir === undefined ? {} : { workdir }), ...(env === undefined ? {} : { env }), ...(stdin === undefined ? {} : { stdin }),
      tty, ...(terminal === undefined ? {} : { terminal }),
      onStdout: (chunk) => { if (tty) pids.write(chunk); else onStdout(chunk); },
      onStderr: (chunk) => pids.write(chunk),
      signal: detach.signal,
    }).finally(() => { pids.end(); command.onEnd(); });
    const kill = () => void this.#kill(pids.pid, ended, user).finally(() => detach.abort(command.signal?.reason));
    command.signal?.addEventListener('abort', kill, { once: true });
    try {
      const code = await ended;
      command.signal?.throwIfAborted();
      if (code === killed && await this.#isStopped()) return { code: null, disconnected: true };
      return { code, disconnected: false };
    } catch (error) {
      if (!command.signal?.aborted && BakeError.is(error) && error.code === 'ConnectionLost') return { code: null, disconnected: true };
      throw error;
    } finally {
      command.signal?.removeEventListener('abort', kill);
    }
  }

  async upload(source: string | Uint8Array | Readable, destination: string, options: UploadOptions = {}): Promise<void> {
    const path = this.#resolve(destination);
    if (source instanceof Readable) return this.#uploadStream(source, path, options);
    await this.#guard('UploadFailed', `${typeof source === 'string' ? source : 'content'} to ${path}`, options.signal, async () => {
      const owner = await this.#uploadOwner();
      const tar = await tarOfFile(source, posix.basename(path), { ...options, owner });
      const transfer = await this.#transfer(posix.dirname(path), options.signal);
      await transfer.put(posix.dirname(path), tar, options.signal).finally(() => tar.destroy());
    });
  }

  async uploadDirectory(source: string, destination: string, options: TransferOptions = {}): Promise<void> {
    const path = this.#resolve(destination);
    await this.#guard('UploadFailed', `${source} to ${path}`, options.signal, async () => {
      const transfer = await this.#transfer(path, options.signal);
      const [owner, { path: target, facts }] = await Promise.all([this.#uploadOwner(), followLinks(transfer, path, options.signal)]);
      if (facts !== undefined && facts.type !== 'directory') throw new Error(`${path} is there and is no folder`);
      const isThere = facts !== undefined;
      const tar = await tarOfFolder(source, isThere ? '' : target.slice(1), { ...options, owner });
      await transfer.put(isThere ? target : '/', tar, options.signal).finally(() => tar.destroy());
    });
  }

  async download(source: string, destination: string, options: TransferOptions = {}): Promise<void> {
    const path = this.#resolve(source);
    await this.#guard('DownloadFailed', `${path} to ${destination}`, options.signal, async () => {
      const transfer = await this.#transfer(path, options.signal);
      const { path: target, facts } = await followLinks(transfer, path, options.signal);
      if (facts === undefined) throw new Error('there is no such file');
      if (facts.type !== 'file') throw new Error(`it is no file but a ${facts.type}`);
      await fileFromTar(await transfer.get(target, options.signal), destination, options);
    });
  }

  async downloadDirectory(source: string, destination: string, options: TransferOptions = {}): Promise<void> {
    const path = this.#resolve(source);
    await this.#guard('DownloadFailed', `${path} to ${destination}`, options.signal, async () => {
      const transfer = await this.#transfer(path, options.signal);
      const { path: target, facts } = await followLinks(transfer, path, options.signal);
      if (facts?.type !== 'directory') throw new Error(facts === undefined ? 'there is no such folder' : `it is no folder but a ${facts.type}`);
      await folderFromTar(await transfer.get(`${target.replace(/\/$/, '')}/.`, options.signal), destination, options);
    });
  }

  async close(): Promise<void> {} // each call is a connection of its own

  /** A stream of unknown length cannot go into a tar, so it is fed to a program that writes the file. */
  async #uploadStream(source: Readable, path: string, { mode = 0o644, signal, onProgress }: UploadOptions): Promise<void> {
    let sent = 0;
    const failure = { reason: undefined as unknown };
    source.once('error', (error) => { failure.reason = error; });
    async function* counted() {
      for await (const chunk of source as AsyncIterable<Uint8Array | string>) {
        const bytes = typeof chunk === 'string' ? Buffer.from(chunk) : chunk;
        yield bytes;
        onProgress?.(sent += bytes.length);
      }
    }
    await this.#guard('UploadFailed', `a stream to ${path}`, signal, async () => {
      const stderr: string[] = [];
      const give = new AbortController();
      source.once('error', (error) => give.abort(error));
      const script = 'rm -f -- "$1" && umask 077 && cat > "$1" && chmod "$2" -- "$1"';
      const command = `set -- ${shellQuote(path)} ${mode.toString(8)}; ${script}`;
      const signals = signal === undefined ? give.signal : AbortSignal.any([signal, give.signal]);
      const { code, disconnected } = await this.exec({ command, stdin: Readable.from(counted()), onStderr: (line) => { stderr.push(line); }, signal: signals });
      if (disconnected) throw new BakeError({ code: 'ConnectionLost', source: 'platform', transient: true, message: 'the container went away' });
      if (code !== 0) throw new Error(stderr.join('; ') || `exit code ${code}`);
    }).catch((error: unknown) => { throw signal?.aborted ? signal.reason : failure.reason ?? error; });
  }

  /** A container that is being stopped says for a moment that it is running, while its programs are dead already. */
  async #isStopped(): Promise<boolean> {
    for (const wait of [50, 100, 200]) {
      if (!(await this.#port.isRunning())) return true;
      await this.#clock.sleep(wait);
    }
    return !(await this.#port.isRunning());
  }

  async #kill(pid: Promise<number | undefined>, ended: Promise<unknown>, user: string | undefined): Promise<void> {
    const stop = new AbortController();
    const known = await Promise.race([pid, this.#clock.sleep(2_000, stop.signal).then(() => undefined, () => undefined)]);
    stop.abort();
    if (known === undefined) return;
    await killRemote(this.#port, known, { ended, clock: this.#clock, user }).catch(() => {}); // the container is gone, and the command with it
  }

  #resolve(path: string): string {
    return posix.resolve('/', this.#connection.workdir ?? '/', path);
  }

  /** By the way that sees a path: what the archive calls write below a memory file system would be hidden, and in the image. */
  async #transfer(path: string, signal: AbortSignal | undefined): Promise<Transfer> {
    const archive = archiveTransfer(this.#port);
    return await leadsIntoMemory(archive, path, this.#connection.tmpfs, signal) ? programTransfer(this.#port, this.#connection.user) : archive;
  }

  async #uploadOwner(): Promise<Owner | undefined> {
    if (this.#connection.fixUploadOwner === false) return undefined;
    this.#owner ??= ownerOf(this.#port, this.#connection.user);
    return this.#owner;
  }

  async #guard(code: 'UploadFailed' | 'DownloadFailed', what: string, signal: AbortSignal | undefined, work: () => Promise<void>): Promise<void> {
    try {
      signal?.throwIfAborted();
      await work();
    } catch (error) {
      if (signal?.aborted) throw signal.reason;
      if (BakeError.is(error)) throw error;
      const reason = error instanceof Error ? error.message : String(error);
      throw new BakeError({ code, source: 'platform', message: `could not copy ${what}: ${reason}`, cause: error });
    }
  }
}
