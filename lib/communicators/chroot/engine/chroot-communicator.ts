import { randomUUID } from 'node:crypto';
import type { FileHandle } from 'node:fs/promises';
import type { Readable } from 'node:stream';
import type { Communicator, RemoteCommand, RemoteResult, TransferOptions, UploadOptions } from '../../../core/communicator.js';
import type { ExecRequest, ExecResult } from '../../../core/ports.js';
import { shellFor, type Terminal } from '../../../core/terminal.js';
import type { CommunicatorHost } from '../../../engine/extension.js';
import type { ChrootConnection } from '../connection.js';
import { allProcesses, endProcesses, markedProcesses, type ProcessFacts, processFacts } from '../linux-processes.js';
import { downloadFile, uploadFile } from './transfer-file.js';
import { downloadFolder, uploadFolder } from './transfer-folder.js';

/** In the environment of all that a command starts, so that it is found when the command is to end. */
const commandVariable = 'BAKE_COMMAND';
/** Milliseconds between TERM and KILL. */
const patience = 1_000;

const environment = {
  PATH: '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin',
  HOME: '/root', USER: 'root', LOGNAME: 'root', SHELL: '/bin/sh', LANG: 'C.UTF-8',
} as const;

export interface ChrootCommunicatorOptions {
  readonly machine: ChrootConnection;
  readonly host: CommunicatorHost;
  readonly namespaces: readonly { readonly name: string; readonly file: FileHandle }[];
  readonly nsenter: string;
}

/** A program to start inside the machine; no shell in between. */
export interface InsideProgram extends Omit<ExecRequest, 'command' | 'args' | 'env' | 'cwd'> {
  readonly argv: readonly string[];
}

/** What transfers need of the machine. */
export interface Inside {
  readonly host: CommunicatorHost;
  run(program: InsideProgram): Promise<ExecResult>;
  isAlive(): Promise<boolean>;
  readonly machine: ChrootConnection;
}

/** Runs commands as root of a tree, inside its namespaces; files go in and out through programs that run there too, so no link in the tree leads out of it. */
export class ChrootCommunicator implements Communicator, Inside {
  readonly kind = 'chroot';
  readonly machine: ChrootConnection;
  readonly host: CommunicatorHost;
  readonly #namespaces: ChrootCommunicatorOptions['namespaces'];
  readonly #nsenter: string;

  constructor(options: ChrootCommunicatorOptions) {
    this.machine = options.machine;
    this.host = options.host;
    this.#namespaces = options.namespaces;
    this.#nsenter = options.nsenter;
  }

  async exec({ command, ...rest }: RemoteCommand): Promise<RemoteResult> {
    const { code, signal } = await this.run({ argv: ['/bin/sh', '-c', command], ...rest });
    if (code !== 0 && !(await this.isAlive())) return { code: null, disconnected: true };
    return { code, ...(signal === null ? {} : { signal }), disconnected: false };
  }

  /** The terminal itself goes to the shell, which then shares it with this process. */
  async shell(terminal: Terminal, signal?: AbortSignal): Promise<RemoteResult> {
    // Who started it is not in its namespace: a shell that tried to hand the terminal back to that at its end would fail.
    const { code } = await this.run({ argv: ['/bin/sh', '-c', shellFor(terminal.type, '+m')], terminal: true, ...(signal === undefined ? {} : { signal }) });
    return await this.isAlive() ? { code, disconnected: false } : { code: null, disconnected: true };
  }

  upload(source: string | Uint8Array | Readable, destination: string, options: UploadOptions = {}): Promise<void> {
    return uploadFile(this, source, destination, options);
  }
  uploadDirectory(source: string, destination: string, options: TransferOptions = {}): Promise<void> {
    return uploadFolder(this, source, destination, options);
  }
  download(source: string, destination: string, options: TransferOptions = {}): Promise<void> {
    return downloadFile(this, source, destination, options);
  }
  downloadDirectory(source: string, destination: string, options: TransferOptions = {}): Promise<void> {
    return downloadFolder(this, source, destination, options);
  }

  async close(): Promise<void> {
    await Promise.all(this.#namespaces.map(({ file }) => file.close()));
  }

  async isAlive(): Promise<boolean> {
    const facts = await processFacts(this.machine.init);
    return facts?.start === this.machine.initStart && !facts.isExiting;
  }

  /** Runs a program inside to its end; an abort ends it with all that it started. */
  async run({ argv, signal, ...rest }: InsideProgram): Promise<ExecResult> {
    signal?.throwIfAborted();
    const mark = randomUUID();
    const variables = Object.entries({ ...environment, ...this.machine.env, [commandVariable]: mark }).map(([name, value]) => `${name}=${value}`);
    const spaces = this.#namespaces.map(({ name, file }) => `--${optionOf(name)}=/proc/${process.pid}/fd/${file.fd}`);
    let ending: Promise<void> | undefined;
    const onAbort = () => { ending = endProcesses(() => withDescendants(mark), this.host.clock, patience); };
    signal?.addEventListener('abort', onAbort, { once: true });
    try {
      // The variables of this process stay out of the machine, and so does its umask.
      const args = ['-c', 'umask 022 && exec env -i "$@"', 'sh', ...variables, this.#nsenter, ...spaces, '--', ...argv];
      return await this.host.exec.run({ command: '/bin/sh', args, killAfter: patience, ...(signal === undefined ? {} : { signal }), ...rest });
    } finally {
      signal?.removeEventListener('abort', onAbort);
      await ending;
    }
  }
}

function optionOf(namespace: string): string {
  return namespace === 'mnt' ? 'mount' : namespace;
}

/** What carries the mark, and what came of it with another environment. */
async function withDescendants(mark: string): Promise<readonly ProcessFacts[]> {
  const marked = await markedProcesses(commandVariable, mark);
  if (marked.length === 0) return [];
  const all = await allProcesses();
  const found = new Map(marked.map((facts) => [facts.pid, facts]));
  for (let before = 0; before !== found.size;) {
    before = found.size;
    for (const facts of all) if (found.has(facts.parent)) found.set(facts.pid, facts);
  }
  return [...found.values()];
}
