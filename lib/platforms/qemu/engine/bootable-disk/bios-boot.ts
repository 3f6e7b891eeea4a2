import { open, readFile } from 'node:fs/promises';
import { BakeError } from '../../../../core/bake-error.js';
import { type Region, sector } from './layout.js';

/** Where GRUB's first sector (`boot.img`) holds what is written into it when it is installed; see `i386/pc/boot.h`. */
const bootFields = { kernelSector: 0x5c, bootDrive: 0x64, driveCheck: 0x66, codeEnd: 440 };
/** The last entry of the list of blocks at the end of the core's first sector: start, length, and the segment it is loaded to. */
const blockList = { start: 500, length: 508, segment: 510 };
const loadSegment = 0x820;

/**
 * Writes GRUB to where a BIOS starts it: its first sector in front of the partition table, its core into the partition for it.
 * As `grub-bios-setup` does on a device, but on a file.
 */
export async function writeBiosBoot(disk: string, { bootImage, coreImage, region }: { readonly bootImage: string; readonly coreImage: string; readonly region: Region }): Promise<void> {
  const boot = await readFile(bootImage);
  const read = await readFile(coreImage);
  const sectors = Math.ceil(read.length / sector);
  if (sectors * sector > region.size) throw new BakeError({ code: 'BootLoaderTooLarge', source: 'platform', message: `GRUB's core has ${read.length} bytes, and ${region.size} fit` });
  const core = Buffer.alloc(sectors * sector);
  read.copy(core);
  const first = region.start / sector;
  boot.writeBigUInt64LE(BigInt(first), bootFields.kernelSector);
  boot.writeUInt8(0xff, bootFields.bootDrive); // the one that the BIOS has started from
  boot.writeUInt16LE(0x9090, bootFields.driveCheck); // and a BIOS that does not tell is put right: two times `nop` over the jump past that check
  core.writeBigUInt64LE(BigInt(first + 1), blockList.start);
  core.writeUInt16LE(sectors - 1, blockList.length);
  core.writeUInt16LE(loadSegment, blockList.segment);
  const file = await open(disk, 'r+');
  try {
    await file.write(boot, 0, bootFields.codeEnd, 0);
    await file.write(core, 0, core.length, region.start);
  } finally {
    await file.close();
  }
}
