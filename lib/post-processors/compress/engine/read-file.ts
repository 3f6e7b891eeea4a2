import { createReadStream } from 'node:fs';

const blockSize = 256 * 1024;

/** A file's bytes, counted as they are read. */
export async function* readFileBytes(path: string, onBytes: (bytes: number) => void): AsyncGenerator<Uint8Array> {
  for await (const chunk of createReadStream(path, { highWaterMark: blockSize })) {
    onBytes((chunk as Uint8Array).length);
    yield chunk as Uint8Array;
  }
}
