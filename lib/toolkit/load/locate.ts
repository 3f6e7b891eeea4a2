import { findSourceMap } from 'node:module';
import { dirname, relative, resolve } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import type { SourceLocation } from '../../core/diagnostic.js';

/** Maps places in a bundle back to the user's files, as paths relative to the project. */
export function locateIn(project: string): (location: SourceLocation) => SourceLocation {
  return (location) => {
    const map = findSourceMap(location.file) ?? findSourceMap(pathToFileURL(location.file).href);
    const entry = map?.findEntry(location.line - 1, (location.column ?? 1) - 1);
    if (entry === undefined || !('originalSource' in entry) || entry.originalSource === undefined) return { ...location, file: short(location.file, project) };
    const source = entry.originalSource.startsWith('file:') ? fileURLToPath(entry.originalSource) : resolve(dirname(location.file), entry.originalSource);
    return { file: short(source, project), line: entry.originalLine + 1, column: entry.originalColumn + 1 };
  };
}

/** The first frame of an error's stack that is in the user's own files; Node has mapped it back already. */
export function locationOfError(error: unknown, project: string): SourceLocation | undefined {
  const stack = error instanceof Error ? error.stack ?? '' : '';
  for (const [, file = '', line, column] of stack.matchAll(/(?:\(|at )((?:file:\/\/)?(?:[A-Za-z]:)?[^():\n]+):(\d+):(\d+)\)?$/gm)) {
    const path = file.startsWith('file:') ? fileURLToPath(file) : file.replace(/^async /, '');
    const inside = relative(project, path);
    if (inside.startsWith('..') || inside.includes('node_modules') || inside.startsWith('.bake')) continue;
    return { file: inside.replaceAll('\\', '/'), line: Number(line), column: Number(column) };
  }
  return undefined;
}

function short(file: string, project: string): string {
  return relative(project, file).replaceAll('\\', '/');
}
