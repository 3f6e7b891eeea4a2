import type { Template } from './template.js';

/** Needs nothing but this computer: no daemon, no network. */
export const quickstart: Template = {
  summary: 'a page, packed and checksummed; needs no network and no daemon',
  image: `import { App, Artifice, Checksum, Compress, Image, ShellLocal, Variable } from 'bake-sdk';
import { NullSource } from 'bake-sdk/null';
import type { Construct } from 'constructs';

interface SiteProps {
  readonly greeting: string;
}

/** A web page, packed and ready to be shipped. Try: bake synth, bake run, bake run --force -c greeting=Hi */
class Site extends Image {
  constructor(scope: Construct, id: string, props: SiteProps) {
    super(scope, id);

    // Where a build starts. This one needs no machine; DockerSource, BootstrapSource and others start one.
    new NullSource(this, 'Here');

    // What is done, in this order. Shell and File do the same on the machine of a source that has one.
    new ShellLocal(this, 'Page', {
      inline: ['mkdir -p out', 'printf "<h1>%s</h1>\\\\n" "$GREETING" > out/index.html'],
      environment: { GREETING: props.greeting },
    });

    // What becomes of it: a chain, each link working on what the one before it made.
    const page = new Artifice(this, 'Files', { files: ['out/index.html'] });
    const archive = new Compress(this, 'Archive', { input: page, output: 'dist/site.tar.gz', keepInputArtifact: true });
    new Checksum(this, 'Sums', { input: archive, output: 'dist/site.tar.gz.sha256' });
  }
}

const app = new App();
new Site(app, 'Site', { greeting: Variable.string('greeting', { default: 'Hello from bake', description: 'the heading of the page' }) });
`,
};
