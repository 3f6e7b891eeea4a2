import type { Readable, Writable } from 'node:stream';
import { shellQuote } from './quote.js';

export interface TerminalSize {
  readonly columns: number;
  readonly rows: number;
}

/** The terminal of a person who is to be let into a machine. */
export interface Terminal {
  /** What it understands: `xterm-256color`. */
  readonly type: string;
  size(): TerminalSize;
  /** Calls the listener whenever the size has changed, until the returned function is called. */
  onResize(listener: () => void): () => void;
  /** Gives each key as it is pressed, Ctrl-C like any other, and shows what is written, until the work is done. */
  raw<T>(work: (keys: Readable, screen: Writable) => Promise<T>): Promise<T>;
}

/** A command line for `/bin/sh` that becomes the shell which people like best of those that are there. `options` are those of the last resort. */
export function shellFor(type: string, options = ''): string {
  return `TERM=${shellQuote(type)}; export TERM; if [ -x /bin/bash ]; then exec /bin/bash; fi; exec /bin/sh ${options}`;
}
