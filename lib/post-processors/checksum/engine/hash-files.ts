import { open } from 'node:fs/promises';
import { type Hasher, localHasher, threadHasher } from './hasher.js';

const blockSize = 1024 * 1024;
/** Reading goes on while this many blocks are being hashed. */
const blockCount = 4;
/** From this many bytes on, each algorithm gets a thread. */
const worthThreads = 16 * 1024 * 1024;

export interface HashOptions {
  readonly algorithms: readonly string[];
  /** Bytes of all files together. */
  readonly total: number;
  readonly signal: AbortSignal;
  readonly onBytes: (bytes: number) => void;
}

/**
 * The digests of each file, in the order of the algorithms. Each file is read once, and every algorithm works on the
 * same blocks at the same time.
 */
export async function hashFiles(paths: readonly string[], { algorithms, total, signal, onBytes }: HashOptions): Promise<readonly (readonly string[])[]> {
  const blocks = Array.from({ length: blockCount }, () => new Uint8Array(new SharedArrayBuffer(blockSize)));
  const makeHasher = total < worthThreads ? localHasher : threadHasher;
  const hashers = algorithms.map((algorithm) => makeHasher(algorithm, blocks));
  try {
    const digests: (readonly string[])[] = [];
    for (const path of paths) digests.push(await hashFile(path, hashers, blocks, signal, onBytes));
    return digests;
  } finally {
    await Promise.all(hashers.map((hasher) => hasher.close()));
  }
}

async function hashFile(path: string, hashers: readonly Hasher[], blocks: readonly Uint8Array[], signal: AbortSignal, onBytes: (bytes: number) => void): Promise<readonly string[]> {
  const file = await open(path);
  try {
    const inUse: Promise<unknown>[] = blocks.map(() => Promise.resolve());
    for (let index = 0; ; index = (index + 1) % blocks.length) {
      signal.throwIfAborted();
      await inUse[index];
      const { bytesRead } = await file.read(blocks[index]!, 0, blockSize);
      if (bytesRead === 0) break;
      onBytes(bytesRead);
      const used = Promise.all(hashers.map((hasher) => hasher.update(index, bytesRead)));
      used.catch(() => {}); // awaited before the block is filled again, or at the end
      inUse[index] = used;
    }
    await Promise.all(inUse);
    return await Promise.all(hashers.map((hasher) => hasher.digest()));
  } finally {
    await file.close();
  }
}
