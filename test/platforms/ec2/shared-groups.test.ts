// The group that builds of a run have together, whatever they do at the same time.
import t from 'tap';
import { FakeEc2 } from '../../../lib/platforms/ec2/engine/fake-ec2.js';
import { regionsOf } from '../../../lib/platforms/ec2/engine/region.js';
import { securityGroupHandler } from '../../../lib/platforms/ec2/engine/security-group-handler.js';
import { fakeClock } from '../../engine/fake-world.js';
import { stepContext } from '../../support/step-context.js';

const spec = (region: string) => ({ access: { region }, port: 22, allowFrom: ['203.0.113.7/32'], isPrivate: false });

function world(t: Parameters<typeof stepContext>[0], boundary?: (call: string, when: 'before' | 'after') => Promise<void>) {
  const clock = fakeClock();
  const ec2 = new Map(['eu-west-1', 'us-east-1'].map((region) => [region, new FakeEc2({ clock, stateAfter: 20_000, ...(boundary === undefined ? {} : { boundary }) })] as const));
  const handler = securityGroupHandler(regionsOf(({ region = '' }) => ec2.get(region)!));
  const contextOf = (name: string, signal?: AbortSignal) => {
    const ctx = stepContext(t, { clock });
    return { ...ctx, token: `${ctx.run.id}-${name}`, ...(signal === undefined ? {} : { signal }) };
  };
  return { clock, ec2, handler, contextOf };
}

t.test('two regions have a group each, and each goes in its own', async (t) => {
  const { ec2, handler, contextOf } = world(t);
  await ec2.get('us-east-1')!.createSecurityGroup({ name: 'first', tags: {} }); // so that ids differ
  const [a, b] = [await handler.acquire(spec('eu-west-1'), contextOf('a')), await handler.acquire(spec('us-east-1'), contextOf('b'))];
  t.not(a.id, b.id);
  await handler.release(a, contextOf('a'));
  t.same(ec2.get('eu-west-1')!.things, []);
  t.equal(ec2.get('us-east-1')!.things.length, 2);
  await handler.release(b, contextOf('b'));
  t.equal(ec2.get('us-east-1')!.things.length, 1);
});

t.test('one that is aborted while both wait for the group takes it from nobody', async (t) => {
  let open = () => {};
  const gate = new Promise<void>((resolve) => { open = resolve; });
  const { ec2, handler, contextOf } = world(t, async (call, when) => { if (call === 'CreateSecurityGroup' && when === 'before') await gate; });
  const abort = new AbortController();
  const first = handler.acquire(spec('eu-west-1'), contextOf('a', abort.signal));
  const second = handler.acquire(spec('eu-west-1'), contextOf('b'));
  abort.abort(new Error('interrupted'));
  await t.rejects(first, { message: 'interrupted' });
  open();
  const b = await second;
  const found = await handler.find(contextOf('a').token, spec('eu-west-1'), contextOf('a'));
  t.match(found, { id: b.id }, 'its recovery finds the group by the run');
  await handler.release(found!, contextOf('a'));
  t.same(ec2.get('eu-west-1')!.things, [b.id]);
  await handler.release(b, contextOf('b'));
  t.same(ec2.get('eu-west-1')!.things, []);
});

t.test('one that comes while the group is on its way out keeps it', async (t) => {
  const { clock, ec2, handler, contextOf } = world(t);
  const there = ec2.get('eu-west-1')!;
  const a = await handler.acquire(spec('eu-west-1'), contextOf('a'));
  const { id } = await there.runInstance({ clientToken: 'x', imageId: 'ami-00000001', type: 't3.small', place: {}, securityGroupIds: [a.id], blockDevices: [], metadata: { tokens: 'required' }, tags: {} });
  await clock.sleep(20_000);
  await there.terminateInstance(id);
  const leaving = handler.release(a, contextOf('a'));
  const b = await handler.acquire(spec('eu-west-1'), contextOf('b'));
  await leaving;
  await clock.sleep(60_000);
  t.equal(b.id, a.id);
  t.ok(there.things.includes(b.id), 'it is still there');
  await handler.release(b, contextOf('b'));
  t.same(there.things, []);
  const c = await handler.acquire(spec('eu-west-1'), contextOf('c'));
  t.not(c.id, a.id, 'what is gone is made anew');
});
