import { BakeError } from '../core/bake-error.js';

/** How a script ended. */
export interface ScriptOutcome {
  /** What was run, for people. */
  readonly title: string;
  /** Null if a signal ended it. */
  readonly code: number | null;
  readonly signal?: string | undefined;
  /** The last lines of what it printed. */
  readonly output: readonly string[];
}

/** @throws BakeError `ScriptFailed` unless the exit code is one of the valid ones */
export function checkExitCode(outcome: ScriptOutcome, valid: readonly number[] = [0]): void {
  const { title, code, signal, output } = outcome;
  if (code !== null && valid.includes(code)) return;
  const ending = code === null ? `was ended by the signal ${signal ?? 'KILL'}` : `ended with exit code ${code}`;
  throw new BakeError({ code: 'ScriptFailed', message: `${title} ${ending}`, hint: hintFor(code), output });
}

function hintFor(code: number | null): string {
  if (code === null || code === 137) return 'something killed it: often the machine ran out of memory';
  if (code === 126) return 'a command in it could not be executed: look at its permissions, and whether its folder allows programs';
  if (code === 127) return 'a command in it was not found: look at its name, at PATH, and at the interpreter in the #! line';
  return `look at its last lines; if ${code} is no failure, add it to validExitCodes`;
}

const kept = 20;

/** Remembers the end of an output. */
export class LastLines {
  readonly #lines: string[] = [];

  add(line: string): void {
    this.#lines.push(line);
    if (this.#lines.length > kept) this.#lines.shift();
  }
  get all(): readonly string[] {
    return [...this.#lines];
  }
}
