import { BakeError } from '../core/bake-error.js';

/** What the process says to whoever started it. */
export const exitCode = {
  ok: 0,
  failed: 1,
  /** The command line, the configuration or the user's file is wrong. */
  usage: 2,
  /** `bake diff` found differences. */
  different: 3,
  /** The user said no. */
  declined: 4,
  /** Done, but something that was made could not be removed. */
  leftovers: 5,
  interrupted: 130,
} as const;

/** The code for an error that ended a command before it did anything. */
export function exitCodeOf(error: unknown): number {
  if (!BakeError.is(error)) return exitCode.failed;
  if (error.code === 'Interrupted') return exitCode.interrupted;
  return error.source === 'user' ? exitCode.usage : exitCode.failed;
}
