import { Readable } from 'node:stream';
import type ssh2 from 'ssh2';
import { BakeError } from '../../../core/bake-error.js';
import type { Communicator, RemoteCommand, RemoteResult, TransferOptions, UploadOptions } from '../../../core/communicator.js';
import type { Exec } from '../../../core/ports.js';
import type { Terminal } from '../../../core/terminal.js';
import type { SshConnection } from '../connection.js';
import { downloadWithCat, type Run, uploadWithCat } from './cat-transfer.js';
import { Channels, connectionLost } from './channels.js';
import { runCommand, type RunOptions } from './run-command.js';
import { runShell } from './run-shell.js';
import { Session, type SessionHost } from './session.js';
import { SftpTransfer } from './sftp-transfer.js';
import { downloadWithTar, uploadWithTar } from './tar-transfer.js';
import { transferFailed } from './transfer-error.js';

export interface SshCommunicatorOptions extends Omit<SessionHost, 'signal'> {
  readonly connection: SshConnection;
  readonly exec: Exec;
}

/**
 * A machine over ssh: one connection, one channel for each command. When the connection is lost, the command that runs
 * reports it, and the next call dials again, waiting for the machine as the first one did.
 */
export class SshCommunicator implements Communicator {
  readonly kind = 'ssh';
  readonly #options: SshCommunicatorOptions;
  readonly #closing = new AbortController();
  #dial: Promise<Channels> | undefined;

  constructor(options: SshCommunicatorOptions) {
    this.#options = options;
  }

  /** Dials, unless a connection is open or somebody dials already. @throws BakeError see `Session.open` */
  async connect(signal?: AbortSignal): Promise<Channels> {
    for (;;) {
      signal?.throwIfAborted();
      if (this.#closing.signal.aborted) throw connectionLost(this.#closing.signal.reason);
      const dial = this.#dial ??= this.#open();
      const channels = await untilAborted(dial, signal);
      if (channels.session.isOpen) return channels;
      if (this.#dial === dial) this.#dial = undefined;
    }
  }

  async exec(command: RemoteCommand): Promise<RemoteResult> {
    return this.#run({ ...command, pty: this.#options.connection.pty === true });
  }

  shell(terminal: Terminal, signal?: AbortSignal): Promise<RemoteResult> {
    return this.#onceAgain((channels) => runShell(channels, terminal, signal), signal);
  }

  async upload(source: string | Uint8Array | Readable, destination: string, options: UploadOptions = {}): Promise<void> {
    if (this.#usesSftp) await this.#withSftp('UploadFailed', destination, options.signal, (sftp) => sftp.upload(source, destination, options));
    else await uploadWithCat(this.#transfer, source, destination, options);
  }

  async uploadDirectory(source: string, destination: string, options: TransferOptions = {}): Promise<void> {
    if (!this.#usesSftp && await uploadWithTar(this.#transfer, this.#options.exec, source, destination, options)) return;
    await this.#withSftp('UploadFailed', destination, options.signal, (sftp) => sftp.uploadDirectory(source, destination, options));
  }

  async download(source: string, destination: string, options: TransferOptions = {}): Promise<void> {
    if (this.#usesSftp) await this.#withSftp('DownloadFailed', source, options.signal, (sftp) => sftp.download(source, destination, options));
    else await downloadWithCat(this.#transfer, source, destination, options);
  }

  async downloadDirectory(source: string, destination: string, options: TransferOptions = {}): Promise<void> {
    if (!this.#usesSftp && await downloadWithTar(this.#transfer, this.#options.exec, source, destination, options)) return;
    await this.#withSftp('DownloadFailed', source, options.signal, (sftp) => sftp.downloadDirectory(source, destination, options));
  }

  async close(): Promise<void> {
    this.#closing.abort(new Error('the communicator is closed'));
    const channels = await this.#dial?.catch(() => undefined);
    channels?.session.close();
  }

  get #usesSftp(): boolean {
    return this.#options.connection.fileTransfer === 'sftp';
  }

  #open(): Promise<Channels> {
    const dial = this.#logIn(Session.open, this.#closing.signal); // others may wait for it too, so only closing ends it
    dial.catch(() => { this.#dial = undefined; });
    return dial;
  }

  async #logIn(open: typeof Session.open, signal: AbortSignal): Promise<Channels> {
    const { connection, clock, log } = this.#options;
    return new Channels(await open(connection, { clock, log, signal }), clock);
  }

  readonly #transfer: Run = (options) => this.#run(options);

  async #run(options: RunOptions): Promise<RemoteResult> {
    // Both may fail before there is a channel, which is when they are looked at.
    if (options.stdin instanceof Readable) options.stdin.on('error', () => {});
    options.stdout?.on('error', () => {});
    return this.#onceAgain((channels) => runCommand(channels, options, { clock: this.#options.clock, another: (signal) => this.#logIn(Session.openBare, signal) }), options.signal);
  }

  async #withSftp(code: 'UploadFailed' | 'DownloadFailed', path: string, signal: AbortSignal | undefined, work: (sftp: SftpTransfer) => Promise<void>): Promise<void> {
    const { channel, closed } = await this.#onceAgain(async (channels) => {
      const channel = await channels.open<ssh2.SFTPWrapper>((client, done) => client.sftp(done), signal);
      return { channel, closed: channels.session.closed };
    }, signal);
    const sftp = new SftpTransfer(channel);
    try {
      // The library never answers what was under way when the connection was lost.
      await untilAborted(work(sftp), closed);
    } catch (error) {
      signal?.throwIfAborted();
      if (closed.aborted) throw connectionLost(error);
      throw BakeError.is(error) ? error : transferFailed(code, path, (error as Error).message, error);
    } finally {
      void sftp.close().catch(() => {});
    }
  }

  /**
   * A connection that turns out to be gone before the command started is dialled again, once. Only a server that took the
   * command and died before it could confirm that would see it twice.
   */
  async #onceAgain<T>(work: (channels: Channels) => Promise<T>, signal: AbortSignal | undefined): Promise<T> {
    const channels = await this.connect(signal);
    try {
      return await work(channels);
    } catch (error) {
      if (!(BakeError.is(error) && error.code === 'ConnectionLost') || channels.session.isOpen) throw error;
    }
    return work(await this.connect(signal));
  }
}

/** The dial itself goes on: others wait for it too. */
function untilAborted<T>(promise: Promise<T>, signal: AbortSignal | undefined): Promise<T> {
  if (signal === undefined) return promise;
  return new Promise((resolve, reject) => {
    const onAbort = () => reject(signal.reason as Error);
    signal.addEventListener('abort', onAbort, { once: true });
    promise.then(resolve, reject).finally(() => signal.removeEventListener('abort', onAbort));
  });
}
