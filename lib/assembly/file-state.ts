import type { Stats } from 'node:fs';

/**
 * What tells one state of a file's content from another without reading it: whoever writes to it changes its times, which
 * are in milliseconds with fractions of less than a microsecond.
 */
export interface FileState {
  readonly dev: number;
  readonly ino: number;
  /** Bytes. */
  readonly size: number;
  readonly mtimeMs: number;
  /** Of the last change to anything, its mode for example. Nobody can set it. */
  readonly ctimeMs: number;
  readonly mode: number;
}

export function fileState({ dev, ino, size, mtimeMs, ctimeMs, mode }: Stats): FileState {
  return { dev, ino, size, mtimeMs, ctimeMs, mode };
}

export function isUnchanged(before: Omit<FileState, 'mode'>, after: FileState): boolean {
  return before.mtimeMs === after.mtimeMs && before.ctimeMs === after.ctimeMs && before.size === after.size && before.ino === after.ino && before.dev === after.dev;
}
