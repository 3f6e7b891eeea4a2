import t from 'tap';
import { mask } from '../../lib/engine/masker.js';
import type { JournalEntry } from '../../lib/engine/journal.js';
import { executeRun, type RunRequest } from '../../lib/engine/run.js';
import type { Plan } from '../../lib/plan/plan.js';
import { Crash, fakePlan, fakeServices, FakeWorld, MemoryJournal, openJournal } from './fake-world.js';

async function run(plans: readonly Plan[], more: Partial<RunRequest> & { readonly world?: FakeWorld; readonly answer?: string } = {}) {
  const { world = new FakeWorld(), answer, ...request } = more;
  const journal = new MemoryJournal();
  const record = { events: [] };
  const services = fakeServices(world, journal, new Crash(), record, answer);
  await openJournal(services);
  const outcome = await executeRun({ plans, builds: new Set(plans.flatMap((plan) => plan.builds.map((build) => build.id))), onError: 'cleanup', cores: 2, signal: new AbortController().signal, ...request }, services);
  const entries = (journal.durable + journal.eventual).trim().split('\n').map((line) => JSON.parse(line) as JournalEntry);
  return { outcome, world, entries, events: record.events as import('../../lib/core/events.js').BakeEvent[] };
}

const machine = ['Machine', 'thing', 'run'] as const;
const act = (name: string, more = {}) => [name, 'act', 'none', { role: 'provisioner', needs: ['Machine'], ...more }] as const;
const capture = (needs: string[]) => ['Capture', 'thing', 'artifact', { needs: ['Machine', ...needs] }] as const;

t.test('a build that succeeds leaves its artifact and closes the run', async (t) => {
  const { outcome, world, entries } = await run([fakePlan('Web', [machine, act('Script'), capture(['Script'])])]);
  t.equal(outcome.status, 'succeeded');
  t.same(outcome.builds[0]?.artifacts.map((artifact) => artifact.title), ['Web/B/Capture']);
  t.equal(world.things.size, 1);
  t.equal(entries.at(-1)?.type, 'run.closed');
});

t.test('a failing step ends its build only; the others go on', async (t) => {
  const { outcome, world } = await run([
    fakePlan('Bad', [machine, act('Script', { spec: { fail: 'before' } }), capture(['Script'])]),
    fakePlan('Good', [machine, act('Script'), capture(['Script'])]),
  ]);
  t.same(outcome.builds.map((build) => [build.build, build.status]), [['Bad/B', 'failed'], ['Good/B', 'succeeded']]);
  t.equal(outcome.builds[0]?.error?.code, 'FakeFailure');
  t.equal(outcome.builds[0]?.error?.construct, 'Bad/B/Script');
  t.equal(world.things.size, 1, 'the good artifact');
});

t.test('a build that needs one that failed is skipped and says why', async (t) => {
  const { outcome } = await run([
    fakePlan('Base', [machine, act('Script', { spec: { fail: 'before' } }), capture(['Script'])]),
    fakePlan('Child', [['Machine', 'thing', 'run', { needs: ['Base/B/Capture'] }], capture([])]),
  ]);
  t.match(outcome.builds[1], { status: 'skipped', error: { code: 'NeededBuildFailed', message: /Base\/B/ } });
});

t.test('a failed attempt is undone before the next; delays grow', async (t) => {
  const { outcome, world, events } = await run([fakePlan('Web', [['Machine', 'thing', 'run', { spec: { fail: 'half', failures: 2 }, policy: { retries: 2, retryDelay: 100 } }], capture([])])]);
  t.equal(outcome.status, 'succeeded');
  t.same(events.filter((event) => event.type === 'step.retried').map((event) => event.delay), [100, 200]);
  t.same(world.order.slice(0, 5), ['make Web/B/Machine', 'remove Web/B/Machine', 'make Web/B/Machine', 'remove Web/B/Machine', 'make Web/B/Machine']);
});

t.test('continueOnError reports the failure and goes on', async (t) => {
  const { outcome, events } = await run([fakePlan('Web', [machine, act('Script', { spec: { fail: 'before' }, policy: { continueOnError: true } }), capture(['Script'])])]);
  t.equal(outcome.status, 'succeeded');
  t.match(events.find((event) => event.type === 'step.failed'), { continued: true });
});

t.test('an error-cleanup provisioner runs if the build failed, while the machine is still there', async (t) => {
  const plan = (fails: boolean) => fakePlan('Web', [machine, act('Script', fails ? { spec: { fail: 'before' } } : {}), ['Logs', 'act', 'none', { role: 'error-cleanup', needs: ['Machine'] }], capture(['Script'])]);
  const failed = await run([plan(true)]);
  t.ok(failed.world.order.indexOf('act Web/B/Logs') < failed.world.order.indexOf('remove Web/B/Machine') && failed.world.order.includes('act Web/B/Logs'));
  t.notOk((await run([plan(false)])).world.order.includes('act Web/B/Logs'));
});

t.test('--on-error keep leaves what the build holds and lists it', async (t) => {
  const { outcome, world, entries } = await run([fakePlan('Web', [machine, act('Script', { spec: { fail: 'before' } }), capture(['Script'])])], { onError: 'keep' });
  t.equal(outcome.status, 'failed');
  t.same(outcome.leftovers.map((leftover) => [leftover.step, leftover.reason]), [['Web/B/Machine', 'kept as asked']]);
  t.equal(world.things.size, 1);
  t.not(entries.at(-1)?.type, 'run.closed', 'so that clean finds it');
});

t.test('--on-error keep releases what would die with the process anyway, and does not say that it was kept', async (t) => {
  const held = ['Held', 'mortal', 'run', { needs: ['Machine'] }] as const;
  const { outcome, world } = await run([fakePlan('Web', [machine, held, ['Script', 'act', 'none', { needs: ['Held'], spec: { fail: 'before' } }], capture(['Script'])])], { onError: 'keep' });
  t.same(outcome.leftovers.map((leftover) => leftover.step), ['Web/B/Machine']);
  t.ok(world.order.includes('remove Web/B/Held'));
});

t.test('--on-error ask tries the step again if told so', async (t) => {
  const { outcome } = await run([fakePlan('Web', [machine, act('Script', { spec: { fail: 'before', failures: 1 } }), capture(['Script'])])], { onError: 'ask', answer: 'retry' });
  t.equal(outcome.status, 'succeeded');
});

t.test('what cannot be removed is tried again, then listed', async (t) => {
  const twice = new FakeWorld();
  twice.sticky.set('Web/B/Machine', 2);
  t.same((await run([fakePlan('Web', [machine, capture([])])], { world: twice })).outcome.leftovers, []);
  const never = new FakeWorld();
  never.sticky.set('Web/B/Machine', Infinity);
  const { outcome, entries } = await run([fakePlan('Web', [machine, capture([])])], { world: never });
  t.match(outcome.leftovers, [{ step: 'Web/B/Machine', reason: 'will not go' }]);
  t.not(entries.at(-1)?.type, 'run.closed');
});

t.test('a cancelled run starts nothing more and removes all', async (t) => {
  const world = new FakeWorld();
  const controller = new AbortController();
  const plans = [fakePlan('Web', [machine, act('Script'), capture(['Script'])])];
  const push = world.order.push.bind(world.order);
  world.order.push = (...items) => { if (items[0] === 'make Web/B/Machine') controller.abort(new Error('Ctrl-C')); return push(...items); };
  const { outcome, events } = await run(plans, { world, signal: controller.signal });
  t.equal(outcome.status, 'cancelled');
  t.equal(world.things.size, 0);
  t.notOk(world.order.includes('act Web/B/Script'));
  t.ok(events.some((event) => event.type === 'run.cancelling'));
});

t.test('--parallel bounds the builds at once, and one that needs another does not block it', async (t) => {
  const plans = [
    fakePlan('Child', [['Machine', 'thing', 'run', { needs: ['Base/B/Capture'] }], capture([])]),
    fakePlan('Base', [machine, capture([])]),
    fakePlan('Other', [machine, capture([])]),
  ];
  const { outcome, world } = await run(plans, { parallel: 1 });
  t.equal(outcome.status, 'succeeded');
  const machines = new Set<string>();
  let most = 0;
  for (const line of world.order) {
    if (/make .*Machine/.test(line)) machines.add(line.slice(5));
    if (/remove .*Machine/.test(line)) machines.delete(line.slice(7));
    most = Math.max(most, machines.size);
  }
  t.equal(most, 1);
});

t.test('a secret is masked in every event and not in the journal at all', async (t) => {
  const { events, entries, world } = await run([fakePlan('Web', [['Machine', 'thing', 'run', { spec: { input: { $secret: { from: 'literal', index: 0 } }, fail: 'after' } as never }], capture([])])]);
  t.equal(world.things.size, 0);
  t.notMatch(JSON.stringify(entries), /hunter2/);
  t.notMatch(JSON.stringify(events), /hunter2/);
  t.equal(mask.length > 0, true);
});

t.test('builds that need something of each other, each for another step, come to their end', async (t) => {
  const { outcome } = await run([
    fakePlan('A', [machine, capture([]), ['Notes', 'act', 'none', { role: 'post-processor', needs: ['Capture', 'B/B/Capture'] }]]),
    fakePlan('B', [['Machine', 'thing', 'run', { needs: ['A/B/Capture'] }], capture([])]),
  ]);
  t.same(outcome.builds.map((build) => build.status), ['succeeded', 'succeeded']);
});

t.test('a machine that is lost is replaced, and what was done on it is done again', async (t) => {
  const losing = (failures: number) => fakePlan('Web', [['Network', 'thing', 'run'], ['Machine', 'thing', 'run', { needs: ['Network'] }], act('First'), act('Second', { needs: ['First'], spec: { fail: 'before', failures, takes: 'Machine' }, policy: { retries: 5 } }), capture(['Second'])]);
  const once = ['make Web/B/Machine', 'act Web/B/First'];
  const { outcome, world, events, entries } = await run([losing(2)]);
  t.equal(outcome.status, 'succeeded');
  t.same(world.order, ['make Web/B/Network', ...once, ...once, ...once, 'act Web/B/Second', 'make Web/B/Capture', 'remove Web/B/Machine', 'remove Web/B/Network']);
  t.match(events.find((event) => event.type === 'machine.lost'), { step: 'Web/B/Machine', reason: 'taken back', again: ['Web/B/First', 'Web/B/Capture', 'Web/B/Second'] });
  t.notOk(events.some((event) => event.type === 'step.retried'), 'trying again on what is gone would be in vain');
  t.equal(entries.at(-1)?.type, 'run.closed');

  const always = await run([losing(99)]);
  t.match(always.outcome.builds[0], { status: 'failed', error: { code: 'FakeFailure', construct: 'Web/B/Second' } });
  t.equal(always.world.order.filter((line) => line === 'make Web/B/Machine').length, 4);
  t.equal(always.world.things.size, 0);
});

t.test('what leads to a lost machine goes before it, and is made anew with it', async (t) => {
  const tunnel = ['Tunnel', 'mortal', 'run', { needs: ['Machine'] }] as const;
  const { outcome, world } = await run([fakePlan('Web', [machine, tunnel, act('Script', { needs: ['Tunnel'], spec: { fail: 'before', failures: 1, takes: 'Machine' } }), capture(['Script'])])]);
  t.equal(outcome.status, 'succeeded');
  t.same(world.order.slice(0, 6), ['make Web/B/Machine', 'make Web/B/Tunnel', 'remove Web/B/Tunnel', 'make Web/B/Machine', 'make Web/B/Tunnel', 'act Web/B/Script']);
  t.equal(world.things.size, 1);
});

t.test('a machine that is lost is not replaced while something else that was made with it is there', async (t) => {
  const { outcome, world } = await run([fakePlan('Web', [machine, capture([]), act('Share', { needs: ['Machine', 'Capture'], spec: { fail: 'before', failures: 1, takes: 'Machine' } })])]);
  t.match(outcome.builds[0], { status: 'failed', error: { code: 'FakeFailure', construct: 'Web/B/Share' } });
  t.same(world.order.filter((line) => line === 'make Web/B/Machine').length, 1);
  t.equal(world.things.size, 0);
});

t.test('a run that is cancelled while a lost machine is being removed ends', async (t) => {
  const controller = new AbortController();
  const world = new FakeWorld();
  world.sticky.set('Web/B/Machine', 1);
  const sleep = world.clock.sleep.bind(world.clock);
  Object.assign(world.clock, { sleep: async (milliseconds: number, signal?: AbortSignal) => { controller.abort(new Error('Ctrl-C')); await sleep(milliseconds, signal); } });
  const { outcome } = await run([fakePlan('Web', [machine, act('Script', { spec: { fail: 'before', failures: 1, takes: 'Machine' } }), capture(['Script'])])], { world, signal: controller.signal });
  t.equal(outcome.status, 'cancelled');
  t.equal(world.things.size, 0);
});

t.test('a run that is cancelled while it is found out whether a machine is lost ends its build and removes all', async (t) => {
  const controller = new AbortController();
  const world = new FakeWorld();
  world.onLookForLost = () => { controller.abort(new Error('Ctrl-C')); };
  const { outcome, events } = await run([fakePlan('Web', [['Network', 'thing', 'run'], ['Machine', 'thing', 'run', { needs: ['Network'] }], act('Script', { spec: { fail: 'before', failures: 1, takes: 'Machine' } }), capture(['Script'])])], { world, signal: controller.signal });
  t.match(outcome, { status: 'cancelled', leftovers: [] });
  t.equal(world.things.size, 0);
  t.ok(events.some(({ type }) => type === 'build.finished'));
});

t.test('a machine goes as soon as its image is made, whatever is still done with that', async (t) => {
  const copies = [act('Copy1', { needs: ['Capture'] }), act('Copy2', { needs: ['Copy1'] }), act('Copy3', { needs: ['Copy2'] })];
  const { world } = await run([fakePlan('Web', [machine, capture([]), ...copies])]);
  t.ok(world.order.indexOf('remove Web/B/Machine') < world.order.indexOf('act Web/B/Copy3'), world.order.join(', '));
});
