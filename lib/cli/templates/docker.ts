import type { Template } from './template.js';

/** A container image, made by a Docker daemon. */
export const docker: Template = {
  summary: 'a web server as a Docker image; needs a Docker daemon (bake doctor docker)',
  image: `import { App, Image, Shell } from 'bake-sdk';
import { DockerSource } from 'bake-sdk/docker';
import type { Construct } from 'constructs';

interface WebProps {
  readonly version: string;
}

/** nginx on Debian. Afterwards: docker run --rm -p 8080:80 web:1.0 */
class Web extends Image {
  constructor(scope: Construct, id: string, props: WebProps) {
    super(scope, id);
    new DockerSource(this, 'Docker', {
      image: 'debian:12',
      changes: ['EXPOSE 80', 'CMD ["nginx", "-g", "daemon off;"]'],
      tags: [\`web:\${props.version}\`],
    });
    new Shell(this, 'Nginx', { inline: ['apt-get update', 'apt-get install -y --no-install-recommends nginx-light'] });
    new Shell(this, 'Page', { inline: ['echo "<h1>Hello from bake</h1>" > /var/www/html/index.html'] });
  }
}

const app = new App();
new Web(app, 'Web', { version: '1.0' });
`,
};
