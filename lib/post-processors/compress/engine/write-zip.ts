import { Readable } from 'node:stream';
import { ZipFile } from 'yazl';
import type { ArtifactEntry } from '../../../engine/artifact-files.js';
import { zipTime } from './archive-time.js';
import { intoFile } from './into-file.js';
import { readFileBytes } from './read-file.js';

/** File types in the upper half of Unix permission bits, as zip keeps them. */
const fileType = { file: 0o100000, directory: 0o040000, symlink: 0o120000 } as const;

/** Writes a zip archive of the entries in their order, as zip64 where it must be. */
export async function writeZip(entries: readonly ArtifactEntry[], part: string, options: { readonly level: number; readonly onBytes: (bytes: number) => void; readonly signal: AbortSignal }): Promise<void> {
  const { level, onBytes, signal } = options;
  const zip = new ZipFile();
  const broken = new AbortController();
  const fail = (error: unknown) => broken.abort(error);
  zip.on('error', fail);
  for (const entry of entries) {
    const { name, type, size, mode, target = '' } = entry;
    // The older of zip's two forms of time has no zone, so that the bytes do not depend on this computer's.
    const facts = { mtime: zipTime, mode: fileType[type] | mode, forceDosTimestamp: true };
    if (type === 'directory') zip.addEmptyDirectory(name, facts);
    else if (type === 'symlink') zip.addBuffer(Buffer.from(target), name, { ...facts, compress: false });
    else zip.addReadStreamLazy(name, { ...facts, size, compressionLevel: level }, (give) => give(null, Readable.from(readFileBytes(entry, onBytes), { objectMode: false }).on('error', fail)));
  }
  zip.end();
  // A failed entry ends the whole archive, with the entry's own error.
  await intoFile(zip.outputStream as unknown as AsyncIterable<Uint8Array>, part, AbortSignal.any([signal, broken.signal]));
}
