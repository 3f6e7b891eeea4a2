import { BakeError } from '../../../../core/bake-error.js';

/** Where the parts of a bootable disk lie; all in bytes. */
export interface DiskLayout {
  readonly size: number;
  /** Room for GRUB's core, which a BIOS starts. */
  readonly bios: Region;
  /** The EFI system partition. */
  readonly efi: Region;
  readonly root: Region;
}

export interface Region {
  readonly start: number;
  readonly size: number;
}

export const sector = 512;
const mebibyte = 1024 * 1024;
const smallestRoot = 64 * mebibyte;

/**
 * The root partition takes what is left before the copy of the partition table at the end. The EFI system partition is
 * large enough to be a FAT32, which firmware must be able to read.
 * @throws BakeError `DiskTooSmall`
 */
export function layoutOf(size: number): DiskLayout {
  const whole = Math.floor(size / mebibyte) * mebibyte;
  const bios = { start: mebibyte, size: mebibyte };
  const efi = { start: 2 * mebibyte, size: 48 * mebibyte };
  const start = efi.start + efi.size;
  if (whole < start + smallestRoot) throw new BakeError({ code: 'DiskTooSmall', message: `a disk of ${size} bytes is too small for a root tree that boots`, hint: 'give a larger "diskSize"' });
  return { size: whole, bios, efi, root: { start, size: whole - mebibyte - start } };
}

/** A GUID partition table, as sfdisk reads it. */
export function partitionTable({ bios, efi, root }: DiskLayout, ids: { readonly disk: string; readonly root: string }, rootType: string): string {
  const line = ({ start, size }: Region, more: string) => `start=${start / sector}, size=${size / sector}, ${more}`;
  return [
    'label: gpt', `label-id: ${ids.disk}`, 'unit: sectors', '',
    line(bios, 'type=21686148-6449-6E6F-744E-656564454649, name=bios'),
    line(efi, 'type=C12A7328-F81F-11D2-BA4B-00A0C93EC93B, name=efi'),
    line(root, `type=${rootType}, uuid=${ids.root}, name=root`),
    '',
  ].join('\n');
}

/** Partition types that say which architecture a root file system is for (UAPI Discoverable Partitions Specification). */
export const rootTypes = { x86_64: '4F68BCE3-E8CD-4DB1-96E7-FBCAF984B709', aarch64: 'B921B045-1DF0-41C3-AF44-4C6F280D3FAE' } as const;
