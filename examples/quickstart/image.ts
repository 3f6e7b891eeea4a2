import { App, Checksum, File, Image, Manifest, type Ref, type Artifact, Shell, Variable } from 'bake-sdk';
import { DockerSource, DockerTag } from 'bake-sdk/docker';
import { BootstrapSource } from 'bake-sdk/rootfs';

/** A minimal Debian: what the web server's images stand on. */
class Base extends Image {
  constructor(app: App, id: string) {
    super(app, id);
    new BootstrapSource(this, 'Rootfs', { suite: 'bookworm', variant: 'minbase' });
  }
}

interface WebProps {
  readonly base: Ref<Artifact>;
  /** Also make a Docker image; needs a Docker daemon. */
  readonly docker: boolean;
}

/** nginx with one page: the same steps for every platform. */
class Web extends Image {
  constructor(app: App, id: string, props: WebProps) {
    super(app, id);
    new BootstrapSource(this, 'Rootfs', { artifact: props.base, output: { format: 'oci', cmd: ['nginx', '-g', 'daemon off;'], exposedPorts: [80] } });
    if (props.docker) {
      new DockerSource(this, 'Docker', { artifact: props.base, changes: ['CMD ["nginx", "-g", "daemon off;"]', 'EXPOSE 80'] });
      new DockerTag(this, 'Tag', { repository: 'bake-quickstart', tags: ['latest'], only: ['Docker'] });
    }

    new Shell(this, 'Nginx', { inline: ['apt-get update -qq', 'apt-get install -y -qq --no-install-recommends nginx-light'], environment: { DEBIAN_FRONTEND: 'noninteractive' } });
    new File(this, 'Site', { source: './site/', destination: '/var/www/html' });
    new Shell(this, 'Check', { inline: ['nginx -t', 'grep -q "Baked" /var/www/html/index.html'] });

    new Checksum(this, 'Sums', { algorithms: ['sha256'], only: ['Rootfs'] });
    new Manifest(this, 'Manifest');
  }
}

const app = new App();
const base = new Base(app, 'Base');
new Web(app, 'Web', { base: base.artifact, docker: Variable.boolean('docker', { default: false, description: 'also make a Docker image' }) });
