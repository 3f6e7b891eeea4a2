import { PassThrough, type Writable } from 'node:stream';
import { defaultColumns, defaultRows } from './output-stream.js';
import type { Terminal } from '../../core/terminal.js';

/** The parts of `process` that are a terminal. */
export interface TerminalStreams {
  readonly stdin: Pick<NodeJS.ReadStream, 'isTTY' | 'setRawMode' | 'on' | 'off' | 'resume' | 'pause'>;
  readonly stdout: Writable & { readonly isTTY?: boolean; readonly columns?: number; readonly rows?: number };
  readonly stderr: { readonly isTTY?: boolean };
  readonly env: { readonly TERM?: string | undefined };
}

/** The terminal of this process; undefined if it is not wholly in one. */
export function systemTerminal({ stdin, stdout, stderr, env }: TerminalStreams): Terminal | undefined {
  if (stdin.isTTY !== true || stdout.isTTY !== true || stderr.isTTY !== true) return undefined;
  return {
    type: env.TERM ?? 'dumb',
    size: () => ({ columns: stdout.columns ?? defaultColumns, rows: stdout.rows ?? defaultRows }),
    onResize: (listener) => {
      stdout.on('resize', listener);
      return () => stdout.off('resize', listener);
    },
    async raw(work) {
      // A stream of its own: whoever is done with it may close it.
      const keys = new PassThrough();
      const onData = (chunk: Buffer): void => { if (!keys.destroyed) keys.write(chunk); };
      stdin.setRawMode(true);
      stdin.on('data', onData);
      stdin.resume();
      try {
        return await work(keys, stdout);
      } finally {
        stdin.off('data', onData);
        stdin.pause();
        stdin.setRawMode(false);
        keys.destroy();
      }
    },
  };
}
