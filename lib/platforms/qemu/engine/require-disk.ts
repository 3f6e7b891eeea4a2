import { open } from 'node:fs/promises';
import { BakeError } from '../../../core/bake-error.js';

const sector = 512;

/** What a disk is downloaded as, by its first bytes in hex, and what makes a disk of it. */
const packed = [
  { name: 'gzip', head: '1f8b', unpack: 'gunzip' },
  { name: 'xz', head: 'fd377a585a00', unpack: 'unxz' },
  { name: 'zstd', head: '28b52ffd', unpack: 'unzstd' },
  { name: 'bzip2', head: '425a68', unpack: 'bunzip2' },
  { name: 'zip', head: '504b0304', unpack: 'unzip' },
  { name: '7-Zip', head: '377abcaf271c', unpack: '7z x' },
] as const;

/**
 * QEMU takes a file that it does not know for a raw disk. Refuses what surely is none, unless the user has named the format.
 * @throws BakeError `NotADisk`
 */
export async function requireDisk(path: string, format: string, named: string | undefined): Promise<void> {
  if (format !== 'raw' || named !== undefined) return;
  const start = await firstSector(path);
  const archive = packed.find(({ head }) => start.toString('hex').startsWith(head));
  if (archive !== undefined) throw notADisk(`${path} is packed with ${archive.name}`, `unpack it first: ${archive.unpack} ${path}`);
  if (start.length < sector) throw notADisk(`${path} has only ${start.length} bytes, and is no disk image`, 'was it downloaded in full?');
  // There are zeroes in every boot sector, and none in a text.
  if (!start.includes(0)) throw notADisk(`${path} is no disk image: QEMU knows no such format, and it has no boot sector`, "give a qcow2, raw, vmdk, vdi or vhdx file; diskFormat: 'raw' takes it as it is");
}

function notADisk(message: string, hint: string): BakeError {
  return new BakeError({ code: 'NotADisk', message, hint });
}

async function firstSector(path: string): Promise<Buffer> {
  const file = await open(path);
  try {
    const { buffer, bytesRead } = await file.read(Buffer.alloc(sector), 0, sector, 0);
    return buffer.subarray(0, bytesRead);
  } finally {
    await file.close();
  }
}
