import t from 'tap';
import { resetAmbient } from '../../lib/image/ambient.js';
import { App } from '../../lib/image/app.js';
import { Image } from '../../lib/image/image.js';
import { build, str } from '../../lib/image/ref.js';
import { Artifice } from '../../lib/post-processors/artifice/artifice.js';
import { Checksum } from '../../lib/post-processors/checksum/checksum.js';
import { Compress } from '../../lib/post-processors/compress/compress.js';
import { Manifest } from '../../lib/post-processors/manifest/manifest.js';
import { ShellLocalPostProcessor } from '../../lib/post-processors/shell-local/shell-local.js';
import { synthesize } from '../../lib/synth/synthesize.js';
import { TestSource } from '../synth/fake-parts.js';

/** Synthesizes an image `Web` with a source `Test` and what `describe` adds. */
function synth(describe: (image: Image) => void, source = 'Test') {
  resetAmbient({});
  const app = new App();
  const image = new Image(app, 'Web');
  new TestSource(image, source);
  describe(image);
  const { plans, diagnostics } = synthesize({ apps: [app], diagnostics: [] });
  const steps = plans.flatMap((plan) => plan.steps);
  return { diagnostics, codes: diagnostics.map(({ code }) => code), step: (name: string) => steps.find(({ id }) => id.endsWith(`:${name}`)), base: steps.find(({ id }) => id.endsWith('/Capture')) };
}

/** Props as a file that no type checker has seen may hold them. */
const loose = (props: object) => props as never;

t.test('without props all of them have what they need', async (t) => {
  const { codes, step } = synth((image) => {
    new Checksum(image, 'Sums');
    new Compress(image, 'Small');
    new Manifest(image, 'Manifest');
  });
  t.same(codes, []);
  t.match(step('Sums')?.spec, { algorithms: ['sha256'], output: 'bake_Web_Test_test_{algorithm}.checksum', withInput: true });
  t.match(step('Small')?.spec, { output: 'bake_Web_Test_test.tar.gz', format: 'tar.gz' });
  t.match(step('Manifest'), { title: 'manifest: bake-manifest.json', lifetime: 'artifact', noun: 'manifest entry', spec: { output: 'bake-manifest.json' } });
});

t.test('a chain works on what the one before made', async (t) => {
  const { codes, step } = synth((image) => {
    const small = new Compress(image, 'Small', { output: 'dist/{image}-{build}.img.zst', level: 19 });
    const sums = new Checksum(image, 'Sums', { input: small, algorithms: ['sha256', 'sha512', 'sha256'] });
    const sign = new ShellLocalPostProcessor(image, 'Sign', { input: sums, inline: ['true'] });
    new Manifest(image, 'Manifest', { input: sign, customData: { host: build.host, name: str`image ${build.name}` } });
  });
  t.same(codes, []);
  t.match(step('Small')?.spec, { output: 'dist/Web-Test.img.zst', format: 'zst', level: 19 });
  t.match(step('Sums')?.spec, { artifact: { $ref: 'Web/Test:Small#artifact' }, algorithms: ['sha256', 'sha512'] });
  t.match(step('Manifest')?.spec, { artifact: { $ref: 'Web/Test:Sign#artifact' }, customData: { name: 'image Test' } });
});

t.test('compressing and artifice replace their input, the others keep it', async (t) => {
  const lifetimes = [
    (image: Image) => new Compress(image, 'P'), (image: Image) => new Artifice(image, 'P', { files: ['x'] }),
    (image: Image) => new Checksum(image, 'P'), (image: Image) => new Manifest(image, 'P'), (image: Image) => new ShellLocalPostProcessor(image, 'P', { command: 'true' }),
    (image: Image) => new Compress(image, 'P', { keepInputArtifact: true }),
  ].map((describe) => synth(describe).base?.lifetime);
  t.same(lifetimes, ['run', 'run', 'artifact', 'artifact', 'artifact', 'artifact']);
});

t.test('an id never adds a folder to a path', async (t) => {
  const { step } = synth((image) => { new Compress(image, 'Small', { output: 'out/{build}/x.tar.gz' }); }, '..');
  t.equal(step('Small')?.spec['output'], 'out/-/x.tar.gz');
  const odd = synth((image) => { new Compress(image, 'Small', { output: '{build}.tar' }); }, 'a;rm -rf ~');
  t.equal(odd.step('Small')?.spec['output'], 'a-rm--rf-.tar');
});

t.test('a late output keeps its refs, and its format is found when the name is', async (t) => {
  const { codes, step } = synth((image) => { new Compress(image, 'Small', { output: str`{image}/${build.host}.zst` }); });
  t.same(codes, []);
  t.match(step('Small')?.spec, { output: { $join: ['Web/', { $ref: String }, '.zst'] } });
  t.notOk('format' in step('Small')!.spec);
});

t.test('what is wrong is found by synth, in the words of the props', async (t) => {
  const wrong: readonly (readonly [string, RegExp, (image: Image) => void])[] = [
    ['InvalidProp', /"output" has \{buidl\} in it/, (image) => new Checksum(image, 'P', { output: '{buidl}.sums' })],
    ['InvalidProp', /"algorithms\.0" is "sha265"/, (image) => new Checksum(image, 'P', { algorithms: ['sha265'] })],
    ['InvalidProp', /"algorithms"/, (image) => new Checksum(image, 'P', loose({ algorithms: 'sha256' }))],
    ['InvalidProp', /"algorithms"/, (image) => new Checksum(image, 'P', { algorithms: [] })],
    ['UnknownProp', /algorithm/, (image) => new Checksum(image, 'P', loose({ algorithm: ['md5'] }))],
    ['UnknownFormat', /"disk\.rar"/, (image) => new Compress(image, 'P', { output: 'disk.rar' })],
    ['InvalidProp', /"format" is "rar"/, (image) => new Compress(image, 'P', loose({ format: 'rar' }))],
    ['InvalidProp', /"level" is 23/, (image) => new Compress(image, 'P', { output: 'x.zst', level: 23 })],
    ['InvalidProp', /"level" is 1/, (image) => new Compress(image, 'P', { output: 'x.tar', level: 1 })],
    ['InvalidProp', /"level" is "9"/, (image) => new Compress(image, 'P', loose({ output: 'x.gz', level: '9' }))],
    ['InvalidProp', /"output" is 7/, (image) => new Compress(image, 'P', loose({ output: 7, format: 'gz' }))],
    ['InvalidProp', /"customData\.n" is 1/, (image) => new Manifest(image, 'P', loose({ customData: { n: 1 } }))],
    ['UnknownProp', /stripPaths/, (image) => new Manifest(image, 'P', loose({ stripPaths: true }))],
    ['InvalidProp', /"files"/, (image) => new Artifice(image, 'P', { files: [] })],
    ['MissingProp', /"files" is missing/, (image) => new Artifice(image, 'P', loose({}))],
    ['UnknownProp', /inlines/, (image) => new ShellLocalPostProcessor(image, 'P', loose({ inline: ['true'], inlines: ['x'] }))],
  ];
  for (const [code, message, describe] of wrong) {
    const { diagnostics } = synth(describe);
    t.match(diagnostics, [{ code, message, severity: 'error', construct: /Web\/P|Web\/Test:P/ }], String(message));
  }
});
