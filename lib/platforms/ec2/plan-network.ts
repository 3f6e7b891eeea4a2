import type { BuildPlanner, StepOptions } from '../../image/compile.js';
import type { Ec2Filters, Ec2MachineProps } from './ec2-props.js';
import { type Ec2Access, ec2Network, ec2SecurityGroup } from './steps.js';

/** Where a machine is put, and who may reach it. */
export interface PlannedNetwork {
  /** For the spec of the machine. */
  readonly place: { readonly subnetIds?: unknown; readonly availabilityZones?: readonly string[] };
  /** Plans the temporary group, unless others are given; for the spec of the machine. */
  readonly securityGroupIds: (first: StepOptions) => unknown;
}

/** Plans the look for what is not named by its id. */
export function planNetwork(build: Pick<BuildPlanner, 'step'>, props: Ec2MachineProps, access: Ec2Access, tags: Readonly<Record<string, string>>): PlannedNetwork {
  const { subnetId, subnetFilter, vpcId, vpcFilter, availabilityZone, securityGroupIds, securityGroupFilter, allowFrom, address = 'public-ip', ssh } = props;
  const availabilityZones = typeof availabilityZone === 'string' ? [availabilityZone] : availabilityZone;
  const isLooked = subnetFilter !== undefined || vpcFilter !== undefined || securityGroupFilter !== undefined || (vpcId !== undefined && subnetId === undefined);
  const network = isLooked ? build.step('Network', {
    kind: ec2Network, title: 'VPC and subnets',
    spec: {
      access, vpcId, vpcFilter: listsOf(vpcFilter), subnetFilter: subnetId === undefined ? listsOf(subnetFilter) : { 'subnet-id': [subnetId] }, securityGroupFilter: listsOf(securityGroupFilter), availabilityZones,
    },
  }) : undefined;
  const isPrivate = address === 'private-ip' || address === 'private-dns';
  const inVpc = network === undefined ? { vpcId, subnetId } : { vpcId: network.ref('vpcId') };
  return {
    place: network !== undefined ? { subnetIds: network.ref('subnetIds') } : subnetId !== undefined ? { subnetIds: [subnetId] } : availabilityZones === undefined ? {} : { availabilityZones },
    securityGroupIds: (first) => {
      if (securityGroupFilter !== undefined) return network!.ref('securityGroupIds');
      // Its agent calls out, and nobody has to be let in.
      if (address === 'session-manager') return securityGroupIds;
      return securityGroupIds ?? [build.step('SecurityGroup', { kind: ec2SecurityGroup, title: 'temporary security group', spec: { access, ...inVpc, port: ssh.port ?? 22, allowFrom, isPrivate, tags } }, first).ref('id')];
    },
  };
}

function listsOf(filters: Ec2Filters | undefined): Readonly<Record<string, readonly string[]>> | undefined {
  return filters && Object.fromEntries(Object.entries(filters).map(([name, value]) => [name, typeof value === 'string' ? [value] : value]));
}
