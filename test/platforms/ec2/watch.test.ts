import t from 'tap';
import { BakeError } from '../../../lib/core/bake-error.js';
import { Watch } from '../../../lib/platforms/ec2/engine/watch.js';
import { fakeClock } from '../../engine/fake-world.js';

const busy = new BakeError({ code: 'Ec2Unavailable', message: 'DescribeInstances: busy', transient: true });

t.test('looks that fail for now are made again, and for ever only as long as one gets through', async (t) => {
  const clock = fakeClock();
  const { signal } = new AbortController();
  const failing = new Watch<{ readonly id: string }>(() => Promise.reject(busy));
  await t.rejects(failing.until('i-1', () => true, { clock, signal }), { code: 'Ec2Unavailable' });
  t.ok(clock.now() > 500_000 && clock.now() < 700_000, `${clock.now()} ms`);

  let looks = 0;
  const flaky = new Watch<{ readonly id: string }>(() => (++looks % 100 === 0 ? Promise.resolve([{ id: 'i-1' }]) : Promise.reject(busy)));
  const since = clock.now();
  await flaky.until('i-1', () => clock.now() - since > 2_000_000, { clock, signal });
  t.ok(clock.now() - since > 2_000_000);
});
