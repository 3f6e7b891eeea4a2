import t from 'tap';
import { FakeEc2 } from '../../../lib/platforms/ec2/engine/fake-ec2.js';
import { fakeClock } from '../../engine/fake-world.js';
import { ec2Contract } from './ec2-contract.js';

t.test('the fake keeps the contract', async (t) => {
  const clock = fakeClock();
  await ec2Contract(t, { ec2: new FakeEc2({ clock, stateAfter: 20_000 }), base: 'ami-00000001', settle: () => clock.sleep(20_000) });
});

t.test('the fake forgets for a while what was just made', async (t) => {
  const clock = fakeClock();
  const ec2 = new FakeEc2({ clock, visibleAfter: 3_000 });
  const group = await ec2.createSecurityGroup({ name: 'g', tags: { a: 'b' } });
  t.same(await ec2.securityGroups({ filters: { 'group-name': ['g'] } }), []);
  await clock.sleep(3_000);
  t.match(await ec2.securityGroups({ tags: { a: 'b' } }), [{ id: group }]);
  const { id } = await ec2.runInstance({ clientToken: 'x', imageId: 'ami-00000001', type: 't3.small', place: {}, securityGroupIds: [group], blockDevices: [], metadata: { tokens: 'required' }, tags: {} });
  await t.rejects(ec2.instances({ ids: [id] }), { code: 'Ec2NotFound' });
  await clock.sleep(3_000);
  t.match(await ec2.instances({ ids: [id] }), [{ id }]);
});
