import t from 'tap';
import { BakeError } from '../../../lib/core/bake-error.js';
import { FakeEc2 } from '../../../lib/platforms/ec2/engine/fake-ec2.js';
import { FakeProfiles } from '../../../lib/platforms/ec2/engine/fake-profiles.js';
import { instanceHandler } from '../../../lib/platforms/ec2/engine/instance-handler.js';
import { profileHandler } from '../../../lib/platforms/ec2/engine/profile-handler.js';
import { regionsOf } from '../../../lib/platforms/ec2/engine/region.js';
import type { InstanceSpec } from '../../../lib/platforms/ec2/steps.js';
import { fakeClock } from '../../engine/fake-world.js';
import { stepContext } from '../../support/step-context.js';
import { profileContract } from './profile-contract.js';

t.test('the fake keeps the contract', (t) => profileContract(t, new FakeProfiles(), ['arn:aws:iam::aws:policy/AmazonS3ReadOnlyAccess']));

t.test('a profile is found by the token alone, and goes', async (t) => {
  const profiles = new FakeProfiles();
  const ctx = stepContext(t, { clock: fakeClock() });
  const handler = profileHandler(() => profiles);
  t.equal(await handler.find(ctx.token, { access: {} }, ctx), undefined);
  const handle = await handler.acquire({ access: {}, policy: '{}' }, ctx);
  t.same(await handler.find(ctx.token, { access: {} }, ctx), handle);
  await handler.release(handle, ctx);
  t.equal(profiles.profiles.size, 0);
});

t.test('a machine waits until EC2 has been told of its profile, but not for ever', async (t) => {
  const clock = fakeClock();
  const since = clock.now();
  let knownAfter = 9_000;
  class Forgetful extends FakeEc2 {
    override async runInstance(...request: Parameters<FakeEc2['runInstance']>) {
      if (clock.now() < since + knownAfter) throw new BakeError({ code: 'Ec2ProfileUnknown', source: 'user', message: 'Invalid IAM Instance Profile name', transient: true });
      return super.runInstance(...request);
    }
  }
  const spec: InstanceSpec = { access: {}, imageId: 'ami-00000001', types: ['t3.small'], instanceProfile: 'bake-x', address: 'public-ip', connection: { kind: 'ssh' } };
  const handler = instanceHandler(regionsOf(() => new Forgetful({ clock })));
  t.match(await handler.acquire(spec, stepContext(t, { clock })), { type: 't3.small' });
  knownAfter = Infinity;
  await t.rejects(handler.acquire(spec, stepContext(t, { clock })), { code: 'Ec2ProfileUnknown' });
});
