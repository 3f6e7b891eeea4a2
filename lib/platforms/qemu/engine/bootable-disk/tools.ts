import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { BakeError } from '../../../../core/bake-error.js';
import { diskFull } from '../../../../core/disk-error.js';
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
  'sfdisk': 'fdisk', 'mke2fs': 'e2fsprogs', 'mkfs.vfat': 'dosfstools', 'mcopy': 'mtools', 'mmd': 'mtools', 'grub-mkimage': 'grub-common', 'tar': 'tar', 'setpriv': 'util-linux', 'unshare': 'util-linux', 'newuidmap': 'uidmap',
  'i386-pc': 'grub-pc-bin', 'x86_64-efi': 'grub-efi-amd64-bin', 'arm64-efi': 'grub-efi-arm64-bin',
};

/** Where programs are; those of administrators are often not in the path of others. */
const folders = ['/usr/sbin', '/sbin', '/usr/local/sbin', '/usr/bin', '/bin', '/usr/local/bin', '/opt/homebrew/sbin', '/opt/homebrew/bin'];

export function grubFolder(platform: string): string {
  return join('/usr/lib/grub', platform);
}

/** What making a root tree bootable needs and this computer lacks, and Debian's packages that have it. */
export async function missingTools(architecture: 'x86_64' | 'aarch64'): Promise<{ readonly names: readonly string[]; readonly packages: readonly string[] }> {
  const missing: string[] = [];
  const programs = ['sfdisk', 'mke2fs', 'mkfs.vfat', 'mcopy', 'mmd', 'grub-mkimage', 'tar', 'setpriv', ...(process.getuid?.() === 0 ? [] : ['unshare', 'newuidmap'])];
  for (const program of programs) if (await pathOf(program) === undefined) missing.push(program);
  const { grub } = targets[architecture];
  for (const platform of grub) if (!(await isThere(grubFolder(platform)))) missing.push(platform);
  return { names: missing.map((name) => (grub.includes(name) ? `GRUB for ${name}` : name)), packages: [...new Set(missing.map((name) => packageOf[name] ?? name))] };
}

/** @throws BakeError `CommandNotFound` naming all that is missing, and how to get it */
export async function requireTools(architecture: 'x86_64' | 'aarch64'): Promise<void> {
  const { names, packages } = await missingTools(architecture);
  if (names.length === 0) return;
  throw new BakeError({ code: 'CommandNotFound', message: `making a root tree bootable needs what is not on this machine: ${names.join(', ')}`, hint: installHint(architecture, packages) });
}

/** Debian builds GRUB's modules only on the architecture that they are for; elsewhere apt must be told of it first. */
function installHint(architecture: 'x86_64' | 'aarch64', packages: readonly string[]): string {
  const { node, debian } = { x86_64: { node: 'x64', debian: 'amd64' }, aarch64: { node: 'arm64', debian: 'arm64' } }[architecture];
  const modules = targets[architecture].grub.map((platform) => packageOf[platform]);
  if (process.arch === node || !packages.some((name) => modules.includes(name))) return `apt-get install ${packages.join(' ')}${process.arch === node ? ', or "bake setup --optional"' : ''}`;
  const named = packages.map((name) => (modules.includes(name) ? `${name}:${debian}` : name));
  return `dpkg --add-architecture ${debian} && apt-get update && apt-get install ${named.join(' ')}`;
}

async function pathOf(program: string): Promise<string | undefined> {
  for (const folder of folders) if (await isThere(join(folder, program))) return join(folder, program);
  return undefined;
}

function isThere(path: string): Promise<boolean> {
  return stat(path).then(() => true, () => false);
}

/** Whether a user who is not root can have the namespace that owners are kept in. @throws BakeError `RootlessUnavailable` */
export async function requireOwners(ctx: StepContext): Promise<void> {
  if (process.getuid?.() !== 0) await runAsRoot(ctx, 'true', []);
}

/** Runs a program that must succeed. @throws BakeError `BootableDiskFailed`, `DiskFull`, `DiskTooSmall` */
export function runTool(ctx: StepContext, command: string, args: readonly string[], stdin?: string): Promise<void> {
  return run(ctx, command, [command, ...args], stdin);
}

/**
 * The same for one that sees the owners of files as root does, also for a user who is not root. It ends with this
 * process: nothing goes on writing into a folder that is cleaned up.
 */
export function runAsRoot(ctx: StepContext, command: string, args: readonly string[]): Promise<void> {
  const users = process.getuid?.() === 0 ? [] : ['unshare', '--map-root-user', '--map-auto', '--'];
  return run(ctx, command, [...users, 'setpriv', '--pdeathsig', 'KILL', '--', command, ...args]);
}

async function run(ctx: StepContext, name: string, [command = name, ...args]: readonly string[], stdin?: string): Promise<void> {
  const env = { LC_ALL: 'C.UTF-8', MTOOLS_SKIP_CHECK: '1', PATH: folders.join(':') };
  const { code, signal, stderr, stdout } = await ctx.exec.run({ command, args, signal: ctx.signal, env, ...(stdin === undefined ? {} : { stdin }) });
  if (code === 0) return;
  const text = stderr.trim() || stdout.trim();
  const output = text.split('\n').slice(-20);
  if (/^(unshare|new[ug]idmap): /m.test(text)) {
    throw new BakeError({
      code: 'RootlessUnavailable', source: 'platform', message: `this user cannot make namespaces of users: ${output.at(-1) ?? ''}`, output,
      hint: 'give the user a range of ids that nobody else has (sudo usermod --add-subuids 100000-165535 --add-subgids 100000-165535 <user>), or run bake as root',
    });
  }
  if (/No space left on device|Disk full/i.test(text)) throw diskFull(ctx.run.project, `${name} said so`);
  if (/Could not allocate (block|inode)/i.test(text)) throw new BakeError({ code: 'DiskTooSmall', message: 'the root tree does not fit onto the disk', hint: 'give a larger "diskSize"', output });
  throw new BakeError({ code: 'BootableDiskFailed', source: 'platform', message: `${name} ended with ${code ?? signal}: ${output.at(-1) ?? ''}`, output });
}
