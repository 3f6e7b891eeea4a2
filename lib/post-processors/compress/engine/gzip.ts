import { availableParallelism } from 'node:os';
import { crc32 } from 'node:zlib';
import { DeflatePool } from './deflate-pool.js';

const blockSize = 1024 * 1024;
const windowSize = 32 * 1024;

/** RFC 1952: no name, no time, no file system. */
const header = Uint8Array.from([0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 255]);
/** An empty last block of deflate, RFC 1951. */
const lastBlock = Uint8Array.from([0x03, 0x00]);

/**
 * Compresses as gzip does, with all cores: blocks are deflated at the same time, each with the window before it as its
 * dictionary, so that one stream comes out. The bytes do not depend on the number of threads.
 */
export async function* gzip(source: AsyncIterable<Uint8Array>, level: number, threads: number = availableParallelism()): AsyncGenerator<Uint8Array> {
  const pool = new DeflatePool({ level, threads });
  const line: Promise<Uint8Array>[] = [];
  let dictionary: Uint8Array = new Uint8Array();
  let crc = 0;
  let size = 0;
  try {
    yield header;
    for await (const block of blocksOf(source)) {
      crc = crc32(block, crc);
      size += block.length;
      const window = block.slice(-windowSize);
      line.push(pool.deflate(block, dictionary));
      dictionary = window;
      if (line.length > threads + 1) yield await line.shift()!;
    }
    while (line.length > 0) yield await line.shift()!;
    yield lastBlock;
    const trailer = new DataView(new ArrayBuffer(8));
    trailer.setUint32(0, crc, true);
    trailer.setUint32(4, size % 2 ** 32, true);
    yield new Uint8Array(trailer.buffer);
  } finally {
    await pool.close();
  }
}

/** The same bytes in blocks of one size, so that the result does not depend on how they arrived. */
async function* blocksOf(source: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array<ArrayBuffer>> {
  let block = new Uint8Array(blockSize);
  let filled = 0;
  for await (const chunk of source) {
    for (let taken = 0; taken < chunk.length;) {
      const piece = chunk.subarray(taken, taken + blockSize - filled);
      block.set(piece, filled);
      filled += piece.length;
      taken += piece.length;
      if (filled < blockSize) continue;
      yield block;
      block = new Uint8Array(blockSize);
      filled = 0;
    }
  }
  if (filled > 0) yield block.subarray(0, filled);
}
