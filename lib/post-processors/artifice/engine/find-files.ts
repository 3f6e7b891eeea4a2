import { stat } from 'node:fs/promises';
import { resolve } from 'node:path';
import { glob } from 'tinyglobby';
import type { ArtifactFile } from '../../../core/artifact.js';
import { BakeError } from '../../../core/bake-error.js';
import type { JsonObject } from '../../../core/json.js';

/**
 * The files that the patterns name, sorted, each once. A name that exists as it stands is that file, whatever glob
 * characters are in it.
 * @throws BakeError `NoSuchFile` for a pattern without a match
 */
export async function findFiles(patterns: readonly string[], project: string, signal: AbortSignal): Promise<readonly (ArtifactFile & JsonObject)[]> {
  const paths = new Set<string>();
  for (const pattern of patterns) {
    const found = await match(pattern, project, signal);
    if (found.length === 0) {
      throw new BakeError({ code: 'NoSuchFile', message: `"${pattern}" matches no file in ${project}`, hint: 'paths start at the folder of image.ts: look at what the step that should make the file did' });
    }
    for (const path of found) paths.add(path);
  }
  return Promise.all([...paths].sort().map(async (path) => ({ path, size: (await stat(path)).size })));
}

async function match(pattern: string, project: string, signal: AbortSignal): Promise<readonly string[]> {
  const literal = resolve(project, pattern);
  const stats = await stat(literal).catch(() => undefined);
  if (stats?.isFile()) return [literal];
  const inside = stats?.isDirectory() ? { cwd: literal, patterns: '**' } : { cwd: project, patterns: pattern };
  return (await glob({ ...inside, absolute: true, dot: stats !== undefined, expandDirectories: false, onlyFiles: true, signal })).map((path) => resolve(path));
}
