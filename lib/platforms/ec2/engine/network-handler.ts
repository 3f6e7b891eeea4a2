import type * as z from 'zod';
import { BakeError } from '../../../core/bake-error.js';
import type { ActionHandler, StepContext } from '../../../engine/handler.js';
import type { ec2Network } from '../steps.js';
import type { Filters, SubnetFacts } from './ec2-port.js';
import type { Region, RegionFor } from './region.js';

type Spec = z.output<(typeof ec2Network)['spec']>;
export type Network = { readonly vpcId: string; readonly subnetIds: readonly string[]; readonly securityGroupIds: readonly string[] };

/** Finds VPC, subnets and groups by what they are tagged with. */
export function networkHandler(regionFor: RegionFor): ActionHandler<Spec, Network> {
  return {
    async run(spec, ctx) {
      const region = regionFor(spec.access);
      const given = spec.vpcId ?? (spec.vpcFilter === undefined ? undefined : await oneVpc(spec.vpcFilter, region, ctx));
      const subnets = await subnetsOf(spec, given, region, ctx);
      const vpcId = subnets[0]!.vpcId;
      ctx.log(`${vpcId}, ${subnets.map(({ id, zone }) => `${id} in ${zone}`).join(', ')}`, 'info');
      return { vpcId, subnetIds: subnets.map(({ id }) => id), securityGroupIds: spec.securityGroupFilter === undefined ? [] : await groupsOf(spec.securityGroupFilter, vpcId, region, ctx) };
    },
  };
}

async function oneVpc(filters: Filters, { ec2 }: Region, { signal }: StepContext): Promise<string> {
  const found = await ec2.vpcs(filters, signal);
  if (found.length === 1) return found[0]!;
  throw new BakeError({
    code: found.length === 0 ? 'Ec2NotFound' : 'AmbiguousVpc', message: `${found.length === 0 ? 'no VPC' : `${found.length} VPCs (${found.join(', ')})`} in ${await ec2.region()} ${found.length === 0 ? 'has' : 'have'} ${describe(filters)}`,
    hint: 'look at vpcFilter, the region and the account; vpcId names one',
  });
}

/** Those of one VPC, from the one with the most free addresses on: the others are for when there is no capacity in its zone. */
async function subnetsOf({ subnetFilter = {}, availabilityZones }: Spec, vpcId: string | undefined, { ec2 }: Region, { signal }: StepContext): Promise<readonly SubnetFacts[]> {
  const filters = { ...subnetFilter, ...(vpcId === undefined ? {} : { 'vpc-id': [vpcId] }), ...(availabilityZones === undefined ? {} : { 'availability-zone': availabilityZones }) };
  const found = [...await ec2.subnets({ filters }, signal)].sort((a, b) => b.free - a.free || (a.id < b.id ? -1 : 1));
  if (found.length === 0) throw new BakeError({ code: 'Ec2NotFound', message: `no subnet in ${await ec2.region()} has ${describe(filters)}`, hint: 'look at subnetFilter, the VPC, the zones, the region and the account; subnetId names one' });
  const usable = found.filter(({ vpcId: id, free }) => id === found[0]!.vpcId && free > 0);
  if (usable.length === 0) throw new BakeError({ code: 'NoFreeAddress', source: 'platform', message: `${found.map(({ id }) => id).join(', ')}: no address is free`, hint: 'remove what is not needed there, or choose another subnet' });
  return usable;
}

async function groupsOf(filters: Filters, vpcId: string, { ec2 }: Region, { signal }: StepContext): Promise<readonly string[]> {
  const found = await ec2.securityGroups({ filters: { 'vpc-id': [vpcId], ...filters } }, signal);
  if (found.length > 0) return found.map(({ id }) => id);
  throw new BakeError({ code: 'Ec2NotFound', message: `no security group of ${vpcId} has ${describe(filters)}`, hint: 'look at securityGroupFilter, or leave it out for a temporary group' });
}

function describe(filters: Filters): string {
  return Object.entries(filters).map(([name, values]) => `${name}=${values.join(',')}`).join(' ');
}
