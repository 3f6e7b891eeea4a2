import t from 'tap';
import { reasonText } from '../../../lib/cli/report/forecast-text.js';
import { type FakeBuild, FakeMachines, type Provisioning } from './fake-machines.js';

const steps = (...names: string[]): readonly Provisioning[] => names.map((name) => ({ name, text: `does ${name}` }));
const web = (provisioners: readonly Provisioning[] = steps('A', 'B', 'C'), more: Partial<FakeBuild> = {}): FakeBuild => ({ image: 'Web', base: 'debian', provisioners, ...more });
const changed = (name: string, change: Partial<Provisioning>) => web(steps('A', 'B', 'C').map((one) => (one.name === name ? { ...one, ...change } : one)));

/** `name fate: why` of each step. */
async function told(world: FakeMachines, builds: readonly FakeBuild[], fresh?: readonly string[]): Promise<readonly string[]> {
  return (await world.foretell(builds, fresh)).flatMap(({ steps: all }) => all.map(({ name, will, why }) => `${name} ${will}${why === undefined ? '' : `: ${reasonText(why)}`}`));
}

t.test('before the first run all is new', async (t) => {
  t.same(await told(new FakeMachines(t.testdir()), [web(steps('A'))]), ['Base run: new', 'Machine run: new', 'A run: new', 'Image run: new']);
});

t.test('after it nothing is to be done', async (t) => {
  const world = new FakeMachines(t.testdir());
  await world.run([web()]);
  t.match(await world.foretell([web()]), [{ upToDate: true, milliseconds: 0 }]);
});

t.test('each step is told with what has changed, or with what it follows, and what it took', async (t) => {
  const world = new FakeMachines(t.testdir());
  await world.run([web()]);
  t.same(await told(world, [changed('B', { text: 'else' })]), ['Machine restored', 'A cached', 'B run: text was "does B", is "else"', 'C run: follows B', 'Image run: follows C']);
  t.equal((await world.foretell([changed('B', { text: 'else' })]))[0]?.milliseconds, 20_000);
  t.same((await told(world, [changed('B', { policy: { cacheKey: 'x' } })]))[2], 'B run: key is new');
  t.same((await told(world, [changed('B', { policy: { cache: false } })])).slice(2), ['B run: it has cache: false', 'C run: follows B', 'Image run: follows C']);
  t.same((await told(world, [web()], ['Web/B:C'])).slice(-2), ['C run: asked for', 'Image run: follows C']);
  t.same((await told(world, [web(steps('A', 'B', 'C', 'D'))])).slice(-2), ['D run: new', 'Image run: follows D']);
});

t.test('what is gone is told to be gone, and nothing is touched by asking', async (t) => {
  const world = new FakeMachines(t.testdir());
  await world.run([web()]);
  world.images.clear();
  t.same(await told(world, [web()]), ['Machine restored', 'A cached', 'B cached', 'C cached', 'Image run: what it left is not there any more']);
  t.same((await world.run([web()])).did, ['restore', 'Image']);
});

t.test('a secret that changed is told without telling anything of it', async (t) => {
  const world = new FakeMachines(t.testdir());
  const build = changed('B', { text: { $secret: { from: 'env', name: 'TOKEN' } } });
  world.env = { TOKEN: 'one' };
  await world.run([build]);
  world.env = { TOKEN: 'two' };
  t.equal((await told(world, [build]))[2], 'B run: text changed');
});

t.test('an image on another one that is built anew follows it', async (t) => {
  const world = new FakeMachines(t.testdir());
  const base = (text: string): FakeBuild => ({ image: 'Base', base: 'debian', provisioners: [{ name: 'A', text }] });
  const child: FakeBuild = { image: 'Child', base: { imageOf: 'Base' }, provisioners: steps('X') };
  await world.run([base('one'), child]);
  const all = await told(world, [base('two'), child]);
  t.ok(all.includes('Machine run: follows Image'), all.join('; '));
});

t.test('a build whose platform is not there is left out, with those that need it, if somebody wants to be told', async (t) => {
  const world = new FakeMachines(t.testdir());
  const base: FakeBuild = { image: 'Base', base: 'debian', provisioners: steps('A') };
  const builds: readonly FakeBuild[] = [base, { image: 'Child', base: { imageOf: 'Base' }, provisioners: steps('X') }];
  await world.run(builds);
  world.isAway = true;
  await t.rejects(world.foretell(builds), { message: 'nobody answers' });
  const unknown: unknown[] = [];
  const other: FakeBuild = { image: 'New', base: 'debian', provisioners: steps('N') };
  const told = await world.foretell([...builds, other], [], { onUnknown: (build, error) => unknown.push([build, (error as Error).message]) });
  t.same(told.map(({ build }) => build), ['New/B']);
  t.same(unknown, [['Base/B', 'nobody answers'], ['Child/B', 'nobody answers']]);
});

t.test('what is looked at is left when the time for it is over', async (t) => {
  const world = new FakeMachines(t.testdir());
  const unknown: string[] = [];
  const told = await world.foretell([web()], [], { signal: AbortSignal.abort(new Error('too late')), onUnknown: (build, error) => unknown.push(`${build} ${(error as Error).message}`) });
  t.same([told, unknown], [[], ['Web/B too late']]);
});
