import { stat, writeFile } from 'node:fs/promises';
import { dirname, relative, resolve, sep } from 'node:path';
import type { Artifact, ArtifactFile } from '../../../core/artifact.js';
import type { JsonObject } from '../../../core/json.js';
import { artifactEntries } from '../../../engine/artifact-files.js';
import { byteMeter } from '../../../engine/byte-meter.js';
import { outputFiles } from '../../../engine/output-files.js';
import type { ChecksumSpec } from '../steps.js';
import { hashFiles } from './hash-files.js';
import { sumLine } from './sum-line.js';

/** Writes the sums of all regular files of an artifact. */
export const checksumHandler = outputFiles<ChecksumSpec, { readonly artifact: Artifact }>({
  paths: ({ output, algorithms }) => outputPaths(output, algorithms),
  async checkKnown({ output, algorithms }, ctx) {
    if (output === undefined || algorithms === undefined) return;
    for (const path of outputPaths(output, algorithms)) await ctx.outputs.check(resolve(ctx.run.project, path));
  },
  async write({ artifact, algorithms, withInput }, ctx, parts, paths) {
    const files = (await artifactEntries(artifact)).filter(({ type }) => type === 'file');
    const total = files.reduce((sum, { size }) => sum + size, 0);
    const digests = await hashFiles(files, { algorithms, signal: ctx.signal, onBytes: byteMeter(ctx, 'hashing', total) });
    const isOneFile = parts.length === 1 && algorithms.length > 1;
    const linesOf = (column: number, output: string) => files.map(({ path }, row) => (
      sumLine(isOneFile ? 'tagged' : 'plain', algorithms[column]!, digests[row]![column]!, nameFrom(output, path))
    )).join('');
    const sums: (ArtifactFile & JsonObject)[] = [];
    for (const [index, part] of parts.entries()) {
      const columns = isOneFile ? algorithms.map((_, column) => column) : [index];
      await writeFile(part, columns.map((column) => linesOf(column, paths[index]!)).join(''));
      sums.push({ path: paths[index]!, size: (await stat(part)).size });
    }
    const title = `${algorithms.join(', ')} of ${files.length === 1 ? '1 file' : `${files.length} files`}`;
    return { artifact: { type: 'files', id: paths[0]!, title, files: [...(withInput ? artifact.files : []), ...sums], data: { algorithms } } };
  },
});

function outputPaths(output: string, algorithms: readonly string[]): readonly string[] {
  if (!output.includes('{algorithm}')) return [output];
  return algorithms.map((algorithm) => output.replaceAll('{algorithm}', algorithm.toLowerCase().replaceAll('/', '-')));
}

/** A file's name as seen from the folder of the checksum file. */
function nameFrom(output: string, path: string): string {
  return relative(dirname(output), path).split(sep).join('/');
}
