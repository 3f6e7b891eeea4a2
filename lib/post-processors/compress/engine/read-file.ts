import { createReadStream } from 'node:fs';
import { type ArtifactEntry, fileChanged } from '../../../engine/artifact-files.js';

const blockSize = 256 * 1024;

/** A file's bytes, counted as they are read. @throws BakeError `FileChanged` if they are not as many as they were */
export async function* readFileBytes({ path, size }: Pick<ArtifactEntry, 'path' | 'size'>, onBytes: (bytes: number) => void): AsyncGenerator<Uint8Array> {
  let left = size;
  for await (const chunk of createReadStream(path, { highWaterMark: blockSize })) {
    left -= (chunk as Uint8Array).length;
    if (left < 0) throw fileChanged(path);
    onBytes((chunk as Uint8Array).length);
    yield chunk as Uint8Array;
  }
  if (left > 0) throw fileChanged(path);
}
