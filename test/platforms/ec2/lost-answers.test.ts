// A call whose answer is lost is made again by the SDK: what it made the first time is found, not made twice, and not taken for somebody else's.
import t from 'tap';
import { amiHandler } from '../../../lib/platforms/ec2/engine/ami-handler.js';
import { FakeEc2 } from '../../../lib/platforms/ec2/engine/fake-ec2.js';
import { instanceHandler } from '../../../lib/platforms/ec2/engine/instance-handler.js';
import { regionsOf } from '../../../lib/platforms/ec2/engine/region.js';
import { securityGroupHandler } from '../../../lib/platforms/ec2/engine/security-group-handler.js';
import type { InstanceSpec } from '../../../lib/platforms/ec2/steps.js';
import { fakeClock } from '../../engine/fake-world.js';
import { stepContext } from '../../support/step-context.js';

/** Does each call of a kind twice, as if the first answer had not come. */
class Repeating extends FakeEc2 {
  override async createImage(...request: Parameters<FakeEc2['createImage']>) {
    await super.createImage(...request);
    return super.createImage(...request);
  }
  override async createSecurityGroup(...request: Parameters<FakeEc2['createSecurityGroup']>) {
    await super.createSecurityGroup(...request);
    return super.createSecurityGroup(...request);
  }
  override async runInstance(...request: Parameters<FakeEc2['runInstance']>) {
    await super.runInstance(...request);
    return super.runInstance(...request);
  }
}

const instanceSpec: InstanceSpec = { access: {}, imageId: 'ami-00000001', types: ['t3.small'], address: 'public-ip', connection: { kind: 'ssh', host: '0.0.0.0', user: 'admin' } };

t.test('what a repeated call finds is its own', async (t) => {
  const clock = fakeClock();
  const ec2 = new Repeating({ clock, stateAfter: 20_000 });
  const regions = regionsOf(() => ec2);
  const ctx = stepContext(t, { clock });
  const group = await securityGroupHandler(regions).acquire({ access: {}, port: 22, allowFrom: ['203.0.113.7/32'], isPrivate: false }, ctx);
  const instance = await instanceHandler(regions).acquire({ ...instanceSpec, securityGroupIds: [group.id] }, ctx);
  const image = await amiHandler(regions).acquire({ access: {}, instanceId: instance.id, name: 'web-1', namePrefix: 'web', noReboot: false, replace: false }, ctx);
  t.same([...ec2.things].sort(), [group.id, instance.id, image.id, ...image.snapshots].sort());
  await t.rejects(amiHandler(regions).acquire({ access: {}, instanceId: instance.id, name: 'base-1', namePrefix: 'web', noReboot: false, replace: false }, ctx), { code: 'AmiNameTaken' });
});

t.test('a step that is tried again gets a machine of its own, not the one that ended', async (t) => {
  const clock = fakeClock();
  const ec2 = new FakeEc2({ clock });
  const handler = instanceHandler(regionsOf(() => ec2));
  const ctx = stepContext(t, { clock });
  const first = await handler.acquire(instanceSpec, ctx);
  await handler.release(first, ctx);
  const second = await handler.acquire(instanceSpec, ctx);
  t.not(second.id, first.id);
  t.match(await handler.find(ctx.token, instanceSpec, ctx), { id: second.id });
});
