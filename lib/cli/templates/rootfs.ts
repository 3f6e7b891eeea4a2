import type { Template } from './template.js';

/** A root tree from Debian's packages, without a daemon. */
export const rootfs: Template = {
  summary: 'a web server as a root tree of Debian packages; needs mmdebstrap (bake setup rootfs)',
  image: `import { App, Checksum, Image, Shell } from 'bake-sdk';
import { BootstrapSource } from 'bake-sdk/rootfs';
import type { Construct } from 'constructs';

/** nginx on Debian, as a tarball that any container engine imports. */
class Web extends Image {
  constructor(scope: Construct, id: string) {
    super(scope, id);
    new BootstrapSource(this, 'Rootfs', { suite: 'bookworm', packages: ['nginx-light'], output: { path: 'dist/web.tar.gz' } });
    new Shell(this, 'Page', { inline: ['echo "<h1>Hello from bake</h1>" > /var/www/html/index.html'] });
    new Checksum(this, 'Sums', { output: 'dist/web.tar.gz.sha256' });
  }
}

const app = new App();
new Web(app, 'Web');
`,
};
