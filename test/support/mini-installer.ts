import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { copyFile, mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { cloudKernel } from './cloud-kernel.js';
import { madeOnce } from './made-once.js';
import { copyModules, tinyGuest, writeScript } from './tiny-guest.js';

const execute = promisify(execFile);

/**
 * An installation CD: at its `boot:` prompt, `install from=<URL>` fetches `<URL>/system.raw.gz` onto the first virtio disk,
 * authorizes the keys in `<URL>/authorized_keys`, and reboots into the tiny guest.
 */
export interface MiniInstaller {
  readonly iso: string;
  /** The folder to serve: it has `system.raw.gz`. */
  readonly folder: string;
}

/** Needs what the tiny guest needs, isolinux, xorriso and gzip. */
export async function miniInstaller(): Promise<MiniInstaller> {
  const [guest, recipe] = [await tinyGuest(), await readFile(new URL(import.meta.url))];
  const digest = createHash('sha256').update(recipe).update(guest.disk).digest('hex').slice(0, 12);
  const folder = await madeOnce(`mini-installer-${digest}`, (part) => make(part, guest.rawDisk));
  return { iso: join(folder, 'installer.iso'), folder: join(folder, 'www') };
}

async function make(folder: string, rawDisk: string): Promise<void> {
  const at = (name: string) => join(folder, name);
  const kernel = await cloudKernel();
  for (const name of ['initrd/bin', 'initrd/modules', 'initrd/dev', 'initrd/proc', 'initrd/sys', 'initrd/mnt', 'cd/isolinux', 'www']) await mkdir(at(name), { recursive: true });
  await copyFile('/bin/busybox', at('initrd/bin/busybox'));
  await copyModules(await kernel.modules(['virtio_pci', 'virtio_blk', 'virtio_net', 'virtio_rng']), at('initrd/modules'));
  await writeScript(at('initrd/init'), `#!/bin/busybox sh
/bin/busybox --install -s /bin
export PATH=/bin
mount -t proc proc /proc; mount -t sysfs sys /sys; mount -t devtmpfs dev /dev
while read module; do insmod /modules/$module; done < /modules/order
for word in $(cat /proc/cmdline); do case $word in from=*) from=\${word#from=} ;; esac; done
card=$(ls /sys/class/net | grep ^e); ip link set $card up; ip addr add 10.0.2.15/24 dev $card; ip route add default via 10.0.2.2
echo "installing from $from"
wget -q -O - $from/system.raw.gz | gunzip > /dev/vda || poweroff -f
sync; blockdev --rereadpt /dev/vda; sleep 1
mount -t ext4 /dev/vda2 /mnt && wget -q -O - $from/authorized_keys >> /mnt/root/.ssh/authorized_keys && umount /mnt || poweroff -f
echo "installed"; sync; reboot -f
`);
  await execute('sh', ['-c', 'find . | LC_ALL=C sort | cpio -o -H newc --quiet | gzip -1n > "$1"', 'sh', at('cd/install.gz')], { cwd: at('initrd') });
  await copyFile(kernel.image, at('cd/vmlinuz'));
  await copyFile('/usr/lib/ISOLINUX/isolinux.bin', at('cd/isolinux/isolinux.bin'));
  await copyFile('/usr/lib/syslinux/modules/bios/ldlinux.c32', at('cd/isolinux/ldlinux.c32'));
  await writeFile(at('cd/isolinux/isolinux.cfg'), 'SERIAL 0 115200\nPROMPT 1\nTIMEOUT 0\nLABEL install\n KERNEL /vmlinuz\n APPEND initrd=/install.gz console=ttyS0 quiet mitigations=off no_timer_check\n');
  await execute('xorriso', ['-as', 'mkisofs', '-quiet', '-r', '-b', 'isolinux/isolinux.bin', '-c', 'isolinux/boot.cat', '-no-emul-boot', '-boot-load-size', '4', '-boot-info-table', '-o', at('installer.iso'), at('cd')]);
  await execute('sh', ['-c', 'gzip -1 < "$1" > "$2"', 'sh', rawDisk, at('www/system.raw.gz')]);
  for (const rest of ['initrd', 'cd']) await rm(at(rest), { recursive: true });
}
