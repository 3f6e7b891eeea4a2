import { App, type Artifact, Checksum, File, Image, Manifest, type Ref, Shell, Size, Variable, Verify } from 'bake-sdk';
import { DockerSource, DockerTag } from 'bake-sdk/docker';
import { QemuSource } from 'bake-sdk/qemu';
import { BootstrapSource } from 'bake-sdk/rootfs';

/** A minimal Debian: what the web server's containers stand on. */
class ContainerBase extends Image {
  constructor(app: App, id: string) {
    super(app, id);
    new BootstrapSource(this, 'Rootfs', { suite: 'bookworm', variant: 'minbase' });
  }
}

/** The same with a kernel, systemd, an ssh server and an address by DHCP: what a virtual machine needs. */
class MachineBase extends Image {
  constructor(app: App, id: string) {
    super(app, id);
    new BootstrapSource(this, 'Rootfs', { suite: 'bookworm', packages: ['linux-image-cloud-amd64', 'systemd-sysv', 'systemd-resolved', 'udev', 'dbus', 'openssh-server'] });
    new File(this, 'Network', { content: '[Match]\nName=en* eth*\n\n[Network]\nDHCP=yes\n', destination: '/etc/systemd/network/80-dhcp.network' });
    new Shell(this, 'Services', { inline: ['systemctl enable systemd-networkd systemd-resolved ssh'] });
  }
}

interface WebProps {
  readonly container: Ref<Artifact>;
  /** Also make a Docker image; needs a Docker daemon. */
  readonly docker: boolean;
  /** Also make a virtual machine's disk of this tree; needs QEMU. */
  readonly machine?: Ref<Artifact>;
}

/** nginx with one page. One class, three platforms: all go through the same steps, and each image is tried out. */
class Web extends Image {
  constructor(app: App, id: string, props: WebProps) {
    super(app, id);
    new BootstrapSource(this, 'Rootfs', { artifact: props.container, output: { format: 'oci', cmd: ['nginx', '-g', 'daemon off;'], exposedPorts: [80] } });
    if (props.docker) {
      new DockerSource(this, 'Docker', { artifact: props.container, changes: ['CMD ["nginx", "-g", "daemon off;"]', 'EXPOSE 80'] });
      new DockerTag(this, 'Tag', { repository: 'bake-quickstart', tags: ['latest'], only: ['Docker'] });
    }
    if (props.machine !== undefined) new QemuSource(this, 'Qemu', { rootfs: props.machine, diskSize: Size.gibibytes(2), memory: Size.mebibytes(768) });

    new Shell(this, 'Nginx', { inline: ['apt-get update -qq', 'apt-get install -y -qq --no-install-recommends nginx-light', 'apt-get clean'], environment: { DEBIAN_FRONTEND: 'noninteractive' } });
    new File(this, 'Site', { source: './site/', destination: '/var/www/html' });

    const configured = [{ command: 'nginx -t' }, { command: 'cat /var/www/html/index.html', stdout: 'Baked' }];
    new Verify(this, 'Configured', { checks: configured, only: ['Rootfs'] });
    new Verify(this, 'Serves', { checks: [{ http: { port: 80, body: 'Baked' } }, ...configured], except: ['Rootfs'] });
    new Checksum(this, 'Sums', { algorithms: ['sha256'], only: ['Rootfs'] });
    new Manifest(this, 'Manifest');
  }
}

const docker = Variable.boolean('docker', { default: false, description: 'also make a Docker image' });
const qemu = Variable.boolean('qemu', { default: false, description: 'also make a virtual machine\'s disk' });

const app = new App();
const container = new ContainerBase(app, 'Container');
new Web(app, 'Web', { container: container.artifact, docker, ...(qemu ? { machine: new MachineBase(app, 'Machine').artifact } : {}) });
