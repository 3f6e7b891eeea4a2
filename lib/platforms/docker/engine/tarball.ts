import { open } from 'node:fs/promises';
import { BakeError } from '../../../core/bake-error.js';

const blockSize = 512;
/** Offsets of a tar header: checksum, and the magic of POSIX and GNU. */
const checksumAt = 148;
const checksumLength = 8;

const compressions: readonly { readonly name: string; readonly magic: readonly number[] }[] = [
  { name: 'gzip', magic: [0x1f, 0x8b] },
  { name: 'bzip2', magic: [0x42, 0x5a, 0x68] },
  { name: 'xz', magic: [0xfd, 0x37, 0x7a, 0x58, 0x5a, 0x00] },
  { name: 'zstd', magic: [0x28, 0xb5, 0x2f, 0xfd] },
];

/**
 * Looks at the first block of what should be a tarball, so that a wrong file is refused before it is sent anywhere: the
 * daemon makes an empty image of some.
 * @throws BakeError `DockerImportFailed`
 */
export async function checkTarball(path: string): Promise<void> {
  const fail = (what: string, cause?: unknown) => new BakeError({ code: 'DockerImportFailed', message: `${path} ${what}`, hint: 'give a tar archive of a root tree, plain or compressed with gzip, bzip2 or xz', cause });
  const file = await open(path, 'r').catch((error: NodeJS.ErrnoException) => { throw fail(error.code === 'ENOENT' ? 'does not exist' : `cannot be read: ${error.message}`, error); });
  try {
    const { bytesRead, buffer } = await file.read(Buffer.alloc(blockSize), 0, blockSize, 0).catch((error: Error) => { throw fail(`cannot be read: ${error.message}`, error); });
    if (compressions.some(({ magic }) => magic.every((byte, index) => buffer[index] === byte))) return;
    if (bytesRead === 0) throw fail('is empty');
    if (bytesRead < blockSize || !hasChecksum(buffer)) throw fail('is no tar archive');
  } finally {
    await file.close();
  }
}

/** The checksum is the sum of all bytes of the header with its own field taken as spaces. */
function hasChecksum(header: Buffer): boolean {
  const stored = Number.parseInt(header.toString('latin1', checksumAt, checksumAt + checksumLength).replace(/\0.*$/, '').trim(), 8);
  const space = 0x20;
  let sum = 0;
  header.forEach((byte, index) => { sum += index >= checksumAt && index < checksumAt + checksumLength ? space : byte; });
  return sum === stored;
}
