// A build on an EC2 that is slow and forgets what was just made is killed at every boundary: recovery leaves nothing behind.
import t from 'tap';
import type { JsonObject } from '../../../lib/core/json.js';
import type { Plan, PlanStep } from '../../../lib/plan/plan.js';
import { amiHandler } from '../../../lib/platforms/ec2/engine/ami-handler.js';
import { instanceHandler } from '../../../lib/platforms/ec2/engine/instance-handler.js';
import { keyPairHandler } from '../../../lib/platforms/ec2/engine/key-pair-handler.js';
import { securityGroupHandler } from '../../../lib/platforms/ec2/engine/security-group-handler.js';
import { stopHandler } from '../../../lib/platforms/ec2/engine/stop-handler.js';
import { ec2Ami, ec2Instance, ec2KeyPair, ec2SecurityGroup, ec2Stop } from '../../../lib/platforms/ec2/steps.js';
import { CrashWorld } from './crash-world.js';

/** The part of a build that makes something: group, instance, image. Two of them share the group. */
function planOf(...builds: readonly string[]): Plan {
  const spot: JsonObject = builds.includes('Fleet') ? { spot: { allocationStrategy: 'price-capacity-optimized' } } : {};
  const steps = builds.flatMap((name): PlanStep[] => {
    const build = `Web/${name}`;
    const step = (id: string, kind: string, lifetime: PlanStep['lifetime'], spec: PlanStep['spec'], needs: readonly string[]): PlanStep => ({ id: `${build}/${id}`, kind, title: id, role: 'source', spec: { access: {}, ...spec }, needs: needs.map((need) => `${build}/${need}`), lifetime, build });
    const instanceId = { $ref: `${build}/Machine#id` };
    return [
      step('Group', 'ec2.securityGroup', 'run', { port: 22, allowFrom: ['203.0.113.7/32'], isPrivate: false }, []),
      step('Key', 'ec2.keyPair', 'run', { publicKey: 'ssh-ed25519 AAAA' }, []),
      step('Machine', 'ec2.instance', 'run', { imageId: 'ami-00000001', keyName: { $ref: `${build}/Key#name` }, types: ['t3.small', 't3.large'], ...spot, securityGroupIds: [{ $ref: `${build}/Group#id` }], address: 'public-ip', connection: { kind: 'ssh', host: '0.0.0.0', user: 'admin' } }, ['Group', 'Key']),
      step('Stop', 'ec2.stop', 'none', { instanceId }, ['Machine']),
      step('Ami', 'ec2.ami', 'artifact', { instanceId, namePrefix: `web-${name}`, noReboot: false, replace: false }, ['Machine', 'Stop']),
    ];
  });
  return { schema: 1, image: 'Web', tags: {}, builds: builds.map((name) => ({ id: `Web/${name}`, name, platform: 'ec2', artifact: { $ref: `Web/${name}/Ami#artifact` } })), steps };
}

class World extends CrashWorld {
  override steps({ regions }: CrashWorld['regions']) {
    return [
      { kind: ec2SecurityGroup, load: async () => securityGroupHandler(regions) as never }, { kind: ec2KeyPair, load: async () => keyPairHandler(regions) as never }, { kind: ec2Instance, load: async () => instanceHandler(regions) as never },
      { kind: ec2Stop, load: async () => stopHandler(regions) as never }, { kind: ec2Ami, load: async () => amiHandler(regions) as never },
    ];
  }
}

for (const [name, plan] of [['one build', planOf('One')], ['two builds that share a group', planOf('One', 'Two')], ['a fleet', planOf('Fleet')]] as const) {
  t.test(`whatever kills the process, recovery leaves nothing: ${name}`, { timeout: 120_000 }, async (t) => {
    const whole = new World();
    t.match(await whole.run(plan), { status: 'succeeded', leftovers: [] });
    t.same(await whole.strangers(0), []);
    const boundaries = whole.crash.count;
    t.ok(boundaries > 20, `${boundaries} boundaries`);
    for (let crashAt = 0; crashAt < boundaries; crashAt++) {
      for (const isLossy of [false, true]) {
        const world = new World();
        await world.run(plan, crashAt);
        await world.recover(isLossy);
        const strange = await world.strangers(0);
        if (strange.length > 0) t.fail(`killed at ${crashAt}, lossy ${isLossy}: ${strange.join(', ')}`);
      }
    }
    t.pass();
  });
}

t.test('a call that fails, before it does something or after, leaves nothing', { timeout: 120_000 }, async (t) => {
  const calls = ['CreateLaunchTemplate', 'CreateFleet', 'DeleteLaunchTemplate', 'CreateSecurityGroup', 'AuthorizeSecurityGroupIngress', 'ImportKeyPair', 'RunInstances', 'DescribeInstances', 'StopInstances', 'CreateImage', 'DescribeImages', 'CreateTags'];
  for (const failing of calls) {
    for (const at of ['before', 'after'] as const) {
      let isDone = false;
      const world = new World({ boundary: async (call, when) => { if (call === failing && when === at && !isDone) { isDone = true; throw new Error(`${call} fails ${when}`); } } });
      const outcome = await world.run(/Fleet|Template/.test(failing) ? planOf('Fleet') : planOf('One', 'Two'));
      t.same(await world.strangers(0), [], `${failing} ${at}`);
      t.notMatch(outcome, { leftovers: [{}] });
    }
  }
});

t.test('Ctrl-C at any time leaves nothing', { timeout: 120_000 }, async (t) => {
  for (let at = 1; at < 20; at++) {
    const abort = new AbortController();
    let count = 0;
    const world = new World({ boundary: async () => { if (++count === at) abort.abort(new Error('interrupted')); } });
    const outcome = await world.run(planOf('One', 'Two'), Infinity, abort.signal);
    if (outcome !== 'crashed' && outcome.status !== 'succeeded') t.same(world.ec2.things, [], `at ${at}`);
  }
});

t.test('what EC2 does not give is told, and leaves nothing', async (t) => {
  for (const [options, expected] of [
    [{ soldOut: ['t3.small'] }, { status: 'succeeded' }],
    [{ soldOut: ['t3.small', 't3.large'] }, { status: 'failed', builds: [{ error: { code: 'Ec2NoCapacity', message: /t3\.small, t3\.large/ } }] }],
    [{ startFailure: 'Client.InvalidKMSKey.InvalidState: the key is disabled' }, { status: 'failed', builds: [{ error: { code: 'InstanceEnded', message: /the key is disabled/, hint: /key/ } }] }],
    [{ imageFailure: 'Client.InternalError' }, { status: 'failed', builds: [{ error: { code: 'AmiFailed', message: /Client\.InternalError/ } }] }],
  ] as const) {
    for (const name of ['One', 'Fleet']) {
      const world = new World(options);
      t.match(await world.run(planOf(name)), expected);
      t.same(await world.strangers(0), []);
    }
  }
});

t.test('a spot instance that EC2 takes back is replaced by another, and the build goes on', async (t) => {
  const reason = 'Server.SpotInstanceTermination: Spot instance termination';
  const early = new World({ startFailure: reason, startFailures: 2 });
  t.match(await early.run(planOf('One')), { status: 'succeeded' });
  t.equal(early.ec2.calls.filter((call) => call === 'RunInstances').length, 3);
  t.same(await early.strangers(0), []);

  let left = 2;
  const late: World = new World({ boundary: async (call, when) => { if (call === 'StopInstances' && when === 'after' && left-- > 0) late.ec2.takeAway(reason); } });
  t.match(await late.run(planOf('One')), { status: 'succeeded' });
  t.equal(late.ec2.calls.filter((call) => call === 'RunInstances').length, 3);
  t.same(await late.strangers(0), []);

  const ended: World = new World({ boundary: async (call, when) => { if (call === 'StopInstances' && when === 'after') ended.ec2.takeAway('Client.UserInitiatedShutdown: User initiated shutdown'); } });
  t.match(await ended.run(planOf('One')), { status: 'failed', builds: [{ error: { code: 'InstanceEnded', message: /User initiated/ } }] }, 'what somebody ended is not started again');
});

t.test('what it waits for is acted on within two seconds, and many builds ask as often as one', async (t) => {
  const asked = async (...builds: readonly string[]) => {
    const world = new World({ visibleAfter: 0 });
    const begun = world.clock.now();
    t.match(await world.run(planOf(...builds)), { status: 'succeeded' });
    const states = 5; // started, stopped, image made, ended, group gone
    t.comment(`${builds.length} builds: ${(world.clock.now() - begun) / 1_000} s, of which ${(states - 1) * 20} s are EC2's`);
    return world.ec2.calls.filter((call) => call.startsWith('Describe')).length;
  };
  const one = await asked('One');
  const ten = await asked(...Array.from({ length: 10 }, (_, index) => `B${index}`));
  t.ok(ten <= one * 2, `${one} looks for one build, ${ten} for ten`);
});
