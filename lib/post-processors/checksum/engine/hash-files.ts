import { open } from 'node:fs/promises';
import { type ArtifactEntry, fileChanged } from '../../../engine/artifact-files.js';
import { type Hasher, localHasher, threadHasher } from './hasher.js';

const blockSize = 1024 * 1024;
/** Reading goes on while this many blocks are being hashed. */
const blockCount = 4;
/** From this many bytes on, each algorithm gets a thread. */
const worthThreads = 16 * 1024 * 1024;

export interface HashOptions {
  readonly algorithms: readonly string[];
  readonly signal: AbortSignal;
  readonly onBytes: (bytes: number) => void;
}

/**
 * The digests of each file, in the order of the algorithms. Each file is read once, and every algorithm works on the
 * same blocks at the same time.
 * @throws BakeError `FileChanged`
 */
export async function hashFiles(files: readonly Pick<ArtifactEntry, 'path' | 'size'>[], { algorithms, signal, onBytes }: HashOptions): Promise<readonly (readonly string[])[]> {
  const blocks = Array.from({ length: blockCount }, () => new Uint8Array(new SharedArrayBuffer(blockSize)));
  const total = files.reduce((sum, { size }) => sum + size, 0);
  const makeHasher = total < worthThreads ? localHasher : threadHasher;
  const hashers = algorithms.map((algorithm) => makeHasher(algorithm, blocks));
  try {
    const digests: (readonly string[])[] = [];
    for (const file of files) digests.push(await hashFile(file, hashers, blocks, signal, onBytes));
    return digests;
  } finally {
    await Promise.all(hashers.map((hasher) => hasher.close()));
  }
}

async function hashFile({ path, size }: Pick<ArtifactEntry, 'path' | 'size'>, hashers: readonly Hasher[], blocks: readonly Uint8Array[], signal: AbortSignal, onBytes: (bytes: number) => void): Promise<readonly string[]> {
  const file = await open(path);
  try {
    const inUse: Promise<unknown>[] = blocks.map(() => Promise.resolve());
    let left = size;
    for (let index = 0; ; index = (index + 1) % blocks.length) {
      signal.throwIfAborted();
      await inUse[index];
      const { bytesRead } = await file.read(blocks[index]!, 0, blockSize);
      if (bytesRead === 0) break;
      left -= bytesRead;
      onBytes(bytesRead);
      const used = Promise.all(hashers.map((hasher) => hasher.update(index, bytesRead)));
      used.catch(() => {}); // awaited before the block is filled again, or at the end
      inUse[index] = used;
    }
    if (left !== 0) throw fileChanged(path);
    await Promise.all(inUse);
    return await Promise.all(hashers.map((hasher) => hasher.digest()));
  } finally {
    await file.close();
  }
}
