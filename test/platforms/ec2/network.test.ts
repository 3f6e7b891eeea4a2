import t, { type Test } from 'tap';
import { FakeEc2, type FakeEc2Options } from '../../../lib/platforms/ec2/engine/fake-ec2.js';
import { instanceHandler } from '../../../lib/platforms/ec2/engine/instance-handler.js';
import { networkHandler } from '../../../lib/platforms/ec2/engine/network-handler.js';
import { regionsOf } from '../../../lib/platforms/ec2/engine/region.js';
import type { InstanceSpec } from '../../../lib/platforms/ec2/steps.js';
import { fakeClock } from '../../engine/fake-world.js';
import { stepContext } from '../../support/step-context.js';

function world(t: Test, options: Partial<FakeEc2Options> = {}) {
  const clock = fakeClock();
  const ec2 = new FakeEc2({ clock, ...options });
  const regions = regionsOf(() => ec2);
  return { ec2, ctx: stepContext(t, { clock }), network: networkHandler(regions), instances: instanceHandler(regions) };
}

t.test('subnets that match are those of one VPC, from the one with the most room on', async (t) => {
  const { ctx, network } = world(t);
  t.same(await network.run({ access: {}, subnetFilter: { 'tag:tier': ['build'] } }, ctx), { vpcId: 'vpc-00000001', subnetIds: ['subnet-00000001', 'subnet-00000002'], securityGroupIds: [] });
  t.match(await network.run({ access: {}, vpcFilter: { 'tag:kind': ['build'] }, availabilityZones: ['eu-fake-1b'] }, ctx), { subnetIds: ['subnet-00000002'] });
  t.match(await network.run({ access: {}, vpcId: 'vpc-00000002' }, ctx), { subnetIds: ['subnet-00000003'] });
  t.match(await network.run({ access: {} }, ctx), { vpcId: 'vpc-00000002', subnetIds: ['subnet-00000003'] }, 'never of two VPCs');
});

t.test('what matches nothing or too much is said with what was asked for', async (t) => {
  const { ctx, network } = world(t);
  await t.rejects(network.run({ access: {}, subnetFilter: { 'tag:tier': ['bild'] } }, ctx), { code: 'Ec2NotFound', message: /eu-fake-1 has tag:tier=bild/ });
  await t.rejects(network.run({ access: {}, vpcFilter: { 'tag:kind': ['bild'] } }, ctx), { code: 'Ec2NotFound', message: /no VPC/ });
  await t.rejects(network.run({ access: {}, vpcFilter: { 'tag:kind': ['build', 'other'] } }, ctx), { code: 'AmbiguousVpc', message: /2 VPCs \(vpc-00000001, vpc-00000002\)/ });
  await t.rejects(network.run({ access: {}, securityGroupFilter: { 'tag:kind': ['ssh'] } }, ctx), { code: 'Ec2NotFound', message: /no security group of vpc-00000002/ });
});

t.test('where there is no capacity the next subnet is tried, then the next type', async (t) => {
  const spec: InstanceSpec = { access: {}, imageId: 'ami-00000001', types: ['t3.small', 't3.medium'], subnetIds: ['subnet-00000001', 'subnet-00000002'], address: 'public-ip', connection: { kind: 'ssh' } };
  const inSecond = world(t, { soldOut: ['t3.small subnet-00000001'] });
  t.match(await inSecond.instances.acquire(spec, inSecond.ctx), { type: 't3.small' });
  t.equal(inSecond.ec2.calls.filter((call) => call === 'RunInstances').length, 2);
  const other = world(t, { soldOut: ['t3.small'] });
  t.match(await other.instances.acquire(spec, other.ctx), { type: 't3.medium' });
  t.equal(other.ec2.calls.filter((call) => call === 'RunInstances').length, 3);
  const none = world(t, { soldOut: ['t3.small', 't3.medium'] });
  await t.rejects(none.instances.acquire(spec, none.ctx), { code: 'Ec2NoCapacity', message: /t3\.small in subnet-00000001, t3\.small in subnet-00000002, t3\.medium in/, hint: /zones or subnets/ });
});
