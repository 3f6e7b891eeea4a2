import { App, type Artifact, File, Image, type Ref, Shell, Size } from 'bake-sdk';
import { Ec2Import } from 'bake-sdk/ec2';
import { QemuSource } from 'bake-sdk/qemu';
import { BootstrapSource } from 'bake-sdk/rootfs';

/** A Debian that boots here and on EC2: the cloud kernel has the drivers of NVMe and ENA, and cloud-init puts in the key that a machine is started with. */
class Base extends Image {
  constructor(app: App, id: string) {
    super(app, id);
    new BootstrapSource(this, 'Rootfs', { suite: 'bookworm', packages: ['linux-image-cloud-amd64', 'systemd-sysv', 'systemd-resolved', 'udev', 'dbus', 'openssh-server', 'cloud-init', 'cloud-guest-utils', 'sudo'] });
    new File(this, 'Network', { content: '[Match]\nName=en* eth*\n\n[Network]\nDHCP=yes\n', destination: '/etc/systemd/network/80-dhcp.network' });
    // While it is built there is nobody who tells cloud-init what to do, so it does nothing.
    new File(this, 'CloudInit', { content: 'network: { config: disabled }\n', destination: '/etc/cloud/cloud.cfg.d/99-network.cfg' });
    new Shell(this, 'Services', { inline: ['systemctl enable systemd-networkd systemd-resolved ssh'] });
  }
}

/** A web server, built in a virtual machine of this computer, and then an AMI: no instance is started for it, and no bucket is needed. */
class Web extends Image {
  constructor(app: App, id: string, base: Ref<Artifact>) {
    super(app, id);
    new QemuSource(this, 'Qemu', { rootfs: base, diskSize: Size.gibibytes(2), memory: Size.mebibytes(768), trim: 'discard', output: 'web.qcow2' });

    new Shell(this, 'Nginx', { inline: ['apt-get update -qq', 'apt-get install -y -qq --no-install-recommends nginx-light', 'apt-get clean'], environment: { DEBIAN_FRONTEND: 'noninteractive' } });
    new File(this, 'Site', { content: 'Baked here, served there.\n', destination: '/var/www/html/index.html' });

    new Ec2Import(this, 'Ami', {
      region: 'eu-west-1', amiName: 'web-{build}', amiDescription: 'nginx on Debian 12', forceDeregister: true,
      rootDevice: { size: Size.gibibytes(8) }, imdsSupport: 'v2.0', ssmParameter: '/web/ami',
    });
  }
}

const app = new App();
const base = new Base(app, 'Base');
new Web(app, 'Web', base.artifact);
