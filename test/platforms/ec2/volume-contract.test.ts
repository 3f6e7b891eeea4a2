import t from 'tap';
import { FakeEc2 } from '../../../lib/platforms/ec2/engine/fake-ec2.js';
import { FakeVolumes } from '../../../lib/platforms/ec2/engine/fake-volumes.js';
import { fakeClock } from '../../engine/fake-world.js';
import { volumeContract } from './volume-contract.js';

t.test('the fake volumes keep the contract', async (t) => {
  const clock = fakeClock();
  const ec2 = new FakeEc2({ clock, stateAfter: 20_000 });
  await volumeContract(t, { ec2, storage: new FakeVolumes(ec2, { clock, stateAfter: 20_000 }), base: 'ami-00000001', settle: () => clock.sleep(20_000) });
});
