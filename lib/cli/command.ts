import type { Exec } from '../core/ports.js';
import type { Terminal } from '../core/terminal.js';
import type { Toolkit } from '../toolkit/toolkit-api.js';
import type { Arguments } from './arguments/arguments.js';
import type { Interrupts } from './interrupts.js';
import type { OutputStream } from './terminal/output-stream.js';
import type { Environment, Style } from './terminal/style.js';
import type { Symbols } from './terminal/symbols.js';

/** The world as a command line sees it; `runProcess` makes it of `process`, a test of nothing. */
export interface CliIo {
  readonly stdout: OutputStream;
  readonly stderr: OutputStream;
  readonly stdin: NodeJS.ReadableStream & { readonly isTTY?: boolean };
  readonly env: Environment;
  readonly cwd: string;
  readonly now: () => number;
  readonly interrupts: Interrupts;
  /** Calls `tick` every so many milliseconds until the returned function is called. */
  readonly every: (milliseconds: number, tick: () => void) => () => void;
  /** Reads what is typed while nobody asks, and tells of every line end in it, until the returned function is called. */
  readonly typed: (onLines: (count: number) => void) => () => void;
  /** The terminal, for a session in a machine; undefined if there is none. */
  readonly terminal: () => Terminal | undefined;
  /** Calls `restore` if the process ends before the returned function is called. */
  readonly beforeExit: (restore: () => void) => () => void;
  /** Loaded when first needed. */
  readonly toolkit: () => Promise<Toolkit>;
  readonly exec: () => Promise<Exec>;
}

/** What a command is given. */
export interface CommandContext {
  readonly args: Arguments;
  readonly io: CliIo;
  /** For standard output. */
  readonly outStyle: Style;
  /** For standard error. */
  readonly errStyle: Style;
  readonly symbols: Symbols;
}

/** Carries a command out and gives the exit code. What it throws is shown by `main`. */
export type Command = (context: CommandContext) => Promise<number>;
