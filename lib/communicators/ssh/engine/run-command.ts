import { randomBytes } from 'node:crypto';
import { Readable, type Writable } from 'node:stream';
import type ssh2 from 'ssh2';
import type { RemoteCommand, RemoteResult } from '../../../core/communicator.js';
import { LineSplitter } from '../../../core/lines.js';
import { shellQuote } from '../../../core/quote.js';
import type { Channels } from './channels.js';
import { killRemote, type KillOptions } from './kill-remote.js';
import { narrowWindow } from './narrow-window.js';

export interface RunOptions extends RemoteCommand {
  /** Takes the raw standard output instead of lines; if it fails, the command is ended. */
  readonly stdout?: Writable;
  readonly pty?: boolean;
}

/**
 * Runs one command in one channel. The shell first tells its process id on a line of its own, which is not handed on: that
 * is how an abort finds the command and all that it started.
 */
export async function runCommand(channels: Channels, options: RunOptions, host: Pick<KillOptions, 'clock' | 'another'>): Promise<RemoteResult> {
  const { signal, stdin } = options;
  const mark = `bake-${randomBytes(6).toString('hex')}:`;
  // The user's login shell may be one that knows neither `$$` nor `>&2`: it only has to start the machine's own.
  const command = `exec /bin/sh -c ${shellQuote(`echo ${mark}$$ >&2; ${options.command}`)}`;
  let asked = 0;
  const channel = await channels.open<ssh2.ClientChannel>((client, done) => {
    asked = host.clock.now(); // it may have waited for its turn
    client.exec(command, options.pty === true ? { pty: true } : {}, done);
  }, signal);
  if (stdin instanceof Readable) narrowWindow(channel, channels.session.client, host.clock.now() - asked);

  return new Promise((resolve, reject) => {
    let pid: string | undefined;
    let failure: Error | undefined;
    let told = (): void => {};
    const pidTold = new Promise<void>((resolve) => { told = resolve; });
    const isMark = (line: string) => {
      if (pid !== undefined || !line.startsWith(mark)) return false;
      pid = line.slice(mark.length);
      told();
      return true;
    };

    const stdout = new LineSplitter((line) => { if (!(options.pty === true && isMark(line))) options.onStdout?.(line); });
    const stderr = new LineSplitter((line) => { if (!isMark(line)) options.onStderr?.(line); });
    if (options.stdout === undefined) channel.on('data', (chunk: Buffer) => stdout.write(chunk));
    else channel.pipe(options.stdout).on('error', (error) => stop(error));
    channel.stderr.on('data', (chunk: Buffer) => stderr.write(chunk));
    channel.on('error', () => {}); // its close tells the rest

    const stop = (reason: Error) => {
      if (failure !== undefined) return;
      failure = reason;
      if (options.stdout !== undefined) channel.unpipe(options.stdout).resume(); // or it would never see its end
      void killRemote({ ...host, channels, channel, pid: () => pid, pidTold });
    };
    const onAbort = () => stop(signal?.reason as Error);
    signal?.addEventListener('abort', onAbort, { once: true });
    const release = feed(channel, stdin, stop, options.pty === true);

    // Its arguments are those of the exit, which itself may have come before anybody could listen.
    channel.on('close', (code?: number | null, exitSignal?: string) => {
      signal?.removeEventListener('abort', onAbort);
      release();
      stdout.end();
      stderr.end();
      // Whoever ends a command on purpose must not go on before it is gone.
      if (failure !== undefined) reject(failure);
      else resolve({ code: code ?? null, ...(exitSignal === undefined ? {} : { signal: exitSignal }), disconnected: code === undefined });
    });
    if (signal?.aborted) onAbort();
    if (options.stdout?.errored) stop(options.stdout.errored); // it failed before there was a channel
  });
}

/** Sends the input and its end; returns what is to be done once the command takes no more. */
function feed(channel: ssh2.ClientChannel, stdin: RemoteCommand['stdin'], fail: (error: Error) => void, pty: boolean): () => void {
  if (stdin instanceof Readable) {
    // It may have failed before there was a channel. Half an input must not look like a whole one.
    const onClose = () => { if (!stdin.readableEnded) fail(stdin.errored ?? new Error('the input was closed before its end')); };
    if (stdin.destroyed) onClose();
    stdin.on('close', onClose).pipe(channel);
    return () => {
      stdin.off('close', onClose).unpipe(channel);
      stdin.destroy();
    };
  }
  // A terminal has no end of file but the key for it.
  if (stdin !== undefined) channel.end(pty ? Buffer.concat([Buffer.from(stdin), Buffer.from('\x04')]) : stdin);
  else if (pty) channel.write('\x04');
  else channel.end();
  return () => {};
}
