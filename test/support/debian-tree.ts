import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { madeOnce } from './made-once.js';

const run = promisify(execFile);

const packages = ['linux-image-cloud-amd64', 'systemd-sysv', 'udev', 'dbus', 'openssh-server', 'cloud-init', 'sudo'];
const hooks = [
  String.raw`printf '[Match]\nName=en* eth*\n\n[Network]\nDHCP=yes\n' > "$1/etc/systemd/network/80-dhcp.network"`,
  'chroot "$1" systemctl -q enable systemd-networkd ssh', 'chroot "$1" useradd --create-home --shell /bin/sh baker',
];

/** A tarball of a Debian that boots, with cloud-init, an ssh server and a user `baker`; made once, in some 40 s. Needs mmdebstrap. */
export async function debianTree(): Promise<string> {
  const folder = await madeOnce('debian-tree-2', async (part) => {
    await run('mmdebstrap', [
      '--quiet', '--variant=minbase', `--include=${packages.join(',')}`, ...['doc', 'man', 'locale'].map((name) => `--dpkgopt=path-exclude=/usr/share/${name}/*`),
      ...hooks.map((hook) => `--customize-hook=${hook}`), 'bookworm', join(part, 'debian.tar'),
    ], { maxBuffer: 16 * 1024 * 1024 });
  });
  return join(folder, 'debian.tar');
}
