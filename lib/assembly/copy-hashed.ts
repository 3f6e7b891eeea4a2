import { createHash } from 'node:crypto';
import { closeSync, constants, fchmodSync, fstatSync, openSync, readSync, writeSync } from 'node:fs';
import { copyFile, type FileHandle, open, rm, stat } from 'node:fs/promises';
import { BakeError } from '../core/bake-error.js';
import { sha256 } from '../core/json.js';
import { type FileState, fileState, isUnchanged } from './file-state.js';

/** Up to so many bytes a file is read in one go: for a folder of small files that takes a tenth of the time. */
const smallFile = 256 * 1024;
const chunkSize = 1024 * 1024;
/** How often a file is read that changes meanwhile. */
const attempts = 3;

export interface Hashed {
  /** SHA-256 of the bytes that were read, which are those of the copy. */
  readonly hash: string;
  /** How many they are: not always what the file's state says, as for the kernel's own files. */
  readonly size: number;
  /** Of the file as it was from the first byte to the last. */
  readonly state: FileState;
}

/** Where the bytes go to. */
export interface Copy {
  readonly path: string;
  /** Which of the permission bits it gets. */
  readonly modeMask: number;
}

/**
 * Reads a file once, for its hash and for a copy of it: the copy holds what the hash says, whatever happens to the file.
 * One that changes while it is read is read again.
 * @throws BakeError `FileChanging` if it does not come to rest
 */
export async function copyHashed(path: string, found: FileState, copy: Copy | undefined): Promise<Hashed> {
  let before = found;
  for (let attempt = 1; ; attempt++) {
    const hashed = (before.size <= smallFile ? atOnce(path, before, copy) : undefined) ?? await inChunks(path, before, copy);
    if (isUnchanged(before, hashed.state)) return hashed;
    if (attempt === attempts) throw new BakeError({ code: 'FileChanging', message: `"${path}" changes while it is read`, hint: 'wait until whatever writes it is done, or leave it out' });
    if (copy !== undefined) await rm(copy.path, { force: true });
    before = fileState(await stat(path));
  }
}

const buffer = Buffer.allocUnsafeSlow(smallFile + 1);

/** Undefined if it is not as small as it seemed. */
function atOnce(path: string, { mode }: FileState, copy: Copy | undefined): Hashed | undefined {
  const file = openSync(path, 'r');
  try {
    let size = 0;
    for (let read = -1; read !== 0 && size < buffer.length; size += read) read = readSync(file, buffer, size, buffer.length - size, null);
    if (size === buffer.length) return undefined;
    const content = buffer.subarray(0, size);
    if (copy !== undefined) writeAtOnce(copy.path, mode & copy.modeMask, content);
    return { hash: sha256(content), size, state: fileState(fstatSync(file)) };
  } finally {
    closeSync(file);
  }
}

function writeAtOnce(path: string, mode: number, content: Buffer): void {
  const file = openSync(path, 'wx', 0o600);
  try {
    for (let done = 0; done < content.length;) done += writeSync(file, content, done);
    fchmodSync(file, mode);
  } finally {
    closeSync(file);
  }
}

async function inChunks(path: string, { mode }: FileState, copy: Copy | undefined): Promise<Hashed> {
  const file = await open(path, 'r');
  try {
    // Where the file system can, the copy shares its blocks with the file, and is what is read.
    const isCloned = copy !== undefined && await copyFile(path, copy.path, constants.COPYFILE_EXCL | constants.COPYFILE_FICLONE_FORCE).then(() => true, () => false);
    const output = copy === undefined ? undefined : await open(copy.path, isCloned ? 'r' : 'wx', 0o600);
    try {
      const read = await pump(isCloned ? output! : file, isCloned ? undefined : output);
      if (copy !== undefined) await output?.chmod(mode & copy.modeMask);
      return { ...read, state: fileState(await file.stat()) };
    } finally {
      await output?.close();
    }
  } finally {
    await file.close();
  }
}

/** While a piece is hashed here, the one before is written and the next one is read in other threads. */
async function pump(from: FileHandle, to: FileHandle | undefined): Promise<Omit<Hashed, 'state'>> {
  const hash = createHash('sha256');
  let size = 0;
  const [one, other] = [Buffer.allocUnsafeSlow(chunkSize), Buffer.allocUnsafeSlow(chunkSize)];
  let reading = awaitedLater(from.read(one, 0, chunkSize, null));
  let writing = Promise.resolve();
  try {
    for (;;) {
      const { bytesRead, buffer } = await reading;
      await writing;
      if (bytesRead === 0) return { hash: hash.digest('hex'), size };
      size += bytesRead;
      reading = awaitedLater(from.read(buffer === one ? other : one, 0, chunkSize, null));
      const piece = buffer.subarray(0, bytesRead);
      if (to !== undefined) writing = awaitedLater(writeAll(to, piece));
      hash.update(piece);
    }
  } finally {
    await Promise.allSettled([reading, writing]); // nothing may go on in a file that gets closed
  }
}

/** Its failure is seen only when it is its turn, which the process must not be ended for. */
function awaitedLater<T>(promise: Promise<T>): Promise<T> {
  promise.catch(() => {});
  return promise;
}

async function writeAll(file: FileHandle, content: Buffer): Promise<void> {
  for (let done = 0; done < content.length;) done += (await file.write(content, done)).bytesWritten;
}
