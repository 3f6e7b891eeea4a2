import t from 'tap';
import { FakeEc2 } from '../../../lib/platforms/ec2/engine/fake-ec2.js';
import { FakeVolumes } from '../../../lib/platforms/ec2/engine/fake-volumes.js';
import { fakeClock } from '../../engine/fake-world.js';
import { FakeBucket } from './fake-bucket.js';
import { objectContract } from './object-contract.js';

t.test('the fake bucket keeps the contract', async (t) => {
  const clock = fakeClock();
  await objectContract(t, new FakeBucket({ clock, volumes: new FakeVolumes(new FakeEc2({ clock }), { clock }) }));
});
