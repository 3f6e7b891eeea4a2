import { BakeError } from '../../../core/bake-error.js';
import { formatBytes } from '../../../core/size.js';
import type { DiskSnapshotSpec } from '../import-steps.js';

const gibibyte = 1024 ** 3;
/** GiB of the largest snapshot. https://docs.aws.amazon.com/ebs/latest/APIReference/API_StartSnapshot.html */
const largest = 65_536;

/**
 * How machines of the disk start.
 * @throws BakeError `UnknownArchitecture`, `ConflictingProps`
 */
export function startOf({ artifact, architecture: wished, bootMode: wishedMode }: Pick<DiskSnapshotSpec, 'artifact' | 'architecture' | 'bootMode'>): { readonly architecture: 'x86_64' | 'arm64'; readonly bootMode: 'legacy-bios' | 'uefi' | 'uefi-preferred' } {
  const architecture = wished ?? architectureOf(artifact.data['architecture']);
  const told = artifact.data['firmware'] === 'uefi' ? 'uefi' : artifact.data['firmware'] === 'bios' ? 'legacy-bios' : undefined;
  const bootMode = wishedMode ?? told ?? (architecture === 'arm64' ? 'uefi' : 'legacy-bios');
  if (architecture === 'arm64' && bootMode !== 'uefi') throw new BakeError({ code: 'ConflictingProps', message: `the disk is for arm64 and starts by ${bootMode}, and machines of that architecture start by UEFI only`, hint: "build it with firmware: 'uefi', or write bootMode: 'uefi' if it has a loader for that too" });
  return { architecture, bootMode };
}

function architectureOf(name: unknown): 'x86_64' | 'arm64' {
  if (name === undefined || name === 'x86_64' || name === 'amd64') return 'x86_64';
  if (name === 'aarch64' || name === 'arm64') return 'arm64';
  throw new BakeError({ code: 'UnknownArchitecture', message: `the disk is for ${JSON.stringify(name)}, of which EC2 has no machines`, hint: 'EC2 has x86_64 and aarch64 (arm64)' });
}

/** The whole gibibytes that a disk takes. @throws BakeError `DiskTooLarge`, `DiskLargerThanVolume` */
export function gibibytesOf(size: number, { volumeSize }: Pick<DiskSnapshotSpec, 'volumeSize'>): number {
  const gibibytes = Math.max(1, Math.ceil(size / gibibyte));
  if (gibibytes > largest) throw new BakeError({ code: 'DiskTooLarge', message: `the disk has ${formatBytes(size)}, and EBS takes 64 TiB at most`, hint: 'make it smaller' });
  if (volumeSize !== undefined && volumeSize < gibibytes) throw new BakeError({ code: 'DiskLargerThanVolume', message: `"rootDevice.size" is ${volumeSize} GiB, and the disk has ${gibibytes} GiB`, hint: `write rootDevice: { size: Size.gibibytes(${gibibytes}) } or more, or leave size out` });
  return gibibytes;
}
