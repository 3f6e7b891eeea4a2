import t, { type Test } from 'tap';
import { BakeError } from '../../../lib/core/bake-error.js';
import { FakeEc2 } from '../../../lib/platforms/ec2/engine/fake-ec2.js';
import { FakeVolumes, type FakeVolumesOptions } from '../../../lib/platforms/ec2/engine/fake-volumes.js';
import type { ImagePort } from '../../../lib/platforms/ec2/engine/image-port.js';
import { regionsOf } from '../../../lib/platforms/ec2/engine/region.js';
import { registeredAmiHandler } from '../../../lib/platforms/ec2/engine/registered-ami-handler.js';
import { snapshotHandler } from '../../../lib/platforms/ec2/engine/snapshot-handler.js';
import { snapshotSharingHandler } from '../../../lib/platforms/ec2/engine/snapshot-sharing-handler.js';
import { swappedRootHandler } from '../../../lib/platforms/ec2/engine/swapped-root-handler.js';
import { volumeHandler } from '../../../lib/platforms/ec2/engine/volume-handler.js';
import { volumeRegionsOf } from '../../../lib/platforms/ec2/engine/volume-region.js';
import { volumeSetHandler } from '../../../lib/platforms/ec2/engine/volume-set-handler.js';
import type { RegisteredAmiSpec } from '../../../lib/platforms/ec2/volume-steps.js';
import { fakeClock } from '../../engine/fake-world.js';
import { stepContext } from '../../support/step-context.js';

/** Does each call twice, as if the first answer had not come. */
class Repeating extends FakeVolumes {
  override async createSnapshot(...request: Parameters<FakeVolumes['createSnapshot']>) {
    await super.createSnapshot(...request);
    return super.createSnapshot(...request);
  }
  override async register(...request: Parameters<FakeVolumes['register']>) {
    await super.register(...request);
    return super.register(...request);
  }
  override async detach(...request: Parameters<FakeVolumes['detach']>) {
    await super.detach(...request);
    return super.detach(...request);
  }
  override async attach(...request: Parameters<FakeVolumes['attach']>) {
    await super.attach(...request);
    return super.attach(...request);
  }
}

const access = {};

/** An instance with two volumes, and what looks after them. */
async function world(t: Test, { Volumes = FakeVolumes, tags = { 'bake:run': 'run-1' }, ...options }: Partial<FakeVolumesOptions> & { readonly Volumes?: typeof FakeVolumes; readonly tags?: Readonly<Record<string, string>> } = {}) {
  const clock = fakeClock();
  const ec2 = new FakeEc2({ clock, stateAfter: 20_000 });
  const storage = new Volumes(ec2, { clock, stateAfter: 20_000, visibleAfter: 3_000, ...options });
  const regions = regionsOf(() => ec2);
  const ctx = stepContext(t, { clock });
  const { id: instanceId } = await ec2.runInstance({ clientToken: 'x', imageId: 'ami-00000001', type: 't3.small', place: {}, securityGroupIds: [], metadata: { tokens: 'required' }, tags, blockDevices: [{ deviceName: '/dev/xvda' }, { deviceName: '/dev/sdf' }] });
  await clock.sleep(20_000);
  return { clock, ec2, storage, regions, volumes: volumeRegionsOf(regions, () => storage), ctx, instanceId, spec: { access, instanceId, deviceName: '/dev/sdf' } };
}

const registered = (snapshotId: string): RegisteredAmiSpec => ({ access, name: 'web-1', namePrefix: 'web', replace: false, architecture: 'x86_64', rootDeviceName: '/dev/xvda', devices: [{ deviceName: '/dev/xvda', snapshotId }], ena: true, sriov: false, snapshots: [snapshotId] });

t.test('what a repeated call has made is found, and nothing is there twice', async (t) => {
  const { ec2, storage, regions, volumes, ctx, instanceId, spec } = await world(t, { Volumes: Repeating });
  const snapshot = await snapshotHandler(volumes).acquire(spec, ctx);
  t.same(storage.things, [snapshot.id]);
  const image = await registeredAmiHandler(regions, () => storage).acquire(registered(snapshot.id), ctx);
  t.same(ec2.things.filter((id) => id.startsWith('ami-')), [image.id]);
  t.same(image.snapshots, [snapshot.id]);
  await t.rejects(registeredAmiHandler(regions, () => storage).acquire({ ...registered(snapshot.id), name: 'base-1' }, ctx), { code: 'AmiNameTaken' });
  const swapped = await swappedRootHandler(volumes).acquire({ access, instanceId, sourceDeviceName: '/dev/sdf', rootDeviceName: '/dev/xvda', omit: ['/dev/xvda'] }, ctx);
  t.match(await storage.volumes({ instanceId }), [{ id: swapped.volumeId, attached: { deviceName: '/dev/xvda', endsWithInstance: true } }]);
  t.same(storage.things, [snapshot.id], 'the old root is gone');
});

t.test('an image goes before its snapshot, and neither takes the other with it', async (t) => {
  const { ec2, storage, regions, volumes, ctx, spec } = await world(t);
  const [snapshots, images] = [snapshotHandler(volumes), registeredAmiHandler(regions, () => storage)];
  const snapshot = await snapshots.acquire(spec, ctx);
  const image = await images.acquire(registered(snapshot.id), ctx);
  t.ok(await images.holds!(image, ctx));
  t.ok(await snapshots.holds!(snapshot, ctx));
  await t.rejects(snapshots.release(snapshot, ctx), { code: 'Ec2InUse' });
  await images.release(image, ctx);
  t.same(storage.things, [snapshot.id]);
  await snapshots.release(snapshot, ctx);
  await snapshots.release(snapshot, ctx);
  t.notOk(await snapshots.holds!(snapshot, ctx));
  t.same([...storage.things, ...ec2.things.filter((id) => id.startsWith('ami-'))], []);
});

t.test('a volume that stays outlives its instance, and one that is released goes with it or after it', async (t) => {
  for (const when of ['before', 'while', 'after'] as const) {
    const { clock, ec2, storage, volumes, ctx, instanceId, spec } = await world(t);
    const handler = volumeHandler(volumes);
    const volume = await handler.acquire({ ...spec, tags: { role: 'data' } }, ctx);
    t.match(await storage.volumes({ ids: [volume.id] }), [{ tags: { 'role': 'data', 'bake:token': ctx.token }, attached: { endsWithInstance: false } }]);
    t.match(await handler.find(ctx.token, spec, ctx), volume);
    if (when === 'before') await handler.release(volume, ctx);
    await ec2.terminateInstance(instanceId);
    if (when === 'while') await handler.release(volume, ctx);
    await clock.sleep(20_000);
    if (when === 'after') {
      t.ok(await handler.holds!(volume, ctx));
      await handler.release(volume, ctx);
    }
    t.same(storage.things, [], when);
    t.notOk(await handler.holds!(volume, ctx));
    await handler.release(volume, ctx);
  }
});

t.test("a volume that somebody else's instance has stays", async (t) => {
  const { storage, volumes, ctx, spec } = await world(t, { tags: {} });
  const handler = volumeHandler(volumes);
  const volume = await handler.acquire(spec, ctx);
  await t.rejects(handler.release(volume, ctx), { code: 'VolumeInUse', message: /which is not of bake/ });
  t.same(storage.things, [volume.id]);
});

t.test('a device that is not there is told, with those that are', async (t) => {
  const { volumes, ctx, spec } = await world(t);
  await t.rejects(snapshotHandler(volumes).acquire({ ...spec, deviceName: '/dev/sdz' }, ctx), { code: 'NoSuchDevice', message: /no volume \/dev\/sdz, but \/dev\/xvda, \/dev\/sdf/ });
});

t.test('a change that EC2 goes on refusing is given up', async (t) => {
  class Refusing extends FakeVolumes {
    override detach() {
      return Promise.reject(new BakeError({ code: 'Ec2InUse', message: 'IncorrectState' }));
    }
  }
  const { volumes, ctx, instanceId } = await world(t, { Volumes: Refusing });
  await t.rejects(swappedRootHandler(volumes).acquire({ access, instanceId, sourceDeviceName: '/dev/sdf', rootDeviceName: '/dev/xvda', omit: [] }, ctx), { code: 'Ec2InUse' });
});

t.test('what stays is stamped as finished, told as one, and holds while all of it is there', async (t) => {
  const { storage, volumes, ctx, spec } = await world(t);
  const [volume, snapshot] = [await volumeHandler(volumes).acquire(spec, ctx), await snapshotHandler(volumes).acquire(spec, { ...ctx, token: 'run-1-9876543210' })];
  const handler = volumeSetHandler(volumes);
  const set = await handler.acquire({ access, volumes: [volume], snapshots: [snapshot], zone: 'eu-fake-1a', sourceAmi: 'ami-00000001', sourceAmiName: 'base-1' }, ctx);
  t.match(set.artifact, { type: 'ec2.volumes', id: `eu-fake-1:${volume.id},eu-fake-1:${snapshot.id}`, title: /volumes .*\(\/dev\/sdf\).* in eu-fake-1/, data: { region: 'eu-fake-1', zone: 'eu-fake-1a', volumes: { '/dev/sdf': volume.id }, snapshots: { '/dev/sdf': snapshot.id } } });
  t.match([...await storage.volumes({ ids: [volume.id] }), ...await storage.snapshots({ ids: [snapshot.id] })], [{ tags: { 'bake:state': 'finished' } }, { tags: { 'bake:state': 'finished' } }]);
  t.ok(await handler.holds!(set, ctx));
  await storage.deleteSnapshot(snapshot.id);
  t.notOk(await handler.holds!(set, ctx));
});

t.test('of a new snapshot that nobody else may use nothing is asked, and what an earlier run has set is taken back', async (t) => {
  const asked: unknown[][] = [];
  const port = { makePrivate: async (...args: unknown[]) => { asked.push(['makePrivate', ...args.slice(0, 2)]); }, shareSnapshot: async (...args: unknown[]) => { asked.push(['share', ...args.slice(0, 2)]); } } as unknown as ImagePort;
  const handler = snapshotSharingHandler(() => port);
  const ctx = stepContext(t, { clock: fakeClock() });
  await handler.run({ access, snapshotId: 'snap-1', token: 'run-1-0123456789' }, ctx);
  t.strictSame(asked, []);
  await handler.run({ access, snapshotId: 'snap-1', token: 'run-0-0123456789', users: ['123456789012'] }, ctx);
  t.match(asked, [['makePrivate', undefined, ['snap-1']], ['share', 'snap-1', { users: ['123456789012'] }]]);
});
