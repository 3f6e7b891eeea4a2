import type { Environment } from './style.js';

/** The signs in front of lines. */
export interface Symbols {
  readonly done: string;
  readonly failed: string;
  readonly warned: string;
  readonly skipped: string;
  readonly waiting: string;
  readonly started: string;
  readonly removing: string;
  readonly bar: string;
  readonly branch: string;
  readonly lastBranch: string;
  readonly pointer: string;
  readonly arrow: string;
  readonly full: string;
  readonly empty: string;
  readonly spinner: readonly string[];
}

export const unicodeSymbols: Symbols = {
  done: '✔', failed: '✖', warned: '▲', skipped: '◌', waiting: '◦', started: '▸', removing: '▾', bar: '│', branch: '├─', lastBranch: '└─',
  pointer: '›', arrow: '→', full: '━', empty: '─', spinner: ['⠋', '⠙', '⠹', '⠸', '⠼', '⠴', '⠦', '⠧', '⠇', '⠏'],
};

export const asciiSymbols: Symbols = {
  done: '+', failed: 'x', warned: '!', skipped: '-', waiting: '.', started: '>', removing: 'v', bar: '|', branch: '|-', lastBranch: '`-',
  pointer: '>', arrow: '->', full: '=', empty: '-', spinner: ['|', '/', '-', '\\'],
};

/** Plain letters where the console is known to have no others. */
export function symbolsFor(env: Environment): Symbols {
  return env['TERM'] === 'linux' || env['TERM'] === 'dumb' ? asciiSymbols : unicodeSymbols;
}
