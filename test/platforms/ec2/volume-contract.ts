import type { Test } from 'tap';
import { BakeError } from '../../../lib/core/bake-error.js';
import type { Ec2Port } from '../../../lib/platforms/ec2/engine/ec2-port.js';
import type { VolumePort } from '../../../lib/platforms/ec2/engine/volume-port.js';

export interface VolumeSubject {
  readonly ec2: Ec2Port;
  readonly storage: VolumePort;
  /** An image that instances can be started from. */
  readonly base: string;
  /** Lets the time pass that states take. */
  readonly settle: () => Promise<void>;
  /** What the server is known to do otherwise; the rule is not held to it. */
  readonly differs?: ReadonlySet<'ended instances' | 'registered images' | 'image names' | 'ends with instance' | 'detached twice'>;
}

const signal = new AbortController().signal;
const codeOf = (work: Promise<unknown>) => work.then(() => 'ok', (error: unknown) => BakeError.from(error).code);

/** What every `VolumePort` promises, the real one and the fake; the rules' numbers are those of fake-volumes.md. */
export async function volumeContract(t: Test, { ec2, storage, base, settle, differs = new Set() }: VolumeSubject): Promise<void> {
  const tags = (name: string) => ({ 'bake:token': `${name}-${process.pid}`, 'bake:state': 'temporary' });
  const size = 1;
  const { id: instanceId } = await ec2.runInstance({
    clientToken: `volumes-${process.pid}`, imageId: base, type: 't3.small', place: {}, securityGroupIds: [], metadata: { tokens: 'required' }, tags: tags('instance'),
    blockDevices: [{ deviceName: '/dev/xvda', size }, { deviceName: '/dev/sdf', size }, { deviceName: '/dev/sdg', size }],
  }, signal);
  await settle();
  const volumes = await storage.volumes({ instanceId }, signal);
  t.same(volumes.map(({ attached }) => attached?.deviceName).sort(), ['/dev/sdf', '/dev/sdg', '/dev/xvda'], '1');
  t.match(await storage.volumes({ tags: tags('instance') }, signal), volumes.map(({ id }) => ({ id, state: 'in-use', zone: /\w/ })), '1');
  const at = (name: string) => volumes.find(({ attached }) => attached?.deviceName === name)!.id;
  const [root, source, goes] = [at('/dev/xvda'), at('/dev/sdf'), at('/dev/sdg')];
  t.equal(await codeOf(storage.deleteVolume(source, signal)), 'Ec2InUse', '3');
  if (!differs.has('ends with instance')) t.match(await storage.volumes({ ids: [source] }, signal), [{ attached: { endsWithInstance: true } }]);

  await ec2.stopInstance(instanceId, signal);
  await settle();
  await storage.detach(root, instanceId, signal);
  await storage.detach(source, instanceId, signal);
  await settle();
  t.match(await storage.volumes({ ids: [root, source] }, signal), [{ state: 'available', attached: undefined }, { state: 'available' }], '4');
  if (!differs.has('detached twice')) t.equal(await codeOf(storage.detach(root, instanceId, signal)), 'Ec2InUse', '4');
  await storage.attach(source, instanceId, '/dev/xvda', signal);
  await settle();
  t.match(await storage.volumes({ ids: [source] }, signal), [{ state: 'in-use', attached: { instanceId, deviceName: '/dev/xvda' } }], '4');
  await storage.deleteVolume(root, signal);
  t.equal(await codeOf(storage.volumes({ ids: [root] }, signal)), 'Ec2NotFound', '8');
  await storage.deleteVolume(root, signal);

  const [one, two] = [await storage.createSnapshot({ volumeId: source, description: 'contract', tags: tags('snapshot') }, signal), await storage.createSnapshot({ volumeId: source, tags: tags('snapshot') }, signal)];
  t.not(one, two, '5');
  await settle();
  t.same((await storage.snapshots({ tags: tags('snapshot') }, signal)).map(({ id }) => id).sort(), [one, two].sort(), '5');
  t.match(await storage.snapshots({ ids: [one] }, signal), [{ id: one, volumeId: source, state: 'completed', tags: tags('snapshot') }], '5');
  await ec2.tag([one, source], { 'bake:state': 'finished' }, signal);
  t.match(await storage.snapshots({ ids: [one] }, signal), [{ tags: { 'bake:state': 'finished' } }]);
  t.match(await storage.volumes({ ids: [source] }, signal), [{ tags: { 'bake:state': 'finished', 'bake:token': /instance/ } }]);

  const request = { name: `volume contract ${process.pid}`, architecture: 'x86_64', rootDeviceName: '/dev/xvda', devices: [{ deviceName: '/dev/xvda', snapshotId: one }, { deviceName: '/dev/sdi', size, encrypted: true }], bootMode: 'uefi', tpmSupport: 'v2.0', ena: true, sriov: false, tags: tags('image') } as const;
  const image = await storage.register(request, signal);
  await settle();
  t.match(await ec2.images({ ids: [image] }, signal), [{ id: image, name: request.name, state: 'available', ...(differs.has('registered images') ? {} : { tags: tags('image') }) }], '7');
  if (!differs.has('image names')) t.equal(await codeOf(storage.register(request, signal)), 'Ec2NameTaken', '7');
  if (!differs.has('registered images')) {
    t.equal(await codeOf(storage.register({ ...request, name: 'another', devices: [{ deviceName: '/dev/xvda', snapshotId: 'snap-0123456789abcdef0' }] }, signal)), 'Ec2NotFound', '7');
    t.equal(await codeOf(storage.deleteSnapshot(one, signal)), 'Ec2InUse', '6');
  }
  await ec2.deregisterImage(image, [], signal);
  for (const snapshot of [one, two, one]) await storage.deleteSnapshot(snapshot, signal);
  t.equal(await codeOf(storage.snapshots({ ids: [one] }, signal)), 'Ec2NotFound', '8');

  await storage.setEnd(instanceId, '/dev/xvda', true, signal);
  await storage.setEnd(instanceId, '/dev/xvda', false, signal);
  await ec2.terminateInstance(instanceId, signal);
  await settle();
  t.match(await storage.volumes({ ids: [source] }, signal), [{ state: 'available', attached: undefined }], '2');
  t.equal(await codeOf(storage.volumes({ ids: [goes] }, signal)), 'Ec2NotFound', '2');
  if (!differs.has('ended instances')) t.equal(await codeOf(storage.setEnd(instanceId, '/dev/xvda', true, signal)), 'Ec2InUse', '3');
  await storage.deleteVolume(source, signal);
}
