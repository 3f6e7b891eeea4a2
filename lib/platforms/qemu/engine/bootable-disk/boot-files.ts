import { readdir, stat } from 'node:fs/promises';
import { BakeError } from '../../../../core/bake-error.js';
import { inTree } from './in-tree.js';

export interface BootFiles {
  /** Paths inside the tree. */
  readonly kernel: string;
  readonly initrd: string | undefined;
}

/** How distributions name what belongs to the kernel `vmlinuz-<version>`. */
const initrdNames = (version: string) => [`initrd.img-${version}`, `initramfs-${version}.img`, `initramfs-${version}`, `initrd-${version}`];

/**
 * What the tree boots: what its links name, so that a kernel that is installed later is taken, else the newest.
 * @throws BakeError `NoKernel`
 */
export async function bootFilesOf(tree: string, architecture: 'x86_64' | 'aarch64'): Promise<BootFiles> {
  for (const folder of ['', '/boot']) {
    const [kernel, initrd] = [`${folder}/vmlinuz`, `${folder}/initrd.img`];
    if (await isFile(tree, kernel)) return { kernel, initrd: await isFile(tree, initrd) ? initrd : undefined };
  }
  const names = await readdir(await inTree(tree, '/boot')).catch((): string[] => []);
  const newest = names.filter((name) => name.startsWith('vmlinuz-')).sort((a, b) => a.localeCompare(b, 'en', { numeric: true })).at(-1);
  if (newest === undefined) {
    const kernel = { x86_64: 'linux-image-cloud-amd64', aarch64: 'linux-image-cloud-arm64' }[architecture];
    throw new BakeError({ code: 'NoKernel', message: 'there is no kernel in the root tree, so it cannot boot', hint: `add one to the packages of its BootstrapSource: packages: ['${kernel}', 'systemd-sysv', 'udev', 'openssh-server']` });
  }
  const initrd = initrdNames(newest.slice('vmlinuz-'.length)).find((name) => names.includes(name));
  return { kernel: `/boot/${newest}`, initrd: initrd === undefined ? undefined : `/boot/${initrd}` };
}

async function isFile(tree: string, path: string): Promise<boolean> {
  return stat(await inTree(tree, path)).then((facts) => facts.isFile(), () => false);
}
