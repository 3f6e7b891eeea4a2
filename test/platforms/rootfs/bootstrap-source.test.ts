import t from 'tap';
import { resetAmbient } from '../../../lib/image/ambient.js';
import { App } from '../../../lib/image/app.js';
import { Image } from '../../../lib/image/image.js';
import { Tags } from '../../../lib/image/tags.js';
import { BootstrapSource, type BootstrapSourceProps } from '../../../lib/platforms/rootfs/index.js';
import { synthesize } from '../../../lib/synth/synthesize.js';

function synth(props?: BootstrapSourceProps, id = 'Rootfs') {
  resetAmbient({});
  const app = new App();
  const image = new Image(app, 'Web');
  Tags.of(image).add('team', 'web');
  new BootstrapSource(image, id, props);
  const { plans, diagnostics } = synthesize({ apps: [app], diagnostics: [] });
  const steps = plans.flatMap((plan) => plan.steps);
  return { diagnostics, steps, spec: (name: string) => steps.find((step) => step.id.endsWith(`/${name}`))?.spec };
}

t.test('without props it is a minimal Debian in a tarball', async (t) => {
  const { steps, diagnostics, spec } = synth();
  t.same(diagnostics, []);
  t.same(steps.map(({ id, kind, lifetime }) => [id, kind, lifetime]), [
    ['Web/Rootfs/Tree', 'rootfs.tree', 'run'], ['Web/Rootfs/Machine', 'rootfs.machine', 'run'],
    ['Web/Rootfs/Seal', 'rootfs.seal', 'none'], ['Web/Rootfs/Tarball', 'rootfs.tarball', 'artifact'],
  ]);
  t.same(spec('Tree'), { suite: 'bookworm', variant: 'minbase', clampTime: 946_684_800 });
  t.match(spec('Tarball'), { path: 'bake.artifacts/Web-Rootfs.tar', compression: 'none', tags: { team: 'web' } });
  t.same(steps.find((step) => step.kind === 'rootfs.tarball')?.needs, ['Web/Rootfs/Machine', 'Web/Rootfs/Seal', 'Web/Rootfs/Tree']);
});

t.test('every prop of a mirror reaches the step that bootstraps', async (t) => {
  const { spec, diagnostics } = synth({ suite: 'trixie', variant: 'apt', packages: ['nginx-light'], mirror: 'http://mirror.test/debian', components: ['main', 'contrib'], architecture: 'arm64', keyring: 'keys.gpg', aptOptions: ['Acquire::Retries "3"'], clampTime: new Date('2024-05-01T00:00:00.9Z') });
  t.same(diagnostics, []);
  t.same(spec('Tree'), {
    suite: 'trixie', variant: 'apt', packages: ['nginx-light'], mirrors: ['http://mirror.test/debian'], components: ['main', 'contrib'], architecture: 'arm64', keyring: ['keys.gpg'],
    aptOptions: ['Acquire::Retries "3"'], clampTime: 1_714_521_600,
  });
});

t.test('each form of output is a step of its own', async (t) => {
  t.match(synth({ output: { format: 'directory' } }).spec('Directory'), { path: 'bake.artifacts/Web-Rootfs' });
  t.match(synth({ output: { path: 'out/web.tar.zst' } }).spec('Tarball'), { path: 'out/web.tar.zst', compression: 'zstd' });
  const { spec, diagnostics } = synth({ output: { format: 'oci', cmd: ['nginx'], env: { MODE: 'x' }, exposedPorts: [80, '53/udp'], labels: { a: 'b' }, tag: 'web:1', compression: 'zstd' } });
  t.same(diagnostics, []);
  t.match(spec('Oci'), { path: 'bake.artifacts/Web-Rootfs.oci', cmd: ['nginx'], exposedPorts: [80, '53/udp'], labels: { a: 'b' }, tag: 'web:1', compression: 'zstd', tags: { team: 'web' } });
});

t.test('an artifact of another source may be the base', async (t) => {
  resetAmbient({});
  const app = new App();
  const base = new Image(app, 'Base');
  new BootstrapSource(base, 'Rootfs', { output: { format: 'directory' } });
  const web = new Image(app, 'Web');
  new BootstrapSource(web, 'Rootfs', { artifact: base.artifact });
  const { plans, diagnostics } = synthesize({ apps: [app], diagnostics: [] });
  t.same(diagnostics, []);
  const tree = plans.flatMap((plan) => plan.steps).find((step) => step.id === 'Web/Rootfs/Tree');
  t.same(tree?.spec, { artifact: { $ref: 'Base/Rootfs/Directory#artifact' }, clampTime: 946_684_800 });
  t.same(tree?.needs, ['Base/Rootfs/Directory']);
});

// What a user without a type checker may write.
const wrong: readonly (readonly [name: string, props: object, message: RegExp])[] = [
  ['an unknown prop', { suit: 'trixie' }, /no prop "suit"/],
  ['an unknown variant', { variant: 'tiny' }, /"variant" is "tiny"/],
  ['a package that is two', { packages: ['a b'] }, /"packages\.0"/],
  ['a package that is an option', { packages: ['-o'] }, /"packages\.0"/],
  ['a suite that is an option', { suite: '--mode=chrootless' }, /"suite"/],
  ['a mirror of two lines', { mirror: 'deb x\ndeb y' }, /"mirrors\.0"/],
  ['two bases', { tarball: 'x.tar', artifact: { type: 'rootfs.tarball', id: 'x', files: [] } }, /both given/],
  ['a suite besides a tarball', { tarball: 'x.tar', suite: 'trixie' }, /"tarball" is the base/],
  ['mirror and mirrors', { mirror: 'a', mirrors: ['b'] }, /"mirrors"/],
  ['a path that leaves the project', { output: { path: '../x.tar' } }, /leaves the project/],
  ['an unknown format', { output: { format: 'iso' } }, /"output\.format" is "iso"/],
  ['an unknown prop of the output', { output: { format: 'oci', cmmd: ['x'] } }, /"cmmd"/],
  ['a port that is none', { output: { format: 'oci', exposedPorts: ['http'] } }, /exposedPorts/],
  ['a clamp that is no date', { clampTime: '2024' }, /"clampTime" is 2024/],
  ['a host name that is none', { hostname: 'a;b' }, /"hostname"/],
  ['an artifact that is none', { artifact: { type: 'x' } }, /"artifact"/],
];

for (const [name, props, message] of wrong) {
  t.test(`${name} is an error with a hint`, async (t) => {
    const { diagnostics } = synth(props as BootstrapSourceProps);
    const found = diagnostics.filter((diagnostic) => message.test(diagnostic.message));
    t.equal(found.length, 1, JSON.stringify(diagnostics.map((diagnostic) => diagnostic.message)));
    t.ok(found[0]?.hint);
  });
}
