import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { chmod, copyFile, mkdir, readFile, rm, symlink, truncate, writeFile } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { cloudKernel, type CloudKernel } from './cloud-kernel.js';
import { madeOnce } from './made-once.js';

const execute = promisify(execFile);
const run = (command: string, ...args: readonly string[]) => execute(command, args, { env: { ...process.env, LC_ALL: 'C', PATH: `${process.env['PATH'] ?? ''}:/usr/sbin:/sbin` } });

/**
 * A guest of some 25 MB that runs OpenSSH's sshd a few seconds after its start under TCG. It wants an x86_64 machine with
 * BIOS, 256 MB of memory, a virtio network card on QEMU's user network (it takes 10.0.2.15) and better a virtio-rng;
 * its disk may be virtio, SCSI or IDE. It answers the power button. There is no cloud-init in it.
 */
export interface TinyGuest {
  /** qcow2, 1 GiB for the guest. Shared by all tests: start it on an overlay or a copy. */
  readonly disk: string;
  /** The same disk, raw and sparse. */
  readonly rawDisk: string;
  /** To start it without the boot loader: `-kernel`, `-initrd`, and `-append "root=LABEL=tinyroot console=ttyS0"`. */
  readonly kernel: string;
  readonly initrd: string;
  /** Of `root`, who is let in with the key and with the password. */
  readonly privateKeyFile: string;
  readonly publicKey: string;
  readonly password: string;
  /** `ssh-ed25519 AAAA…`, of the only host key. */
  readonly hostPublicKey: string;
}

const password = 'tiny-guest';

/** The tiny guest of this machine, made in a few seconds if it is not there yet. Needs kmod, cpio, busybox-static, openssh-server, openssh-sftp-server, syslinux, mtools, dosfstools, e2fsprogs, fdisk and qemu-utils. */
export async function tinyGuest(): Promise<TinyGuest> {
  const kernel = await cloudKernel();
  const recipe = await readFile(new URL(import.meta.url));
  const digest = createHash('sha256').update(recipe).update(kernel.version).digest('hex').slice(0, 12);
  const folder = await madeOnce(`tiny-guest-${digest}`, (part) => make(part, kernel));
  const key = async (name: string) => (await readFile(join(folder, name), 'utf8')).trim().split(' ').slice(0, 2).join(' ');
  return {
    disk: join(folder, 'tiny.qcow2'), rawDisk: join(folder, 'tiny.raw'), kernel: kernel.image, initrd: join(folder, 'initrd.gz'),
    privateKeyFile: join(folder, 'id_ed25519'), publicKey: await key('id_ed25519.pub'), password, hostPublicKey: await key('host_key.pub'),
  };
}

async function make(folder: string, kernel: CloudKernel): Promise<void> {
  const at = (name: string) => join(folder, name);
  await run('ssh-keygen', '-q', '-t', 'ed25519', '-N', '', '-C', 'tiny-guest', '-f', at('id_ed25519'));
  await run('ssh-keygen', '-q', '-t', 'ed25519', '-N', '', '-C', 'tiny-host', '-f', at('host_key'));
  await makeInitrd(at('initrd'), at('initrd.gz'), kernel);
  await makeTree(at('tree'), folder, kernel);
  await makeDisk(folder, kernel);
  for (const rest of ['initrd', 'tree', 'syslinux.cfg']) await rm(at(rest), { recursive: true });
}

const driversOfDisks = ['virtio_pci', 'virtio_blk', 'virtio_scsi', 'sd_mod', 'ata_piix', 'ahci'];
const driversOfTheRest = ['virtio_net', 'virtio_rng', 'button', 'evdev', 'sr_mod', 'isofs', 'vfat', 'nls_ascii', 'nls_cp437'];

/** An initial RAM disk that loads drivers and hands over to the file system with the label. */
async function makeInitrd(tree: string, target: string, kernel: CloudKernel): Promise<void> {
  for (const name of ['bin', 'modules', 'dev', 'proc', 'sys', 'root']) await mkdir(join(tree, name), { recursive: true });
  await copyFile('/bin/busybox', join(tree, 'bin/busybox'));
  await copyModules(await kernel.modules(driversOfDisks), join(tree, 'modules'));
  await writeScript(join(tree, 'init'), `#!/bin/busybox sh
/bin/busybox --install -s /bin
export PATH=/bin
mount -t proc proc /proc; mount -t sysfs sys /sys; mount -t devtmpfs dev /dev
while read module; do insmod /modules/$module; done < /modules/order
tries=0; until disk=$(findfs LABEL=tinyroot 2>/dev/null); do usleep 50000; tries=$((tries+1)); [ $tries -lt 200 ] || poweroff -f; done
mount -t ext4 -o noatime $disk /root
umount /proc /sys; mount --move /dev /root/dev
exec switch_root /root /sbin/init
`);
  await execute('sh', ['-c', 'find . | LC_ALL=C sort | cpio -o -H newc --quiet | gzip -1n > "$1"', 'sh', target], { cwd: tree });
}

async function makeTree(tree: string, folder: string, kernel: CloudKernel): Promise<void> {
  const at = (name: string) => join(tree, name);
  for (const name of ['bin', 'dev', 'proc', 'sys', 'tmp', 'run', 'home', 'mnt', 'srv', 'root/.ssh', 'etc/ssh', 'etc/acpi/PWRF', 'usr/sbin', 'usr/bin', 'usr/lib', 'lib/modules', 'lib64', 'var/log', 'var/tmp', 'var/empty', 'opt']) await mkdir(at(name), { recursive: true });
  await Promise.all(['tmp', 'var/tmp'].map((name) => chmod(at(name), 0o1777)));
  await Promise.all(['root', 'root/.ssh'].map((name) => chmod(at(name), 0o700)));
  await copyFile('/bin/busybox', at('bin/busybox'));
  const { stdout: applets } = await run('/bin/busybox', '--list');
  for (const applet of applets.trim().split('\n')) if (applet !== 'busybox') await symlink('busybox', at(`bin/${applet}`));
  await symlink('sh', at('bin/bash'));
  await symlink('bin', at('sbin'));
  for (const program of ['/usr/sbin/sshd', '/usr/bin/scp', '/usr/lib/openssh/sftp-server']) await copyProgram(program, tree);
  await copyModules(await kernel.modules(driversOfTheRest), at('lib/modules'));

  await copyFile(join(folder, 'host_key'), at('etc/ssh/ssh_host_ed25519_key'));
  await chmod(at('etc/ssh/ssh_host_ed25519_key'), 0o600);
  await copyFile(join(folder, 'host_key.pub'), at('etc/ssh/ssh_host_ed25519_key.pub'));
  await copyFile(join(folder, 'id_ed25519.pub'), at('root/.ssh/authorized_keys'));
  await chmod(at('root/.ssh/authorized_keys'), 0o600);
  const { stdout: hash } = await run('openssl', 'passwd', '-6', password);
  const files = {
    'etc/passwd': `root:${hash.trim()}:0:0:root:/root:/bin/sh\nsshd:x:100:65534::/run/sshd:/bin/false\n`,
    'etc/group': 'root:x:0:\ntty:x:5:\nnogroup:x:65534:\n',
    'etc/shells': '/bin/sh\n/bin/bash\n', 'etc/hostname': 'tiny\n', 'etc/hosts': '127.0.0.1 localhost tiny\n', 'etc/resolv.conf': 'nameserver 10.0.2.3\n',
    'etc/os-release': 'NAME="tiny"\nID=tiny\n',
    'etc/ssh/sshd_config': 'HostKey /etc/ssh/ssh_host_ed25519_key\nPermitRootLogin yes\nUsePAM no\nUseDNS no\nStrictModes no\nSubsystem sftp /usr/lib/openssh/sftp-server\n',
    'etc/inittab': '::sysinit:/etc/rc\n::respawn:/etc/sshd\n::respawn:/bin/acpid -f\nttyS0::respawn:/bin/login -f root\n::shutdown:/bin/umount -a -r\n::ctrlaltdel:/bin/reboot\n',
  };
  for (const [name, text] of Object.entries(files)) await writeFile(at(name), text);
  await writeScript(at('etc/acpi/PWRF/00000080'), '#!/bin/sh\nexec /bin/poweroff\n');
  await writeScript(at('etc/sshd'), '#!/bin/sh\nmkdir -p /run/sshd; exec /usr/sbin/sshd -D -e\n');
  await writeScript(at('etc/rc'), `#!/bin/sh
export PATH=/bin
mount -t proc proc /proc; mount -t sysfs sys /sys; mkdir -p /dev/pts /dev/shm; mount -t devpts devpts /dev/pts; mount -t tmpfs tmpfs /run
mount -o remount,rw /
while read module; do insmod /lib/modules/$module; done < /lib/modules/order
hostname -F /etc/hostname; ip link set lo up
for card in /sys/class/net/e*; do [ -e $card ] || continue; card=\${card##*/}; ip link set $card up; ip addr add 10.0.2.15/24 dev $card; ip route add default via 10.0.2.2; break; done
`);
}

/** Copies modules, and their names in the order in which they have to be loaded. */
export async function copyModules(modules: readonly string[], folder: string): Promise<void> {
  for (const module of modules) await copyFile(module, join(folder, basename(module)));
  await writeFile(join(folder, 'order'), modules.map((module) => `${basename(module)}\n`).join(''));
}

/** A program with the libraries it is linked to, under the names they have here. */
async function copyProgram(program: string, tree: string): Promise<void> {
  const { stdout } = await run('ldd', program);
  for (const file of [program, ...[...stdout.matchAll(/\/\S+/g)].map(([path]) => path)]) {
    await mkdir(dirname(join(tree, file)), { recursive: true });
    await copyFile(file, join(tree, file));
  }
}

/** Writes an executable file. */
export async function writeScript(path: string, text: string): Promise<void> {
  await writeFile(path, text);
  await chmod(path, 0o755);
}

const mebibyte = 1024 * 1024;

/** Sectors 2048–51199 hold a FAT file system with kernel and boot loader, the rest the root file system. */
async function makeDisk(folder: string, kernel: CloudKernel): Promise<void> {
  const at = (name: string) => join(folder, name);
  const disk = at('tiny.raw');
  const [bootStart, rootStart, size] = [1 * mebibyte, 25 * mebibyte, 1024 * mebibyte];
  await writeFile(disk, '');
  await truncate(disk, size);
  const table = `label: dos\nstart=${bootStart / 512},size=${(rootStart - bootStart) / 512},type=e,bootable\nstart=${rootStart / 512},type=83\n`;
  await execute('sh', ['-c', 'printf %s "$2" | sfdisk -q "$1"', 'sh', disk, table], { env: { ...process.env, PATH: `${process.env['PATH'] ?? ''}:/usr/sbin:/sbin` } });
  await run('dd', 'if=/usr/lib/syslinux/mbr/mbr.bin', `of=${disk}`, 'conv=notrunc', 'bs=440', 'count=1', 'status=none');
  await run('mkfs.vfat', '-F', '16', '-n', 'BOOT', '--offset', String(bootStart / 512), disk, String((rootStart - bootStart) / 1024));
  await writeFile(at('syslinux.cfg'), 'SERIAL 0 115200\nDEFAULT tiny\nPROMPT 0\nLABEL tiny\n KERNEL vmlinuz\n APPEND initrd=initrd.gz console=tty0 console=ttyS0 quiet mitigations=off no_timer_check\n');
  for (const [file, name] of [[kernel.image, 'vmlinuz'], [at('initrd.gz'), 'initrd.gz'], [at('syslinux.cfg'), 'syslinux.cfg']]) await run('mcopy', '-i', `${disk}@@${bootStart}`, file!, `::${name!}`);
  await run('syslinux', '-i', '-t', String(bootStart), disk);
  await run('mke2fs', '-q', '-t', 'ext4', '-F', '-L', 'tinyroot', '-E', `root_owner=0:0,offset=${rootStart}`, '-d', at('tree'), disk, `${(size - rootStart) / 1024}k`);
  await run('qemu-img', 'convert', '-O', 'qcow2', disk, at('tiny.qcow2'));
}
