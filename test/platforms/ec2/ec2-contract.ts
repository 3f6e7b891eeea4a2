import type { Test } from 'tap';
import { BakeError } from '../../../lib/core/bake-error.js';
import type { Ec2Port, InstanceRequest } from '../../../lib/platforms/ec2/engine/ec2-port.js';

export interface Ec2Subject {
  readonly ec2: Ec2Port;
  /** An image that instances can be started from. */
  readonly base: string;
  /** Lets the time pass that states take. */
  readonly settle: () => Promise<void>;
  /** What the server is known to do otherwise; the rule is not held to it. */
  readonly differs?: ReadonlySet<'client tokens' | 'image names' | 'groups in use' | 'removed images'>;
}

const signal = new AbortController().signal;
const codeOf = (work: Promise<unknown>) => work.then(() => 'ok', (error: unknown) => BakeError.from(error).code);

/** What every `Ec2Port` promises, the real one and the fake; the rules' numbers are those of fake-ec2.md. */
export async function ec2Contract(t: Test, { ec2, base, settle, differs = new Set() }: Ec2Subject): Promise<void> {
  const tags = (name: string) => ({ 'bake:token': `${name}-${process.pid}`, 'bake:state': 'temporary' });
  const group = await ec2.createSecurityGroup({ name: `bake-contract-${process.pid}`, tags: tags('group') }, signal);
  await ec2.allow(group, 22, ['203.0.113.7/32', '2001:db8::7/128'], signal);
  await ec2.allow(group, 22, ['203.0.113.7/32', '2001:db8::7/128'], signal); // the first answer was lost
  const request: InstanceRequest = { clientToken: `token-${process.pid}`, imageId: base, type: 't3.small', place: {}, securityGroupIds: [group], blockDevices: [], metadata: { tokens: 'required' }, tags: tags('instance'), userData: Buffer.from('#cloud-config\n') };
  await ec2.checkInstance(request, signal);
  t.same(await ec2.instances({ tags: tags('instance') }, signal), [], 'a dry run starts nothing');

  const { id } = await ec2.runInstance(request, signal);
  if (!differs.has('client tokens')) t.equal((await ec2.runInstance(request, signal)).id, id, '3: a client token stands for one instance');
  await settle();
  t.match(await ec2.instances({ ids: [id] }, signal), [{ id, state: 'running', type: 't3.small', publicIp: /^\d/, privateIp: /^\d/ }]);
  t.match(await ec2.instances({ tags: tags('instance') }, signal), [{ id, tags: tags('instance') }], '2: tags are there from the creation');
  t.match(await ec2.instances({ tags: { 'bake:token': '*', 'bake:state': 'temporary' } }, signal), [{ id }]);
  t.match(await ec2.securityGroups({ tags: tags('group') }, signal), [{ id: group }]);
  t.match(await ec2.securityGroups({ filters: { 'group-name': [`bake-contract-${process.pid}`] } }, signal), [{ id: group }]);
  if (!differs.has('groups in use')) t.equal(await codeOf(ec2.deleteSecurityGroup(group, signal)), 'Ec2InUse', '5');

  const [subnet] = await ec2.subnets({ filters: {} }, signal);
  t.match(await ec2.subnets({ ids: [subnet!.id] }, signal), [subnet]);
  t.match(await ec2.subnets({ filters: { 'vpc-id': [subnet!.vpcId], 'availability-zone': [subnet!.zone, 'another'] } }, signal), [{ id: /^subnet-/, vpcId: subnet!.vpcId, zone: subnet!.zone }]);
  t.equal(await codeOf(ec2.subnets({ ids: ['subnet-0123456789abcdef0'] }, signal)), 'Ec2NotFound', '8');
  t.same(await ec2.vpcs({ 'tag:kind': ['nothing like it'] }, signal), []);

  const template = `bake-template-${process.pid}`;
  await ec2.createLaunchTemplate(template, { ...request, imageId: 'ami-0123456789abcdef0', tags: tags('fleet') }, signal);
  await ec2.createLaunchTemplate(template, { ...request, tags: tags('fleet') }, signal); // 10: it takes the place of the other
  t.match(await ec2.launchTemplates({ tags: tags('fleet') }, signal), [{ name: template, tags: tags('fleet') }]);
  const spot = await ec2.runFleet({ template, strategy: 'price-capacity-optimized', clientToken: `fleet-${process.pid}`, choices: [{ type: 't3.small', place: {} }, { type: 't3.large', place: {} }], tags: tags('fleet') }, signal);
  await ec2.deleteLaunchTemplate(template, signal);
  t.same(await ec2.launchTemplates({ tags: tags('fleet') }, signal), []);
  t.equal(await codeOf(ec2.deleteLaunchTemplate(template, signal)), 'ok', '7');
  await settle();
  t.match(await ec2.instances({ tags: tags('fleet') }, signal), [{ id: spot.id, type: spot.type, state: 'running' }]);
  await ec2.terminateInstance(spot.id, signal);

  const publicKey = 'ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIBkUCu1F9p0AZNqQ9lqL4TTTeBGMKyFgDgzDUwzGRTEt bake';
  const keyPair = { name: `bake-key-${process.pid}`, publicKey, tags: tags('key') };
  await ec2.importKeyPair(keyPair, signal);
  t.equal(await codeOf(ec2.importKeyPair(keyPair, signal)), 'Ec2NameTaken');
  t.match(await ec2.keyPairs({ tags: tags('key') }, signal), [{ name: keyPair.name }]);
  await ec2.deleteKeyPair(keyPair.name, signal);
  t.same(await ec2.keyPairs({ tags: tags('key') }, signal), []);
  t.equal(await codeOf(ec2.deleteKeyPair(keyPair.name, signal)), 'ok', '7');

  await ec2.stopInstance(id, signal);
  await settle();
  t.match(await ec2.instances({ ids: [id] }, signal), [{ state: 'stopped' }], '4');
  const image = await ec2.createImage({ instanceId: id, name: `bake contract ${process.pid}`, noReboot: false, blockDevices: [], tags: tags('image') }, signal);
  await settle();
  const [made] = await ec2.images({ ids: [image] }, signal);
  t.match(made, { id: image, name: `bake contract ${process.pid}`, state: 'available', tags: tags('image') });
  t.equal(made?.snapshots.length, 1);
  t.match(await ec2.images({ owners: ['self'], filters: { name: [`bake contract ${process.pid}`] } }, signal), [{ id: image }]);
  t.match(await ec2.images({ owners: ['self'], filters: { 'tag:bake:token': [tags('image')['bake:token']] } }, signal), [{ id: image }]);
  if (!differs.has('image names')) t.equal(await codeOf(ec2.createImage({ instanceId: id, name: `bake contract ${process.pid}`, noReboot: false, blockDevices: [], tags: {} }, signal)), 'Ec2NameTaken', '6');
  await ec2.tag([image, ...made!.snapshots], { 'bake:state': 'finished' }, signal);
  t.match((await ec2.images({ ids: [image] }, signal))[0]?.tags, { 'bake:state': 'finished', 'bake:token': /image/ });

  await ec2.terminateInstance(id, signal);
  await settle();
  t.match(await ec2.instances({ ids: [id] }, signal), [{ state: 'terminated' }]);
  await ec2.terminateInstance(id, signal);
  await ec2.deleteSecurityGroup(group, signal);
  await ec2.deregisterImage(image, made!.snapshots, signal);
  t.equal(await codeOf(ec2.terminateInstance('i-0123456789abcdef0', signal)), 'ok', '7: what is not there is removed already');
  t.equal(await codeOf(ec2.deleteSecurityGroup(group, signal)), 'ok', '7');
  t.equal(await codeOf(ec2.deregisterImage(image, made!.snapshots, signal)), 'ok', '7');

  if (!differs.has('removed images')) t.equal(await codeOf(ec2.images({ ids: [image] }, signal)), 'Ec2NotFound', '9');
  t.equal(await codeOf(ec2.instances({ ids: [id, 'i-0123456789abcdef0'] }, signal)), 'Ec2NotFound', '9');
  t.equal(await codeOf(ec2.runInstance({ ...request, clientToken: 'other', imageId: 'ami-0123456789abcdef0' }, signal)), 'Ec2NotFound', '8');
}
