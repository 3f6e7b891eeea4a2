import t from 'tap';
import type { ScanHost } from '../../../lib/engine/extension.js';
import { BakeError } from '../../../lib/core/bake-error.js';
import { FakeEc2 } from '../../../lib/platforms/ec2/engine/fake-ec2.js';
import { FakeProfiles } from '../../../lib/platforms/ec2/engine/fake-profiles.js';
import { regionsOf } from '../../../lib/platforms/ec2/engine/region.js';
import { FakeVolumes } from '../../../lib/platforms/ec2/engine/fake-volumes.js';
import { scanEc2 } from '../../../lib/platforms/ec2/engine/scan.js';
import { volumeRegionsOf } from '../../../lib/platforms/ec2/engine/volume-region.js';
import { fakeClock } from '../../engine/fake-world.js';

const signal = new AbortController().signal;
const fail = (place: string, error: unknown) => { throw new Error(`${place} cannot be looked at: ${String(error)}`); };

t.test('all that is temporary is found in each region, the instances before what they use; the rest is not', async (t) => {
  const clock = fakeClock();
  const ec2 = new FakeEc2({ clock, stateAfter: 20_000 });
  const profiles = new FakeProfiles();
  const stamp = (state: string) => ({ 'bake:run': 'r1', 'bake:token': 'r1-x', 'bake:state': state, 'bake:home': 'here' });
  const temporary = stamp('temporary');
  const group = await ec2.createSecurityGroup({ name: 'bake-r1', tags: temporary });
  await ec2.createSecurityGroup({ name: 'theirs', tags: { team: 'web' } });
  const { id } = await ec2.runInstance({ clientToken: 'a', imageId: 'ami-00000001', type: 't3.small', place: {}, securityGroupIds: [group], blockDevices: [], metadata: { tokens: 'required' }, tags: temporary });
  const { id: other } = await ec2.runInstance({ clientToken: 'b', imageId: 'ami-00000001', type: 't3.small', place: {}, securityGroupIds: [], blockDevices: [], metadata: { tokens: 'required' }, tags: {} });
  await ec2.importKeyPair({ name: 'bake-key', publicKey: '', tags: temporary });
  await ec2.createLaunchTemplate('bake-r1-y', { clientToken: 'c', imageId: 'ami-00000001', type: 't3.small', place: {}, securityGroupIds: [], blockDevices: [], metadata: { tokens: 'required' }, tags: temporary });
  await clock.sleep(20_000);
  const half = await ec2.createImage({ instanceId: id, name: 'half', noReboot: false, blockDevices: [], tags: temporary });
  const done = await ec2.createImage({ instanceId: id, name: 'done', noReboot: false, blockDevices: [], tags: stamp('finished') });
  await clock.sleep(20_000);
  await profiles.create({ name: 'bake-r1-x', managedPolicies: [], tags: temporary });
  await profiles.create({ name: 'theirs', managedPolicies: [], tags: {} });

  const storage = new FakeVolumes(ec2, { clock, stateAfter: 20_000 });
  const regions = volumeRegionsOf(regionsOf(() => ec2), () => storage);
  const host = { clock, signal, regions: ['all'] } as unknown as ScanHost;
  const found = await scanEc2(host, fail, regions, () => profiles);
  t.match(found.map(({ kind, title, run, home }) => [kind, title, run, home]), [
    ['instance', `${id} in eu-fake-1`, 'r1', 'here'], ['AMI', `${half} half in eu-fake-1`, 'r1', 'here'], ['key pair', 'bake-key in eu-fake-1', 'r1', 'here'],
    ['launch template', 'bake-r1-y in eu-fake-1', 'r1', 'here'],
    ['security group', `${group} bake-r1 in eu-fake-1`, 'r1', 'here'], ['instance profile', 'bake-r1-x', 'r1', 'here'],
  ]);
  for (const stray of found) await stray.remove();
  t.same(await scanEc2(host, fail, regions, () => profiles), []);
  t.same(ec2.things.filter((thing) => !thing.startsWith('snap')), [other, 'sg-00000002', done], 'the group was removed when its instance was gone');
  t.same([...profiles.profiles.keys()], ['theirs']);
});

t.test('a region that the account is kept out of is named, and the others are looked at', async (t) => {
  const clock = fakeClock();
  const [open, closed] = [new FakeEc2({ clock }), new FakeEc2({ clock })];
  closed.instances = () => Promise.reject(new BakeError({ code: 'Ec2Denied', message: 'these credentials may not call ec2:DescribeInstances' }));
  open.regions = () => Promise.resolve(['eu-fake-1', 'me-fake-1']);
  const { id } = await open.runInstance({ clientToken: 'a', imageId: 'ami-00000001', type: 't3.small', place: {}, securityGroupIds: [], blockDevices: [], metadata: { tokens: 'required' }, tags: { 'bake:run': 'r1', 'bake:state': 'temporary' } });
  const regions = volumeRegionsOf(regionsOf(({ region }) => (region === 'me-fake-1' ? closed : open)), () => new FakeVolumes(open, { clock }));
  const unseen: string[] = [];
  const host = { clock, signal, regions: ['all'] } as unknown as ScanHost;
  t.match(await scanEc2(host, (place, error) => { unseen.push(`${place}: ${(error as Error).message}`); }, regions, () => new FakeProfiles()), [{ kind: 'instance', title: new RegExp(id) }]);
  t.match(unseen, [/me-fake-1: these credentials may not/]);
});

t.test('without credentials nothing is found, unless somebody asked for a region', async (t) => {
  class Locked extends FakeEc2 {
    override instances(): never { throw new BakeError({ code: 'Ec2NoCredentials', message: 'there are no AWS credentials' }); }
  }
  const locked = new Locked({ clock: fakeClock() });
  const regions = volumeRegionsOf(regionsOf(() => locked), () => new FakeVolumes(locked, { clock: fakeClock() }));
  t.same(await scanEc2({ clock: fakeClock(), signal } as unknown as ScanHost, fail, regions, () => new FakeProfiles()), []);
  await t.rejects(scanEc2({ clock: fakeClock(), signal, regions: ['eu-west-1'] } as unknown as ScanHost, fail, regions, () => new FakeProfiles()), { code: 'Ec2NoCredentials' });
});
