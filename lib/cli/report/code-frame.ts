import { readFileSync } from 'node:fs';
import { isAbsolute, relative, resolve } from 'node:path';
import type { SourceLocation } from '../../core/diagnostic.js';
import { neutralise } from '../terminal/neutralise.js';
import type { Style } from '../terminal/style.js';
import type { Symbols } from '../terminal/symbols.js';
import { textWidth, truncate } from '../terminal/text-width.js';

const longestLine = 160;

/** Gives the text of a source file; undefined if it cannot be read. */
export type ReadSource = (path: string) => string | undefined;

/** Reads each file once. */
export function sourceReader(): ReadSource {
  const texts = new Map<string, string | undefined>();
  return (path) => {
    if (!texts.has(path)) texts.set(path, readOrNothing(path));
    return texts.get(path);
  };
}

function readOrNothing(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return undefined; // the frame is an extra: the location stays
  }
}

/** Where locations start from, and how the user sees it. */
export interface SourceRoots {
  /** Relative locations start here. */
  readonly project: string;
  readonly cwd: string;
  readonly read: ReadSource;
}

/** `image.ts:12:5`, as seen from the user's folder. */
export function formatLocation({ file, line, column }: SourceLocation, { project, cwd }: Pick<SourceRoots, 'project' | 'cwd'>): string {
  const path = resolve(project, file);
  const near = relative(cwd, path);
  const shown = near === '' || near.startsWith('../../..') || isAbsolute(near) ? path : near;
  return neutralise(`${shown}:${line}${column === undefined ? '' : `:${column}`}`);
}

/** The lines around a place, with a mark under it; empty if the file is not to be had. */
export function codeFrame(location: SourceLocation, around: number, roots: SourceRoots, style: Style, symbols: Symbols): readonly string[] {
  const text = roots.read(resolve(roots.project, location.file));
  const all = text?.split(/\r?\n/) ?? [];
  const marked = all[location.line - 1];
  if (marked === undefined) return [];
  const first = Math.max(1, location.line - around);
  const last = Math.min(all.at(-1) === '' ? all.length - 1 : all.length, location.line + around);
  const gutter = String(last).length;
  const lines: string[] = [];
  for (let number = first; number <= last; number++) {
    const code = truncate(neutralise(all[number - 1]!).replaceAll('\n', ' '), longestLine);
    const isMarked = number === location.line;
    const margin = `${isMarked ? symbols.pointer : ' '} ${String(number).padStart(gutter)} ${symbols.bar}`;
    lines.push(isMarked ? `${style.red(margin)} ${code}`.trimEnd() : style.dim(`${margin} ${code}`.trimEnd()));
    if (!isMarked) continue;
    const start = location.column === undefined ? /\S/.exec(marked)?.index ?? 0 : location.column - 1;
    const indent = textWidth(neutralise(marked.slice(0, start)));
    lines.push(`${style.dim(`${' '.repeat(gutter + 3)}${symbols.bar}`)} ${' '.repeat(indent)}${style.red(style.bold('^'))}`);
  }
  return lines;
}
