import t from 'tap';
import { FakeEc2 } from '../../../lib/platforms/ec2/engine/fake-ec2.js';
import { instanceHandler } from '../../../lib/platforms/ec2/engine/instance-handler.js';
import { regionsOf } from '../../../lib/platforms/ec2/engine/region.js';
import type { InstanceSpec } from '../../../lib/platforms/ec2/steps.js';
import { fakeClock } from '../../engine/fake-world.js';
import { stepContext } from '../../support/step-context.js';

t.test('a machine that runs and gets no address is not waited for, and it is said why that may be', async (t) => {
  const clock = fakeClock();
  const handler = instanceHandler(regionsOf(() => new FakeEc2({ clock, stateAfter: 20_000 })));
  const spec: InstanceSpec = { access: {}, imageId: 'ami-00000001', types: ['t3.small'], address: 'ipv6', connection: { kind: 'ssh' } };
  const since = clock.now();
  await t.rejects(handler.acquire(spec, stepContext(t, { clock })), { code: 'NoAddress', message: /i-\w+ runs and has no ipv6/, hint: /"address" names another/ });
  t.ok(clock.now() - since < 60_000);
  t.match(await handler.acquire({ ...spec, address: 'public-ip' }, stepContext(t, { clock })), { host: /^203/ });
});
