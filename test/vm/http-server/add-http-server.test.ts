import { Construct } from 'constructs';
import t from 'tap';
import { Secret } from '../../../lib/core/secret.js';
import { annotationsOf } from '../../../lib/image/annotations.js';
import { Asset } from '../../../lib/image/asset.js';
import type { BuildPlanner, CompiledStep, PlannedStep } from '../../../lib/image/compile.js';
import { type LateText, Ref, str } from '../../../lib/image/ref.js';
import { addHttpServer } from '../../../lib/vm/http-server/add-http-server.js';
import type { HttpServerProps } from '../../../lib/vm/http-server/http-server.js';
import { httpServer } from '../../../lib/vm/http-server/steps.js';

/** Adds the server, and gives what came of it. */
function add(props: HttpServerProps) {
  const construct = new Construct(undefined as never, '');
  const steps: CompiledStep[] = [];
  const planned: PlannedStep = { id: 'Http', ref: <T>(output: string) => new Ref<T>({ step: 'Http', output }) };
  const build: Pick<BuildPlanner, 'step'> = { step: (_name, step) => { steps.push(step as CompiledStep); return planned; } };
  return { server: addHttpServer(construct, build as BuildPlanner, 'Http', props), step: steps[0]!, notes: annotationsOf(construct) };
}

t.test('a web server becomes one step, and its address is known by that of the host', async (t) => {
  const { server, step, notes } = add({ directory: 'preseed', content: { '/a': str`x ${Secret.env('A')}` }, portMin: 8000, portMax: 9000 });
  t.same(notes, []);
  t.equal(step.title, 'web server for preseed and 1 text');
  t.match(step.spec, { directory: Asset.fromPath('preseed', 'directory'), portMin: 8000, portMax: 9000 });
  const partsFor = (host: string): LateText['parts'] => server.addressFor(host).parts;
  t.match(partsFor('10.0.2.2'), ['http://10.0.2.2:', { target: { step: 'Http', output: 'port' } }]);
  t.equal(partsFor('fec0::2')[0], 'http://[fec0::2]:');
  t.equal(server.step.id, 'Http');
});

t.test('a late folder is served where it is', async (t) => {
  const folder = new Ref<string>({ step: 'Mirror', output: 'folder' });
  t.match(add({ directory: folder }).step, { title: 'web server for a folder', spec: { directory: folder } });
});

t.test('unknown props and nothing to serve are findings', async (t) => {
  t.match(add({ directry: 'a' } as HttpServerProps).notes, [{ code: 'UnknownProp', hint: 'did you mean "directory"?' }, { code: 'NothingToServe' }]);
  t.match(add({ content: {} }).notes, [{ code: 'NothingToServe' }]);
});

t.test('the schema takes what can be served, and nothing else', async (t) => {
  const problem = (spec: object) => httpServer.spec.safeParse(spec).error?.issues.map(({ path, message }) => `${path.join('.')}: ${message}`).join('; ');
  t.equal(problem({ content: { 'a/b': 'x', '/c': { $secret: { from: 'env', name: 'A' } } }, directory: '/srv', address: '::1', portMin: 1, portMax: 65_535 }), undefined);
  t.equal(problem({ directory: { $ref: 'a#b' } }), undefined);
  t.match(problem({ portMin: 9000, portMax: 8000 }), 'portMax: must not be lower than portMin');
  t.match(problem({ content: { 'a': '1', '/a': '2' } }), 'content: has one path twice');
  for (const bad of [{ content: { '../a': '' } }, { content: { '': '' } }, { content: { 'a/': '' } }, { portMin: 0 }, { portMax: 65_536 }, { address: '' }, { port: 80 }]) t.ok(problem(bad), JSON.stringify(bad));
});
