import { App, type Artifact, File, Image, Manifest, type Ref, Shell, Size, Verify } from 'bake-sdk';
import { DockerSource } from 'bake-sdk/docker';
import { QemuSource } from 'bake-sdk/qemu';
import { BootstrapSource } from 'bake-sdk/rootfs';

const machinePackages = ['linux-image-cloud-amd64', 'systemd-sysv', 'systemd-resolved', 'udev', 'dbus', 'openssh-server'];

/** What the web server stands on: as it is for containers, with a kernel for machines. */
class Base extends Image {
  constructor(app: App, id: string, packages: readonly string[] = []) {
    super(app, id);
    new BootstrapSource(this, 'Rootfs', { suite: 'bookworm', packages });
    if (packages.length === 0) return;
    new File(this, 'Network', { content: '[Match]\nName=en* eth*\n\n[Network]\nDHCP=yes\n', destination: '/etc/systemd/network/80-dhcp.network' });
    new Shell(this, 'Services', { inline: ['systemctl enable systemd-networkd systemd-resolved ssh'] });
  }
}

/** One class, three sources: every platform goes through the same steps, and each image is tried out. */
class Web extends Image {
  constructor(app: App, id: string, bases: { readonly container: Ref<Artifact>; readonly machine: Ref<Artifact> }) {
    super(app, id);
    new BootstrapSource(this, 'Rootfs', { artifact: bases.container });
    new DockerSource(this, 'Docker', { artifact: bases.container, changes: ['CMD ["nginx", "-g", "daemon off;"]', 'EXPOSE 80'], tags: ['bake-web:latest'] });
    new QemuSource(this, 'Qemu', { rootfs: bases.machine, diskSize: Size.gibibytes(2), memory: Size.mebibytes(768) });

    new Shell(this, 'Nginx', { inline: ['apt-get update -qq', 'apt-get install -y -qq --no-install-recommends nginx-light', 'apt-get clean'], environment: { DEBIAN_FRONTEND: 'noninteractive' } });
    new File(this, 'Site', { source: './site/', destination: '/var/www/html' });

    const configured = [{ command: 'nginx -t' }, { command: 'cat /var/www/html/index.html', stdout: 'Baked' }];
    new Verify(this, 'Configured', { checks: configured, only: ['Rootfs'] });
    new Verify(this, 'Serves', { checks: [{ http: { port: 80, body: 'Baked' } }, ...configured], except: ['Rootfs'] });
    new Manifest(this, 'Manifest');
  }
}

const app = new App();
const container = new Base(app, 'Container');
const machine = new Base(app, 'Machine', machinePackages);
new Web(app, 'Web', { container: container.artifact, machine: machine.artifact });
