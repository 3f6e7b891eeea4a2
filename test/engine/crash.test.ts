import fc from 'fast-check';
import t from 'tap';
import { CheckpointStore } from '../../lib/engine/cache/checkpoint-store.js';
import { recoverRun } from '../../lib/engine/recover.js';
import { executeRun } from '../../lib/engine/run.js';
import type { Plan } from '../../lib/plan/plan.js';
import { Crash, fakePlan, fakeServices, FakeWorld, MemoryJournal, openJournal, type FakeSpec } from './fake-world.js';

const allBuilds = (plans: readonly Plan[]) => new Set(plans.flatMap((plan) => plan.builds.map((build) => build.id)));

/** Runs plans until they end or the crash comes; the world and the journal stay as they are then. */
async function runUntil(plans: readonly Plan[], crashAt: number): Promise<{ world: FakeWorld; journal: MemoryJournal; boundaries: number; outcome: Awaited<ReturnType<typeof executeRun>> | 'crashed' }> {
  const world = new FakeWorld();
  const journal = new MemoryJournal();
  const crash = new Crash(crashAt);
  const services = fakeServices(world, journal, crash);
  const run = async () => {
    await openJournal(services);
    return executeRun({ plans, builds: allBuilds(plans), onError: 'cleanup', cores: 2, signal: new AbortController().signal }, services);
  };
  const outcome = await Promise.race([run(), crash.happened]);
  return { world, journal, boundaries: crash.count, outcome };
}

/** Recovers until done, crashing at one boundary of the first try. */
async function recover(world: FakeWorld, journal: MemoryJournal, isLossy: boolean, crashAt: number): Promise<number> {
  for (let at = crashAt; ; at = Infinity) {
    const ledger = journal.reopen(isLossy);
    const crash = new Crash(at);
    const services = fakeServices(world, journal, crash);
    const recovery = recoverRun({ ledger, services, checkpoints: new CheckpointStore({ folder: '/nowhere', clock: world.clock }), signal: new AbortController().signal, endProcesses: async () => {} });
    const result = await Promise.race([recovery, crash.happened]);
    if (result !== 'crashed') return crash.count;
  }
}

/** What may be there after recovery: the artifacts of builds whose success is on disk, and nothing else. */
function strangers(world: FakeWorld, journal: MemoryJournal): readonly string[] {
  const { kept } = journal.reopen(false);
  const wanted = new Set(kept.map((item) => item.begun.token));
  return [...[...world.things.keys()].filter((token) => !wanted.has(token)), ...[...wanted].filter((token) => world.things.get(token)?.whole !== true).map((token) => `missing ${token}`)];
}

const twoImages = [
  fakePlan('Base', [['Machine', 'thing', 'run'], ['Provision', 'act', 'none', { role: 'provisioner', needs: ['Machine'] }], ['Capture', 'thing', 'artifact', { needs: ['Machine', 'Provision'] }], ['Sums', 'thing', 'artifact', { role: 'post-processor', needs: ['Capture'] }]]),
  fakePlan('Web', [['Network', 'thing', 'run'], ['Machine', 'thing', 'run', { needs: ['Network', 'Base/B/Capture'], spec: { input: 'x', visibleAfter: 300 } }], ['Provision', 'act', 'none', { role: 'provisioner', needs: ['Machine'] }], ['Capture', 'thing', 'artifact', { needs: ['Machine', 'Provision'] }]]),
];
const failing = (spec: FakeSpec) => [fakePlan('Base', [['Machine', 'thing', 'run'], ['Provision', 'act', 'none', { needs: ['Machine'] }], ['Capture', 'thing', 'artifact', { needs: ['Provision'], spec }], ['Sums', 'thing', 'artifact', { needs: ['Capture'] }]])];

const losing = [fakePlan('Base', [['Network', 'thing', 'run'], ['Machine', 'thing', 'run', { needs: ['Network'] }], ['First', 'act', 'none', { needs: ['Machine'] }], ['Second', 'act', 'none', { needs: ['First'], spec: { fail: 'before', failures: 1, takes: 'Machine' } }], ['Capture', 'thing', 'artifact', { needs: ['Second'] }]])];

for (const [name, plans] of [['two images, one from the other', twoImages], ['a build that fails half-way', failing({ fail: 'half' })], ['a build that fails after the effect', failing({ fail: 'after' })], ['a build that loses its machine', losing]] as const) {
  t.test(`whatever kills the process, recovery leaves an empty world: ${name}`, async (t) => {
    const whole = await runUntil(plans, Infinity);
    t.same(strangers(whole.world, whole.journal), [], 'an undisturbed run leaves nothing strange');
    t.ok(whole.boundaries > 10, `${whole.boundaries} boundaries`);
    let cases = 0;
    for (let crashAt = 0; crashAt < whole.boundaries; crashAt++) {
      for (const isLossy of [false, true]) {
        const probe = await runUntil(plans, crashAt);
        const recoveryBoundaries = await recover(probe.world, probe.journal, isLossy, Infinity);
        t.same(strangers(probe.world, probe.journal), [], `crash at ${crashAt}, lossy ${isLossy}`);
        for (let again = 0; again < recoveryBoundaries; again++) {
          const { world, journal } = await runUntil(plans, crashAt);
          await recover(world, journal, isLossy, again);
          const strange = strangers(world, journal);
          if (strange.length > 0) t.fail(`crash at ${crashAt}, in recovery at ${again}, lossy ${isLossy}: ${strange.join(', ')}`);
          cases++;
        }
      }
    }
    t.comment(`${cases} double crashes`);
  });
}

const specs = fc.record({
  fail: fc.constantFrom(undefined, undefined, undefined, 'before' as const, 'half' as const, 'after' as const),
  failures: fc.constantFrom(undefined, 1, 2), visibleAfter: fc.constantFrom(undefined, 0, 700),
}).map((spec) => Object.fromEntries(Object.entries(spec).filter(([, value]) => value !== undefined)) as FakeSpec);

const steps = fc.array(fc.record({
  kind: fc.constantFrom('thing' as const, 'act' as const), lifetime: fc.constantFrom('run' as const, 'artifact' as const), spec: specs,
  needs: fc.array(fc.nat(20), { maxLength: 3 }), retries: fc.constantFrom(0, 0, 1, 2), continueOnError: fc.boolean(),
}), { minLength: 1, maxLength: 8 });

/** Random images; a step needs earlier ones, now and then one of an earlier image. */
const randomPlans = fc.array(steps, { minLength: 1, maxLength: 3 }).map((images) => {
  const earlier: string[] = [];
  return images.map((image, index) => {
    const plan = fakePlan(`I${index}`, image.map((step, number) => {
      const needs = earlier.length === 0 ? [] : [...new Set(step.needs.map((need) => earlier[need % earlier.length]!))];
      earlier.push(`I${index}/B/S${number}`);
      return [`S${number}`, step.kind, step.kind === 'act' ? 'none' : step.lifetime, { needs, spec: step.spec, policy: { retries: step.retries, continueOnError: step.continueOnError } }] as const;
    }));
    return plan;
  });
});

t.test('random graphs with failing handlers leave nothing, killed or not', async (t) => {
  await fc.assert(fc.asyncProperty(randomPlans, fc.double({ min: 0, max: 1, noNaN: true }), fc.boolean(), fc.nat(40), async (plans, where, isLossy, again) => {
    const whole = await runUntil(plans, Infinity);
    if (whole.outcome === 'crashed') return false;
    const calm = strangers(whole.world, whole.journal);
    const { world, journal } = await runUntil(plans, Math.floor(where * whole.boundaries));
    await recover(world, journal, isLossy, again);
    const disturbed = strangers(world, journal);
    if (calm.length + disturbed.length > 0) throw new Error(`calm: ${calm.join()}; disturbed: ${disturbed.join()}`);
    return whole.outcome.leftovers.length === 0;
  }), { numRuns: Number(process.env['BAKE_FUZZ_RUNS'] ?? 600) });
  t.pass('600 random graphs');
});

t.test('a thing is removed before what it stands on', async (t) => {
  const { world } = await runUntil(twoImages, Infinity);
  t.ok(world.order.indexOf('remove Web/B/Machine') < world.order.indexOf('remove Web/B/Network'), world.order.join('; '));
});
