import { readFileSync } from 'node:fs';

/** The part of `process.stdin` that gives what is typed. */
export interface TypedInput {
  readonly isTTY?: boolean;
  on(event: 'data', listener: (chunk: Uint8Array | string) => void): unknown;
  on(event: 'error', listener: (error: Error) => void): unknown;
  off(event: 'data', listener: (chunk: Uint8Array | string) => void): unknown;
  off(event: 'error', listener: (error: Error) => void): unknown;
  resume(): unknown;
  pause(): unknown;
}

/** The part of `process` that says when it goes on after it was stopped, as by Ctrl-Z and `fg` or `bg`. */
export interface ContinueSource {
  on(signal: 'SIGCONT', listener: () => void): unknown;
  off(signal: 'SIGCONT', listener: () => void): unknown;
}

/**
 * Takes what is typed while nobody has asked for it, so that it neither answers the next question nor goes unnoticed by
 * a display; until the returned function is called. The terminal still edits lines and turns Ctrl-C into a signal. A
 * process in the background is stopped by the system when it reads from its terminal, so there nothing is read.
 * @param onLines told how many line ends were typed
 */
export function readTyped(input: TypedInput, source: ContinueSource, onLines: (count: number) => void, isForeground: () => boolean = isInForeground): () => void {
  if (input.isTTY !== true) return () => {};
  const onData = (chunk: Uint8Array | string): void => {
    const count = chunk.toString().split('\n').length - 1;
    if (count > 0) onLines(count);
  };
  const look = (): void => {
    input.off('data', onData);
    if (!isForeground()) {
      input.pause();
      return;
    }
    input.on('data', onData);
    input.resume();
  };
  input.off('error', ignoreError);
  input.on('error', ignoreError);
  source.on('SIGCONT', look);
  look();
  return () => {
    source.off('SIGCONT', look);
    input.off('data', onData);
    input.pause();
  };
}

/** The terminal has gone: there is nothing to be typed any more. Stays, as the error may come late. */
function ignoreError(): void {}

/** Whether the terminal is ours (proc_pid_stat(5): `pgrp` and `tpgid`). Without /proc nobody knows: no. */
function isInForeground(): boolean {
  try {
    const text = readFileSync('/proc/self/stat', 'utf8');
    const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
    return fields[2] === fields[5];
  } catch {
    return false;
  }
}
