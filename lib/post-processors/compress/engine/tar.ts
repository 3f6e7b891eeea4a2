import { pipeline } from 'node:stream/promises';
import { pack as makePack, type Pack } from 'tar-stream';
import type { ArtifactEntry } from '../../../engine/artifact-files.js';
import { tarTime } from './archive-time.js';
import { readFileBytes } from './read-file.js';

/** A tar archive of the entries in their order; see `Compress` for what is left out of it. */
export async function* tar(entries: readonly ArtifactEntry[], onBytes: (bytes: number) => void): AsyncGenerator<Uint8Array> {
  const pack = makePack();
  const filling = fill(pack, entries, onBytes).catch((error: Error) => pack.destroy(error));
  try {
    for await (const chunk of pack) yield chunk as Uint8Array;
  } finally {
    pack.destroy();
    await filling;
  }
}

async function fill(pack: Pack, entries: readonly ArtifactEntry[], onBytes: (bytes: number) => void): Promise<void> {
  for (const entry of entries) {
    if (entry.type === 'file') await pipeline(readFileBytes(entry, onBytes), pack.entry(headersOf(entry)));
    else await new Promise<void>((resolve, reject) => { pack.entry(headersOf(entry), (error) => (error ? reject(error) : resolve())); });
  }
  pack.finalize();
}

function headersOf({ name, type, size, mode, target }: ArtifactEntry): Parameters<Pack['entry']>[0] {
  return { name, type, size, mode, mtime: tarTime, uid: 0, gid: 0, uname: 'root', gname: 'root', ...(target === undefined ? {} : { linkname: target }) };
}
