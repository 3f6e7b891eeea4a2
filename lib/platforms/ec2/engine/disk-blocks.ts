import { createHash } from 'node:crypto';
import { open, type FileHandle } from 'node:fs/promises';
import { fileChanged } from '../../../engine/artifact-files.js';
import type { Extent, OpenDisk } from './disk-file.js';
import { type BlockRequest, blockSize, type UploadSum } from './upload-port.js';

/** So many at once: EBS takes a thousand a second for a snapshot, and each of them takes some ten milliseconds on the way. */
const atOnce = 16;
const nothing = Buffer.alloc(blockSize);

/** A block that may have something in it. */
export interface DiskBlock {
  readonly index: number;
  /** Where in the file its parts are, and where they go. */
  readonly parts: readonly { readonly offset: number; readonly length: number; readonly at: number }[];
}

/** The blocks that extents are in, each once. */
export function* blocksOf(extents: readonly Extent[], size = blockSize): Generator<DiskBlock, undefined> {
  let block: { readonly index: number; readonly parts: { offset: number; length: number; at: number }[] } | undefined;
  for (const { start, length, offset } of extents) {
    for (let from = start; from < start + length;) {
      const index = Math.floor(from / size);
      const end = Math.min(start + length, (index + 1) * size);
      if (block?.index !== index) {
        if (block !== undefined) yield block;
        block = { index, parts: [] };
      }
      block.parts.push({ offset: offset + from - start, length: end - from, at: from - index * size });
      from = end;
    }
  }
  if (block !== undefined) yield block;
}

/** How many there are. */
export function countBlocks(extents: readonly Extent[]): number {
  let count = 0;
  for (const _ of blocksOf(extents)) count++;
  return count;
}

/**
 * Puts all blocks of a disk that are not empty, some at once. When one cannot be put, no other one is begun, and those on the way are waited for.
 * @param onBytes is told of what was looked at
 * @throws BakeError `FileChanged` if somebody wrote to it meanwhile
 */
export async function putBlocks(disk: OpenDisk, put: (block: BlockRequest, signal: AbortSignal) => Promise<void>, onBytes: (bytes: number) => void, signal: AbortSignal): Promise<UploadSum> {
  const file = await open(disk.file, 'r');
  const failing = new AbortController();
  const either = AbortSignal.any([signal, failing.signal]);
  const sums = new Map<number, Buffer>();
  try {
    const before = await file.stat();
    const blocks = blocksOf(disk.extents);
    const work = async () => {
      const data = Buffer.alloc(blockSize);
      for (let next = blocks.next(); !next.done; next = blocks.next()) {
        either.throwIfAborted();
        await read(file, next.value, data);
        if (!data.equals(nothing)) {
          const sha256 = createHash('sha256').update(data).digest();
          await put({ index: next.value.index, data, sha256 }, either);
          sums.set(next.value.index, sha256);
        }
        onBytes(blockSize);
      }
    };
    await Promise.allSettled(Array.from({ length: atOnce }, () => work().catch((error: unknown) => {
      failing.abort(error);
      throw error;
    })));
    signal.throwIfAborted();
    if (failing.signal.aborted) throw failing.signal.reason; // the first of them; the others are its echo
    const after = await file.stat();
    if (after.size !== before.size || after.mtimeMs !== before.mtimeMs) throw fileChanged(disk.file);
  } finally {
    await file.close();
  }
  const linear = createHash('sha256');
  for (const index of [...sums.keys()].sort((a, b) => a - b)) linear.update(sums.get(index)!);
  return { blocks: sums.size, sha256: linear.digest() };
}

/** What the file does not have, at its end, is zero. */
async function read(file: FileHandle, { parts }: DiskBlock, into: Buffer): Promise<void> {
  into.fill(0);
  for (const { offset, length, at } of parts) {
    for (let done = 0; done < length;) {
      const { bytesRead } = await file.read(into, at + done, length - done, offset + done);
      if (bytesRead === 0) break;
      done += bytesRead;
    }
  }
}
