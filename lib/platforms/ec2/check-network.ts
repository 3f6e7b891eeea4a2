import type { Fault } from './check-ec2-props.js';
import type { Ec2MachineProps } from './ec2-props.js';

type Check = readonly [given: unknown, other: unknown, name: string, otherName: string];

/** Finds what is said twice about where the machine is and who reaches it, and what cannot be. */
export function checkNetwork(props: Ec2MachineProps, fault: Fault): void {
  const { securityGroupIds, securityGroupFilter, allowFrom, subnetId, subnetFilter, vpcId, vpcFilter, availabilityZone, address, associatePublicIp } = props;
  const twice: readonly Check[] = [
    [subnetId, subnetFilter, 'subnetId', 'subnetFilter'], [subnetId, availabilityZone, 'subnetId', 'availabilityZone'], [vpcId, vpcFilter, 'vpcId', 'vpcFilter'],
    [securityGroupIds, securityGroupFilter, 'securityGroupIds', 'securityGroupFilter'],
  ];
  for (const [given, other, name, otherName] of twice) if (given !== undefined && other !== undefined) fault('ConflictingProps', `"${name}" and "${otherName}" say the same thing`, 'leave one of them out');
  for (const name of ['subnetFilter', 'vpcFilter', 'securityGroupFilter'] as const) if (props[name] !== undefined && Object.keys(props[name]).length === 0) fault('InvalidProp', `"${name}" has no filter, so that anything would match`, `write ${name}: { 'tag:Name': 'build' }, or leave it out`);
  const groups = securityGroupIds === undefined ? 'securityGroupFilter' : 'securityGroupIds';
  if (props[groups] !== undefined && allowFrom !== undefined) fault('ConflictingProps', `"allowFrom" is for the temporary security group, and "${groups}" is used instead of it`, 'leave one of them out');
  if (securityGroupIds?.length === 0) fault('InvalidProp', '"securityGroupIds" is empty', 'leave it out for a temporary group');
  if (Array.isArray(availabilityZone) && availabilityZone.length === 0) fault('InvalidProp', '"availabilityZone" is empty', 'leave it out, and EC2 chooses');
  if (props.placement?.hostId !== undefined && props.tenancy !== 'host') fault('ConflictingProps', '"placement.hostId" is a dedicated host, and the tenancy is another one', "add tenancy: 'host'");
  if (address === 'ipv6' && props.ipv6 === false) fault('ConflictingProps', 'the machine gets no IPv6 address, and it is to be reached by one', "leave ipv6: false out, or choose another address");
  if (address === 'session-manager') {
    if (allowFrom !== undefined) fault('ConflictingProps', '"allowFrom" lets somebody in, and through Session Manager nobody has to be', 'leave one of them out');
    for (const name of ['host', 'bastion', 'proxy'] as const) if (props.ssh[name] !== undefined) fault('ConflictingProps', `"ssh.${name}" is one way to the machine, and Session Manager is another`, 'leave one of them out');
  }
  if (associatePublicIp === false && (address === undefined || address === 'public-ip' || address === 'public-dns')) fault('ConflictingProps', 'the instance gets no public address, and it is to be reached by one', "write address: 'private-ip'");
}
