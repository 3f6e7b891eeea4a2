import { mkdir, readFile, rm, truncate, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type * as z from 'zod';
import { sha256 } from '../../../../core/json.js';
import type { StepContext } from '../../../../engine/handler.js';
import type { qemuRootDisk } from '../../steps.js';
import { writeBiosBoot } from './bios-boot.js';
import { type BootFiles, bootFilesOf } from './boot-files.js';
import { earlyConfig, grubConfig } from './grub-config.js';
import { inTree } from './in-tree.js';
import { layoutOf, partitionTable, rootTypes } from './layout.js';
import { putKeysIn } from './put-keys.js';
import { grubFolder, requireTools, runAsRoot, runTool, targets } from './tools.js';
import { unpack } from './unpack.js';

type RootDiskSpec = z.output<(typeof qemuRootDisk)['spec']>;

/** Every system from 2016 on can read these; what is new by default in the mke2fs of this computer may be too new for the machine or for GRUB. */
const features = 'none,sparse_super,large_file,filetype,resize_inode,dir_index,ext_attr,has_journal,extent,huge_file,flex_bg,metadata_csum,64bit,dir_nlink,extra_isize';

const grubModules = ['part_gpt', 'ext2', 'search', 'search_fs_uuid', 'normal', 'linux', 'configfile', 'echo', 'test', 'ls', 'gzio', 'terminal', 'serial', 'boot', 'reboot', 'halt'];

/** Linux asks itself at its start whether a PC's timer works; on a busy computer an emulated one ticks too late, and it gives up. */
const timer: Readonly<Record<keyof typeof targets, readonly string[]>> = { x86_64: ['no_timer_check'], aarch64: [] };

/**
 * Makes a raw disk of a root tree in `folder`: a GUID partition table, an ext4, and GRUB for BIOS and UEFI. Needs no loop
 * device, no mount, and root only to keep the owners of files where user namespaces are not to be had.
 * @returns the disk's path, and the paths in the machine of what was put in
 */
export async function makeBootableDisk(spec: RootDiskSpec, folder: string, ctx: StepContext): Promise<{ readonly file: string; readonly injected: readonly string[] }> {
  await requireTools(spec.architecture);
  const layout = layoutOf(spec.size);
  const at = (name: string) => join(folder, name);
  const [tree, disk] = [at('tree'), at('disk.raw')];
  await mkdir(folder, { recursive: true, mode: 0o700 });
  const ids = { disk: uuidOf(`${ctx.token} disk`), root: uuidOf(`${ctx.token} root`), fileSystem: uuidOf(`${ctx.token} ext4`) };
  await writeFile(disk, '');
  await truncate(disk, layout.size);
  // First, because it waits until all that was written before is on the disk of this computer.
  await runTool(ctx, 'sfdisk', ['--quiet', disk], partitionTable(layout, ids, rootTypes[spec.architecture]));

  await unpack(spec.artifact, tree, ctx);
  const files = await bootFilesOf(tree, spec.architecture);
  const { user = 'root', authorizedKey, hostKeyFile, hostPublicKey } = spec;
  const injected = await putKeysIn(tree, { user, authorizedKey, hostKeyFile, hostPublicKey }, folder, ctx);
  await writeConfiguration(tree, files, ids, spec);
  await runAsRoot(ctx, 'mke2fs', ['-q', '-t', 'ext4', '-F', '-b', '4096', '-I', '256', '-O', features, '-L', 'root', '-U', ids.fileSystem, '-E', `offset=${layout.root.start},root_owner=0:0`, '-d', tree, disk, `${layout.root.size / 1024}k`]);
  await runAsRoot(ctx, 'rm', ['-rf', '--', tree]);
  await writeBootLoader(disk, layout, ids.fileSystem, spec, folder, ctx);
  return { file: disk, injected };
}

async function writeConfiguration(tree: string, files: BootFiles, { root, fileSystem }: { readonly root: string; readonly fileSystem: string }, { architecture, kernelParameters = [] }: RootDiskSpec): Promise<void> {
  const fstab = await inTree(tree, '/etc/fstab');
  const before = await readFile(fstab, 'utf8').catch(() => '');
  await mkdir(dirname(fstab), { recursive: true });
  if (!/^[^#\s]\S*\s+\/\s/m.test(before)) await writeFile(fstab, `${before.replace(/^# UNCONFIGURED FSTAB.*\n/m, '')}PARTUUID=${root} / ext4 errors=remount-ro 0 1\n`);
  const config = await inTree(tree, '/boot/grub/grub.cfg');
  await mkdir(dirname(config), { recursive: true });
  await writeFile(config, grubConfig(files, fileSystem, [`root=PARTUUID=${root}`, 'ro', 'console=tty0', `console=${targets[architecture].console}`, ...timer[architecture], ...kernelParameters]));
}

async function writeBootLoader(disk: string, { bios, efi }: ReturnType<typeof layoutOf>, fileSystem: string, { architecture }: RootDiskSpec, folder: string, ctx: StepContext): Promise<void> {
  const at = (name: string) => join(folder, name);
  await writeFile(at('early.cfg'), earlyConfig(fileSystem));
  const { grub, efiName } = targets[architecture];
  const mkimage = (platform: string, output: string, modules: readonly string[]) =>
    runTool(ctx, 'grub-mkimage', ['--directory', grubFolder(platform), '--format', platform, '--prefix', '/boot/grub', '--config', at('early.cfg'), '--output', at(output), ...modules]);
  for (const platform of grub) {
    if (platform === 'i386-pc') {
      await mkimage(platform, 'core.img', ['biosdisk', ...grubModules]);
      await writeBiosBoot(disk, { bootImage: join(grubFolder(platform), 'boot.img'), coreImage: at('core.img'), region: bios });
      continue;
    }
    await mkimage(platform, efiName, grubModules);
    await runTool(ctx, 'mkfs.vfat', ['-F', '32', '-s', '1', '-n', 'EFI', '--offset', String(efi.start / 512), disk, String(efi.size / 1024)]);
    const image = `${disk}@@${efi.start}`;
    await runTool(ctx, 'mmd', ['-i', image, '::/EFI', '::/EFI/BOOT']);
    await runTool(ctx, 'mcopy', ['-i', image, at(efiName), `::/EFI/BOOT/${efiName}`]);
  }
  for (const name of ['early.cfg', 'core.img', 'host-key.pub', 'authorized-key', efiName]) await rm(at(name), { force: true });
}

/** A UUID (version 8: of one's own making) that is the same for the same text. */
function uuidOf(text: string): string {
  const hex = sha256(text);
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-8${hex.slice(13, 16)}-a${hex.slice(17, 20)}-${hex.slice(20, 32)}`;
}
