import { writeFileSync } from 'node:fs';

/** Reads keys from the BIOS and writes them to the serial port; the escape key switches the machine off. */
const program = Buffer.from(
  '30e4cd16' // again: wait for a key
  + '3c1b7406' // escape: off
  + 'baf803ee' // write it to COM1
  + 'ebf2' // jump to again
  + 'ba0406b80020ef' // off: the power management of q35, sleep state S5
  + 'f4ebfd', 'hex', // halt
);

/** Writes a raw disk with nothing but a boot sector: a machine that starts in a second and shows what is typed. */
export function writeTypingDisk(path: string): void {
  const disk = Buffer.alloc(1024 * 1024);
  program.copy(disk);
  disk.writeUInt16LE(0xaa55, 510);
  writeFileSync(path, disk);
}
