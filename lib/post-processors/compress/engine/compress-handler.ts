import { stat } from 'node:fs/promises';
import { resolve } from 'node:path';
import type { Artifact } from '../../../core/artifact.js';
import { BakeError } from '../../../core/bake-error.js';
import { formatBytes } from '../../../core/size.js';
import { type ArtifactEntry, artifactEntries, isOnlyFile } from '../../../engine/artifact-files.js';
import { byteMeter } from '../../../engine/byte-meter.js';
import type { StepContext } from '../../../engine/handler.js';
import { outputFile } from '../../../engine/output-file.js';
import { type Codec, codecOf, type Format, formatOf, formats, isArchive, levels } from '../format.js';
import type { CompressSpec } from '../steps.js';
import { gzip } from './gzip.js';
import { intoFile } from './into-file.js';
import { builtInStream, findTool } from './programs.js';
import { readFileBytes } from './read-file.js';
import { tar } from './tar.js';
import { throughProgram } from './through-program.js';
import { writeZip } from './write-zip.js';

/** Compresses the files of an artifact to one file. */
export const compressHandler = outputFile<CompressSpec, { readonly artifact: Artifact }>({
  path: ({ output }) => output,
  async checkKnown({ output, format }, ctx) {
    if (output !== undefined) await ctx.outputs.check(resolve(ctx.run.project, output));
    const codec = format === undefined ? undefined : codecOf(format);
    if (isProgramCodec(codec)) await findTool(codec, ctx.exec, ctx.signal);
  },
  async write(spec, ctx, part, path) {
    const format = spec.format ?? formatOf(path);
    if (format === undefined) throw new BakeError({ code: 'UnknownFormat', message: `"${spec.output}" does not say how to compress`, hint: `give "format", one of ${formats.join(', ')}` });
    const entries = await artifactEntries(spec.artifact);
    const total = entries.reduce((sum, { size }) => sum + size, 0);
    await compress(entries, part, { format, level: spec.level ?? levels[codecOf(format)].default, onBytes: byteMeter(ctx, 'compressing', total) }, ctx);
    const { size } = await stat(part);
    const title = `${path} (${formatBytes(total)} → ${formatBytes(size)})`;
    return { artifact: { type: 'files', id: path, title, files: [{ path, size }], data: { format, inputSize: total } } };
  },
});

interface Job {
  readonly format: Format;
  readonly level: number;
  readonly onBytes: (bytes: number) => void;
}

async function compress(entries: readonly ArtifactEntry[], part: string, { format, level, onBytes }: Job, ctx: StepContext): Promise<void> {
  const { signal } = ctx;
  const codec = codecOf(format);
  if (codec === 'zip') return writeZip(entries, part, { level, onBytes, signal });
  const source = isArchive(format) ? tar(entries, onBytes) : readFileBytes(onlyFile(entries, format), onBytes);
  if (codec === 'none') return intoFile(source, part, signal);
  if (codec === 'gz') return intoFile(gzip(source, level), part, signal);
  const tool = await findTool(codec, ctx.exec, signal);
  if (tool === 'built-in') return intoFile(source, part, signal, builtInStream(level));
  const args = [...tool.args(level, isArchive(format) ? undefined : entries[0]?.size), ...(tool.intoFile?.(part) ?? [])];
  return throughProgram(source, { command: tool.command, args, writes: tool.intoFile !== undefined }, part, ctx);
}

function isProgramCodec(codec: Codec | undefined): codec is 'zst' | 'xz' | 'lz4' {
  return codec === 'zst' || codec === 'xz' || codec === 'lz4';
}

function onlyFile(entries: readonly ArtifactEntry[], format: Format): ArtifactEntry {
  const [file] = entries;
  if (file !== undefined && isOnlyFile(entries)) return file;
  throw new BakeError({ code: 'ManyFiles', message: `${format} holds one file, and the artifact is ${entries.length === 1 ? 'a folder' : `${entries.length} files and folders`}`, hint: `choose the format tar.${format}, and end the output with it` });
}
