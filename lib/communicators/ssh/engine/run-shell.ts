import type ssh2 from 'ssh2';
import type { RemoteResult } from '../../../core/communicator.js';
import type { Terminal } from '../../../core/terminal.js';
import type { Channels } from './channels.js';

/** Gives the terminal to the user's login shell. An abort closes the channel, which the machine takes for a terminal that has gone. */
export async function runShell(channels: Channels, terminal: Terminal, signal: AbortSignal | undefined): Promise<RemoteResult> {
  const { columns, rows } = terminal.size();
  const channel = await channels.open<ssh2.ClientChannel>((client, done) => client.shell({ term: terminal.type, cols: columns, rows }, done), signal);
  const close = () => channel.close();
  signal?.addEventListener('abort', close, { once: true });
  if (signal?.aborted) close();
  const stopFitting = terminal.onResize(() => {
    const now = terminal.size();
    channel.setWindow(now.rows, now.columns, 0, 0);
  });
  try {
    const result = await terminal.raw((keys, screen) => new Promise<RemoteResult>((resolve) => {
      channel.on('error', () => {}); // its close tells the rest
      channel.on('data', (chunk: Buffer) => { screen.write(chunk); });
      // Its arguments are those of the exit; without one the connection was lost.
      channel.on('close', (code?: number | null, exitSignal?: string) => resolve({ code: code ?? null, ...(exitSignal === undefined ? {} : { signal: exitSignal }), disconnected: code === undefined }));
      keys.pipe(channel);
    }));
    signal?.throwIfAborted();
    return result;
  } finally {
    stopFitting();
    signal?.removeEventListener('abort', close);
  }
}
