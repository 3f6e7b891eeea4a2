import t from 'tap';
import { FakeEc2 } from '../../../lib/platforms/ec2/engine/fake-ec2.js';
import { FakeUploads } from '../../../lib/platforms/ec2/engine/fake-uploads.js';
import { FakeVolumes } from '../../../lib/platforms/ec2/engine/fake-volumes.js';
import { fakeClock } from '../../engine/fake-world.js';
import { uploadContract } from './upload-contract.js';

t.test('the fake uploads keep the contract', async (t) => {
  const clock = fakeClock();
  const storage = new FakeVolumes(new FakeEc2({ clock }), { clock, stateAfter: 20_000, visibleAfter: 3_000 });
  const uploads = new FakeUploads(storage);
  await uploadContract(t, { uploads, storage, settle: () => clock.sleep(20_000), read: async (id, index) => uploads.blocks(id).get(index) });
  const late = await uploads.start({ clientToken: 'late', gibibytes: 1, tags: {} });
  await t.rejects(uploads.put(late, { index: 0, data: Buffer.alloc(1), sha256: Buffer.alloc(1) }), { code: 'Ec2NotFound' }, '2');
});
