import { App, type Artifact, Duration, File, Image, type Ref, Shell, Size, Verify } from 'bake-sdk';
import { QemuSource } from 'bake-sdk/qemu';
import { BootstrapSource } from 'bake-sdk/rootfs';

/** A Debian that boots: a kernel, systemd, an ssh server, and an address by DHCP. */
class Base extends Image {
  constructor(app: App, id: string) {
    super(app, id);
    new BootstrapSource(this, 'Rootfs', { suite: 'bookworm', packages: ['linux-image-cloud-amd64', 'systemd-sysv', 'systemd-resolved', 'udev', 'dbus', 'openssh-server'] });
    new File(this, 'Network', { content: '[Match]\nName=en* eth*\n\n[Network]\nDHCP=yes\n', destination: '/etc/systemd/network/80-dhcp.network' });
    new Shell(this, 'Services', { inline: ['systemctl enable systemd-networkd systemd-resolved ssh'] });
  }
}

/** A web server as a disk image, built in a virtual machine and tried out in another one. */
class Web extends Image {
  constructor(app: App, id: string, base: Ref<Artifact>) {
    super(app, id);
    new QemuSource(this, 'Qemu', { rootfs: base, diskSize: Size.gibibytes(2), memory: Size.mebibytes(768), trim: 'discard', output: 'web.qcow2' });

    new Shell(this, 'Nginx', { inline: ['apt-get update -qq', 'apt-get install -y -qq --no-install-recommends nginx-light', 'apt-get clean'], environment: { DEBIAN_FRONTEND: 'noninteractive' } });
    new File(this, 'Site', { source: './site/', destination: '/var/www/html' });

    new Verify(this, 'Serves', {
      checks: [
        { http: { port: 80, body: 'Baked' }, within: Duration.minutes(3) },
        { command: 'systemctl is-active nginx', stdout: 'active' },
      ],
    });
  }
}

const app = new App();
const base = new Base(app, 'Base');
new Web(app, 'Web', base.artifact);
