import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { BakeError } from '../../../../core/bake-error.js';
import type { StepContext } from '../../../../engine/handler.js';

export interface Target {
  /** GRUB's platforms, each a folder under `/usr/lib/grub`. */
  readonly grub: readonly string[];
  /** The name that firmware looks for on a removable disk. */
  readonly efiName: string;
  readonly console: string;
}

export const targets: Readonly<Record<'x86_64' | 'aarch64', Target>> = {
  x86_64: { grub: ['i386-pc', 'x86_64-efi'], efiName: 'BOOTX64.EFI', console: 'ttyS0,115200' },
  aarch64: { grub: ['arm64-efi'], efiName: 'BOOTAA64.EFI', console: 'ttyAMA0' },
};

const packageOf: Readonly<Record<string, string>> = {
  'sfdisk': 'fdisk', 'mke2fs': 'e2fsprogs', 'mkfs.vfat': 'dosfstools', 'mcopy': 'mtools', 'mmd': 'mtools', 'grub-mkimage': 'grub-common', 'tar': 'tar',
  'i386-pc': 'grub-pc-bin', 'x86_64-efi': 'grub-efi-amd64-bin', 'arm64-efi': 'grub-efi-arm64-bin',
};

/** Programs of administrators are often not in the path of others. */
const folders = ['/usr/sbin', '/sbin', '/usr/local/sbin', '/usr/bin', '/bin', '/usr/local/bin', '/opt/homebrew/sbin', '/opt/homebrew/bin'];

export function grubFolder(platform: string): string {
  return join('/usr/lib/grub', platform);
}

/** @throws BakeError `CommandNotFound` naming all that is missing, and how to get it */
export async function requireTools(architecture: 'x86_64' | 'aarch64'): Promise<void> {
  const missing: string[] = [];
  for (const program of ['sfdisk', 'mke2fs', 'mkfs.vfat', 'mcopy', 'mmd', 'grub-mkimage', 'tar']) if (await pathOf(program) === undefined) missing.push(program);
  for (const platform of targets[architecture].grub) if (!(await isThere(grubFolder(platform)))) missing.push(platform);
  if (missing.length === 0) return;
  const packages = [...new Set(missing.map((name) => packageOf[name]))];
  const names = missing.map((name) => (targets[architecture].grub.includes(name) ? `GRUB for ${name}` : name));
  throw new BakeError({ code: 'CommandNotFound', message: `making a root tree bootable needs what is not on this machine: ${names.join(', ')}`, hint: `apt-get install ${packages.join(' ')}, or "bake setup --optional"` });
}

async function pathOf(program: string): Promise<string | undefined> {
  for (const folder of folders) if (await isThere(join(folder, program))) return join(folder, program);
  return undefined;
}

function isThere(path: string): Promise<boolean> {
  return stat(path).then(() => true, () => false);
}

/** Runs a program that must succeed. @throws BakeError `BootableDiskFailed`, `DiskFull` */
export async function runTool(ctx: StepContext, command: string, args: readonly string[], stdin?: string): Promise<void> {
  const program = await pathOf(command) ?? command;
  const { code, stderr, stdout } = await ctx.exec.run({ command: program, args, signal: ctx.signal, env: { LC_ALL: 'C.UTF-8', MTOOLS_SKIP_CHECK: '1' }, ...(stdin === undefined ? {} : { stdin }) });
  if (code === 0) return;
  const output = (stderr.trim() || stdout.trim()).split('\n').slice(-20);
  if (/No space left|Could not allocate block|ext2fs_populate_fs|no free space/i.test(output.join('\n')) && args.includes('-d')) {
    throw new BakeError({ code: 'DiskTooSmall', message: 'the root tree does not fit onto the disk', hint: 'give a larger "diskSize"', output });
  }
  throw new BakeError({ code: 'BootableDiskFailed', source: 'platform', message: `${command} ended with ${code}: ${output.at(-1) ?? ''}`, output });
}

/** The same command, with the ids of a root user's files kept for one who is not root. */
export function asRoot(command: string, args: readonly string[]): readonly [string, readonly string[]] {
  if (process.getuid?.() === 0) return [command, args];
  return ['unshare', ['--map-root-user', '--map-auto', '--', 'env', `PATH=${folders.join(':')}`, command, ...args]];
}
