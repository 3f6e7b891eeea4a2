import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { matchesGlob } from '../../core/glob.js';

/**
 * The paths that a glob names, sorted; relative ones start at the folder of `image.ts`, in which it runs. A path that exists
 * as it stands is that path, whatever is in it; a glob without a match comes back as it is, for whoever reads it to say so.
 */
export function expandGlob(pattern: string): readonly string[] {
  if (!/[*?]/.test(pattern) || existsSync(pattern)) return [pattern];
  const [first = '', ...rest] = pattern.split('/');
  const found = rest.reduce(
    (folders, part) => folders.flatMap((folder) => (part === '' ? [`${folder}/`] : namesIn(`${folder}/`, part).map((name) => join(folder === '' ? '/' : folder, name)))),
    /[*?]/.test(first) ? namesIn('.', first) : [first],
  );
  return found.length === 0 ? [pattern] : found;
}

function namesIn(folder: string, part: string): readonly string[] {
  if (!/[*?]/.test(part)) return existsSync(join(folder, part)) ? [part] : [];
  try {
    return readdirSync(folder).filter((name) => matchesGlob(name, part)).sort();
  } catch {
    return []; // no folder
  }
}
