import t from 'tap';
import { Duration } from '../../lib/core/duration.js';
import { Secret } from '../../lib/core/secret.js';
import { canonicalJson } from '../../lib/core/json.js';
import { resetAmbient } from '../../lib/image/ambient.js';
import { Annotations } from '../../lib/image/annotations.js';
import { App } from '../../lib/image/app.js';
import { Aspects } from '../../lib/image/aspects.js';
import { Image } from '../../lib/image/image.js';
import { build, Ref, str } from '../../lib/image/ref.js';
import { Tags } from '../../lib/image/tags.js';
import type { PlanStep } from '../../lib/plan/plan.js';
import { synthesize } from '../../lib/synth/synthesize.js';
import { Note, Pack, Script, TestSource } from './fake-parts.js';

/** Synthesizes what `describe` puts into a fresh app. */
function synth(describe: (app: App) => void) {
  resetAmbient({});
  const app = new App();
  describe(app);
  const result = synthesize({ apps: [app], diagnostics: [] });
  const steps = result.plans.flatMap((plan) => plan.steps);
  return { ...result, steps, step: (id: string): PlanStep | undefined => steps.find((step) => step.id === id), codes: result.diagnostics.map((diagnostic) => diagnostic.code) };
}

function web(app: App, id = 'Web'): Image {
  const image = new Image(app, id);
  new TestSource(image, 'Test');
  return image;
}

t.test('provisioners run in the order in which they were written, between machine and capture', async (t) => {
  const { step, codes } = synth((app) => {
    const image = web(app);
    new Script(image, 'First', { lines: ['one'] });
    new Script(image, 'Second', { lines: ['two'], pauseBefore: Duration.seconds(2), retries: 3 });
  });
  t.same(codes, []);
  t.same(step('Web/Test:First')?.needs, ['Web/Test/Machine']);
  t.same(step('Web/Test:Second')?.needs, ['Web/Test/Machine', 'Web/Test:First']);
  t.same(step('Web/Test:Second')?.policy, { pauseBefore: 2_000, retries: 3 });
  t.same(step('Web/Test/Capture')?.needs, ['Web/Test/Machine', 'Web/Test:Second']);
});

t.test('every step knows the line of the construct that it comes from', async (t) => {
  const { step } = synth((app) => { new Script(web(app), 'First', { lines: [] }); });
  t.match(step('Web/Test:First')?.source, { file: /synthesize\.test\.ts$/ });
});

t.test('refs, secrets and build variables stand in the plan by name, never by value', async (t) => {
  const { step, literals } = synth((app) => {
    new Script(web(app), 'Mixed', { lines: [str`on ${build.host} as ${Secret.env('WHO')} in ${build.name}`, Secret.insecureLiteral('hunter2')] });
  });
  t.same(step('Web/Test:Mixed')?.spec['lines'], [
    { $join: ['on ', { $ref: 'Web/Test/Machine#address' }, ' as ', { $secret: { from: 'env', name: 'WHO' } }, ' in Test'] },
    { $secret: { from: 'literal', index: 0 } },
  ]);
  t.same(literals, ['hunter2']);
});

t.test('props that are missing, and an input that is no post-processor, are errors of their construct', async (t) => {
  const { diagnostics, codes } = synth((app) => {
    const image = web(app);
    new Script(image, 'S', undefined as never);
    new Pack(image, 'P', { input: 'foo' as never });
  });
  t.same(new Set(diagnostics.map(({ construct }) => construct)), new Set(['Web/S', 'Web/P']));
  t.ok(codes.includes('InvalidProp') || codes.includes('InvalidProps'));
  t.notOk(codes.includes('AppFailed'));
});

t.test('the same tree gives the same bytes', async (t) => {
  const describe = (app: App) => { const image = web(app); new Script(image, 'S', { lines: ['x'] }); new Pack(image, 'P', {}); };
  t.equal(canonicalJson(synth(describe).plans), canonicalJson(synth(describe).plans));
});

t.test('an image may start from the artifact of another', async (t) => {
  const { step, codes } = synth((app) => {
    const base = web(app, 'Base');
    const child = new Image(app, 'Child');
    new TestSource(child, 'Test', { base: base.artifact.get('id') });
  });
  t.same(codes, []);
  t.same(step('Child/Test/Machine')?.spec, { base: { $ref: 'Base/Test/Capture#artifact.id' } });
  t.same(step('Child/Test/Machine')?.needs, ['Base/Test/Capture']);
});

t.test('an artifact that no post-processor keeps is temporary; one keeper is enough to keep it', async (t) => {
  const alone = synth((app) => { new Pack(web(app), 'Pack', {}); });
  t.equal(alone.step('Web/Test/Capture')?.lifetime, 'run');
  t.equal(alone.step('Web/Test:Pack')?.lifetime, 'artifact');
  const kept = synth((app) => { const image = web(app); new Pack(image, 'Pack', {}); new Note(image, 'Note', {}); });
  t.equal(kept.step('Web/Test/Capture')?.lifetime, 'artifact');
});

t.test('what a passing step hands on stays alive for those behind it', async (t) => {
  const { step } = synth((app) => { const image = web(app); new Pack(image, 'Pack', { input: new Note(image, 'Note', { keepInputArtifact: false }) }); });
  t.equal(step('Web/Test/Capture')?.lifetime, 'run');
  t.same(step('Web/Test:Pack')?.needs, ['Web/Test/Capture', 'Web/Test:Note']);
});

t.test('only, except and override choose by source', async (t) => {
  const { steps, step } = synth((app) => {
    const image = new Image(app, 'Web');
    new TestSource(image, 'One');
    new TestSource(image, 'Two');
    new Script(image, 'A', { lines: ['a'], only: ['O*'] });
    new Script(image, 'B', { lines: ['b'], except: ['One'] });
    new Script(image, 'C', { lines: ['c'], override: { Two: { lines: ['c two'] } } });
  });
  t.same(steps.filter((one) => one.role === 'provisioner').map((one) => one.id).sort(), ['Web/One:A', 'Web/One:C', 'Web/Two:B', 'Web/Two:C']);
  t.same(step('Web/Two:C')?.spec['lines'], ['c two']);
});

t.test('all that is wrong is found at once, with construct, line and hint', async (t) => {
  const { diagnostics } = synth((app) => {
    new Image(app, 'Empty');
    const image = web(app);
    new Script(image, 'Typo', { lines: [], lnies: ['x'] } as never);
    new Script(image, 'Numbers', { lines: [1] } as never);
    new Script(image, 'Missing', {} as never);
    new Script(image, 'Where', { lines: [], only: ['Tset'] });
    new Script(image, 'Variable', { lines: [str`${build.sshPrivateKeyFile}`] });
    new Script(image, 'Output', { lines: [new Ref<string>({ construct: image.node.findChild('Test'), output: 'artefact' })] });
    new Pack(image, 'Level', { level: 11 });
  });
  const found = Object.fromEntries(diagnostics.map((diagnostic) => [diagnostic.construct, diagnostic]));
  t.match(found['Empty'], { code: 'NoSource' });
  t.match(found['Web/Typo'], { code: 'UnknownProp', hint: /did you mean "lines"/, location: { file: /synthesize\.test\.ts/ } });
  t.match(found['Web/Numbers'], { code: 'InvalidProp', message: /"lines\.0" is 1/ });
  t.match(found['Web/Missing']?.code, 'InvalidProps');
  t.match(found['Web/Where'], { code: 'UnknownSource', hint: /did you mean "Test"/ });
  t.match(found['Web/Variable'], { code: 'UnknownBuildVariable' });
  t.match(found['Web/Output'], { code: 'UnknownOutput', hint: /did you mean "artifact"/ });
  t.match(found['Web/Level'], { code: 'InvalidProp' });
  for (const diagnostic of diagnostics) t.ok(diagnostic.hint && diagnostic.location, `${diagnostic.construct}: ${diagnostic.message}`);
});

t.test('images that need each other are refused, with the way around', async (t) => {
  const { diagnostics } = synth((app) => {
    const [a, b] = [new Image(app, 'A'), new Image(app, 'B')];
    const early: { source?: TestSource } = {};
    const of = (source: () => TestSource | undefined) => new Ref<string>({ get construct() { return source()!; }, output: 'artifact.id' });
    early.source = new TestSource(a, 'S', { base: of(() => b.node.tryFindChild('S') as TestSource) });
    new TestSource(b, 'S', { base: early.source.artifact.get('id') });
  });
  t.match(diagnostics.find((diagnostic) => diagnostic.code === 'DependencyCycle')?.message, /A\/S\/Capture|B\/S\/Capture/);
});

t.test('a late value used as a text is refused with the way to do it', async (t) => {
  t.throws(() => `host ${build.host}`, { code: 'LateValueAsText', hint: /str/ });
  t.throws(() => `secret ${Secret.env('X')}`, { code: 'LateValueAsText' });
  t.throws(() => JSON.stringify({ host: build.host }), { code: 'LateValueAsText' });
});

t.test('aspects change the tree first and then may only look', async (t) => {
  const { step, plans, codes } = synth((app) => {
    web(app);
    Aspects.of(app).add({ visit: (node) => { if (Image.isImage(node) && node.node.tryFindChild('Added') === undefined) { new Script(node, 'Added', { lines: ['x'] }); Tags.of(node).add('team', 'web'); } } });
    Aspects.of(app).add({ visit: (node) => { if (Image.isImage(node)) Annotations.of(node).addWarning('looked at', { code: 'Looked', hint: 'nothing to do' }); } }, 'check');
  });
  t.ok(step('Web/Test:Added'));
  t.same(plans[0]?.tags, { team: 'web' });
  t.same(codes, ['Looked']);
  t.throws(() => synth((app) => {
    web(app);
    Aspects.of(app).add({ visit: (node) => { if (Image.isImage(node)) new Script(node, 'Late', { lines: [] }); } }, 'check');
  }), /during synthesis/);
});

t.test('base props of the wrong type are findings of their construct, with the prop and a hint', async (t) => {
  const found = (props: object, Part: typeof Script | typeof Note = Script) => synth((app) => {
    new Part(web(app), 'Part', { lines: [], ...props } as never);
  }).diagnostics.filter(({ code }) => code === 'InvalidProp').map(({ construct, message, hint }) => [construct, message, hint !== undefined]);
  const one = (message: string) => [['Web/Part', message, true]];
  t.same(found({ continueOnError: 'x' }), one('"continueOnError" is "x"'));
  t.same(found({ onError: 1 }), one('"onError" is 1'));
  t.same(found({ keepInputArtifact: 'yes', lines: undefined }, Note), one('"keepInputArtifact" is "yes"'));
  t.same(found({ retries: 'a' }), one('"retries" is "a"'));
  t.same(found({ only: 'Test' }), one('"only" is "Test"'));
  t.same(found({ only: 5 }, Note), one('"only" is 5'));
  t.same(found({ except: [5] }), one('"except" is a list with other things than texts'));
  t.same(found({ override: null }), one('"override" is null'));
  t.same(found({ override: { Test: 'x' } }), one('"override.Test" is "x"'));
  t.same(found({ continueOnError: Secret.env('X') }), one('"continueOnError" is an object'));
});

t.test('an override for a glob is a finding: overrides are looked up by id', async (t) => {
  const { diagnostics } = synth((app) => { new Script(web(app), 'Part', { lines: [], override: { 'Te*': { lines: ['one'] } } }); });
  t.match(diagnostics, [{ code: 'UnknownSource', construct: 'Web/Part', message: 'no source of this image is named "Te*"' }]);
});
