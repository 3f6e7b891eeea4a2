import type { Command } from '../command.js';

/** What a shell may offer for a value: names of builds, files, or a closed list. */
export type Completion = 'file' | 'folder' | 'build' | 'platform' | readonly string[];

export interface OptionSpec {
  /** Without dashes. */
  readonly name: string;
  readonly short?: string;
  readonly summary: string;
  /** What stands for the value in the help. @default - a flag: it takes no value */
  readonly value?: string;
  /** May be given without its value: `--cache`, `--cache=this`. */
  readonly isValueOptional?: boolean;
  /** May be given several times. */
  readonly isRepeated?: boolean;
  /** Several values may be given between commas. */
  readonly isList?: boolean;
  /** Must be a whole number of 1 or more. */
  readonly isCount?: boolean;
  /** The only values there are. */
  readonly choices?: readonly string[];
  readonly completion?: Completion;
}

export interface PositionalSpec {
  readonly name: string;
  readonly isVariadic?: boolean;
  readonly isRequired?: boolean;
  readonly choices?: readonly string[];
  readonly completion?: Completion;
}

/** One row of the table that gives parsing, help, completion and "did you mean". */
export interface CommandSpec {
  readonly name: string;
  /** One line. */
  readonly summary: string;
  readonly description?: string;
  readonly positionals: readonly PositionalSpec[];
  readonly options: readonly OptionSpec[];
  readonly examples: readonly { readonly command: string; readonly meaning: string }[];
  readonly load: () => Promise<Command>;
}
