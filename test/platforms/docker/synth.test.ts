import t from 'tap';
import type { JsonObject } from '../../../lib/core/json.js';
import { Secret } from '../../../lib/core/secret.js';
import { Size } from '../../../lib/core/size.js';
import { resetAmbient } from '../../../lib/image/ambient.js';
import { App } from '../../../lib/image/app.js';
import { Image } from '../../../lib/image/image.js';
import { build, str } from '../../../lib/image/ref.js';
import { Tags } from '../../../lib/image/tags.js';
import { DockerImport, DockerPush, DockerSave, DockerSource, type DockerSourceProps, DockerTag } from '../../../lib/platforms/docker/index.js';
import { synthesize } from '../../../lib/synth/synthesize.js';

function synth(describe: (image: Image) => void) {
  resetAmbient({});
  const app = new App();
  describe(new Image(app, 'Web'));
  const { plans, diagnostics } = synthesize({ apps: [app], diagnostics: [] });
  const steps = plans.flatMap((plan) => plan.steps);
  return { plans, steps, diagnostics, spec: (id: string): JsonObject | undefined => steps.find((step) => step.id === id)?.spec };
}
const source = (props: DockerSourceProps) => synth((image) => { new DockerSource(image, 'Docker', props); });

t.test('a source reads as base, container, commit', async (t) => {
  const { steps, diagnostics, plans } = synth((image) => {
    Tags.of(image).add('team', 'web');
    new DockerSource(image, 'Docker', { image: 'debian:12', memory: Size.mebibytes(64), tags: ['web:1'], labels: { a: 'b' }, env: { TOKEN: Secret.env('TOKEN') } });
  });
  t.strictSame(diagnostics, []);
  t.strictSame(steps.map(({ id, kind, lifetime, title }) => [id, kind, lifetime, title]), [
    ['Web/Docker/Base', 'docker.base-image', 'none', 'base image debian:12'],
    ['Web/Docker/Container', 'docker.container', 'run', 'container'],
    ['Web/Docker/Commit', 'docker.image', 'artifact', 'commit to an image'],
  ]);
  t.match(steps[1]?.spec, { image: { $ref: 'Web/Docker/Base#id' }, memory: 67_108_864, env: { TOKEN: { $secret: { from: 'env', name: 'TOKEN' } } } });
  t.strictSame(steps[2]?.spec, { container: { $ref: 'Web/Docker/Container#id' }, base: { $ref: 'Web/Docker/Container#image' }, labels: { team: 'web', a: 'b' }, tags: ['web:1'] });
  t.strictSame(plans[0]?.builds[0]?.artifact, { $ref: 'Web/Docker/Commit#artifact' });
});

t.test('a Dockerfile, a tarball and another build are bases as well', async (t) => {
  const dockerfile = source({ build: { path: 'images/web/Dockerfile', args: { KEY: Secret.env('KEY') }, target: 'final' } });
  t.strictSame(dockerfile.diagnostics, []);
  t.match(dockerfile.spec('Web/Docker/Base'), { dockerfile: { $asset: { pending: 'images/web/Dockerfile' } }, context: { $asset: { pending: 'images/web' } }, dockerfileName: 'Dockerfile', target: 'final' });
  t.match(source({ build: { path: 'images/Dockerfile', context: '.' } }).spec('Web/Docker/Base'), { dockerfileName: 'images/Dockerfile' });
  t.notMatch(source({ build: { path: '../Dockerfile', context: '.' } }).spec('Web/Docker/Base'), { dockerfileName: /./ });
  t.match(source({ import: 'root.tar' }).spec('Web/Docker/Base'), { import: 'root.tar' });

  const chained = synth((image) => {
    const first = new DockerSource(image, 'First', { image: 'debian:12' });
    new DockerSource(image, 'Second', { artifact: first.artifact });
  });
  t.strictSame(chained.diagnostics, []);
  t.strictSame(chained.spec('Web/Second/Base'), { artifact: { $ref: 'Web/First/Commit#artifact' } });
});

t.test('the endings: export, discard, commit', async (t) => {
  t.match(source({ image: 'a', export: 'out/root.tar' }).steps.at(-1), { kind: 'docker.export', spec: { path: 'out/root.tar' }, lifetime: 'artifact' });
  t.match(source({ image: 'a', discard: true }).steps.at(-1), { kind: 'docker.discard' });
  t.match(source({ image: 'a', commit: true }).steps.at(-1), { kind: 'docker.image' });
});

t.test('what contradicts itself is said, all at once', async (t) => {
  const messages = (props: DockerSourceProps) => source(props).diagnostics.filter((one) => one.code.startsWith('Docker')).map((one) => one.message);
  t.strictSame(messages({}), ['no base is given']);
  t.strictSame(messages({ image: 'a', import: 'b.tar' }), ['several bases are given: image, import']);
  t.strictSame(messages({ image: 'a', export: 'x', discard: true, tags: ['x'] }), ['several endings are given: export, discard', 'tags would have no effect without a commit']);
  t.strictSame(messages({ image: 'a', commit: false }), ['commit is false and no other ending is given']);
  t.strictSame(messages({ import: 'a.tar', pull: 'always' }), ['pull is for a base given as image']);
});

t.test('an image name, tag, instruction or platform that is none is refused with a hint', async (t) => {
  const finding = (props: DockerSourceProps) => source(props).diagnostics.map(({ code, message, hint }) => [code, message, hint ?? '']);
  for (const image of ['../x', 'a;rm -rf ~', 'Debian']) t.match(finding({ image }), [['InvalidProp', `"image" is ${JSON.stringify(image)}`, /image name such as/]]);
  t.match(finding({ image: 'a', tags: ['b:$(id)'] }), [['InvalidProp', '"tags.0" is "b:$(id)"', /image name/]]);
  t.match(finding({ image: 'a', changes: ['RUN rm -rf /'] }), [['InvalidProp', /changes\.0/, /Dockerfile instruction/]]);
  t.match(finding({ image: 'a', platform: 'linux amd64' }), [['InvalidProp', /platform/, /linux\/amd64/]]);
  t.match(finding({ image: 'a', capadd: ['X'] } as DockerSourceProps), [['UnknownProp', 'DockerSource has no prop "capadd"', 'did you mean "capAdd"?']]);
  t.match(finding({ build: { path: 'Dockerfile', arg: {} } } as unknown as DockerSourceProps), [['UnknownProp', /"arg"/, 'did you mean "args"?']]);
});

t.test('post-processors take an image on: tag, push, save, import', async (t) => {
  const { spec, steps, diagnostics } = synth((image) => {
    new DockerSource(image, 'Docker', { image: 'debian:12' });
    const tag = new DockerTag(image, 'Tag', { repository: 'localhost:5000/web', tags: ['1', str`${build.runId}`] });
    const push = new DockerPush(image, 'Push', { input: tag, auth: { username: 'u', password: Secret.env('P') } });
    new DockerSave(image, 'Save', { input: push, path: 'out/web.tar' });
  });
  t.strictSame(diagnostics, []);
  t.strictSame(spec('Web/Docker:Tag'), { artifact: { $ref: 'Web/Docker/Commit#artifact' }, tags: ['localhost:5000/web:1', { $join: ['localhost:5000/web:', { $ref: 'run#id' }] }] });
  t.match(spec('Web/Docker:Push'), { artifact: { $ref: 'Web/Docker:Tag#artifact' }, auth: { password: { $secret: {} } } });
  t.match(spec('Web/Docker:Save'), { artifact: { $ref: 'Web/Docker:Push#artifact' }, path: 'out/web.tar' });
  t.strictSame(steps.filter((step) => step.lifetime === 'artifact').map((step) => step.id), ['Web/Docker/Commit', 'Web/Docker:Tag', 'Web/Docker:Save']);

  const imported = synth((image) => {
    new DockerSource(image, 'Docker', { image: 'debian:12', export: 'root.tar' });
    new DockerImport(image, 'Import', { repository: 'web', tag: '1', changes: ['CMD ["sh"]'] });
  });
  t.strictSame(imported.diagnostics, []);
  t.equal(imported.steps.find((step) => step.id === 'Web/Docker/Export')?.lifetime, 'run', 'the tarball is replaced by the image');

  for (const props of [{ repository: '../x' }, { repository: 'web:1' }, { repository: 'web', tags: ['a;rm -rf ~'] }]) {
    const bad = synth((image) => {
      new DockerSource(image, 'Docker', { image: 'a' });
      new DockerTag(image, 'Tag', props);
    });
    t.match(bad.diagnostics, [{ code: 'InvalidProp', construct: 'Web/Tag' }], JSON.stringify(props));
  }
});
