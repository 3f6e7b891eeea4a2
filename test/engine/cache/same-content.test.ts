// Over random plans and edits a build with the cache gives what one without gives.
import fc from 'fast-check';
import t from 'tap';
import { type FakeBuild, FakeMachines, type Provisioning } from './fake-machines.js';

const text = fc.constantFrom('a', 'b', 'c');
const provisioner = (index: number): fc.Arbitrary<Provisioning> => fc.record({
  name: fc.constant(`S${index}`), text,
  kind: fc.constantFrom('write' as const, 'write' as const, 'other' as const, 'mood' as const),
  policy: fc.constantFrom({}, {}, { cache: false }, { cacheKey: 'k' }, { cache: true, cacheFor: 25_000 }),
});
const chain = fc.integer({ min: 0, max: 4 }).chain((length) => fc.tuple(...Array.from({ length }, (_, index) => provisioner(index))));
const app: fc.Arbitrary<readonly FakeBuild[]> = fc.tuple(chain, chain, fc.boolean()).map(([base, child, pushes]) => [
  { image: 'Base', base: 'debian', provisioners: base },
  { image: 'Child', base: { imageOf: 'Base' }, provisioners: child, ...(pushes ? { after: ['Push'] } : {}) },
]);
/** What happens between two runs. */
const event = fc.oneof(
  fc.record({ type: fc.constant('app' as const), app }),
  fc.record({ type: fc.constant('base' as const), base: fc.constantFrom('debian 1', 'debian 2') }),
  fc.record({ type: fc.constant('lost' as const) }), fc.record({ type: fc.constant('time' as const) }),
  fc.record({ type: fc.constant('pruned' as const), which: fc.nat(20) }),
  fc.record({ type: fc.constant('failure' as const), step: fc.constantFrom('S0', 'S1', 'S2') }),
  fc.record({ type: fc.constant('fresh' as const), step: fc.constantFrom('Base/B:S0', 'Child/B:S1') }),
);

t.test('a build with the cache gives what one without gives, whatever came before', async (t) => {
  let number = 0;
  await fc.assert(fc.asyncProperty(app, fc.array(event, { minLength: 1, maxLength: 6 }), async (first, events) => {
    const dir = t.testdir({ [`run-${number++}`]: {} });
    const world = new FakeMachines(`${dir}/run-${number - 1}`);
    let current = first;
    await world.run(current);
    for (const next of events) {
      let fresh: string[] = [];
      if (next.type === 'app') current = next.app;
      else if (next.type === 'base') world.bases.set('debian', next.base);
      else if (next.type === 'lost') world.images.clear();
      else if (next.type === 'time') await world.clock.sleep(40_000);
      else if (next.type === 'pruned') { const all = await world.checkpoints.list(); const one = all[next.which % Math.max(1, all.length)]; if (one !== undefined) await world.checkpoints.remove(one.key); }
      else if (next.type === 'fresh') fresh = [next.step];
      else {
        world.failing.add(next.step);
        await world.run(current);
        world.failing.clear();
      }
      const cached = await world.run(current, { fresh });
      const images = new Set(world.images);
      const plain = await world.run(current, { cached: false });
      if (cached.outcome.status !== 'succeeded') throw new Error(`the run ${cached.outcome.status}: ${JSON.stringify(cached.outcome.builds.map((build) => build.error))}`);
      if (JSON.stringify(cached.ids) !== JSON.stringify(plain.ids)) throw new Error(`${cached.ids.join()} is not ${plain.ids.join()}`);
      if (!cached.ids.every((id) => images.has(id))) throw new Error('it says that there is an image that is gone');
      if (world.machines.size > 0) throw new Error('a machine was left');
    }
  }), { numRuns: 120 });
  t.pass();
});
