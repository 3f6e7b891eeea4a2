import type { CreateFleetCommandInput, RequestLaunchTemplateData } from '@aws-sdk/client-ec2';
import { runInput } from './aws-input.js';
import { tagsOf } from './aws-tags.js';
import type { FleetRequest, InstanceRequest } from './ec2-port.js';

/** What a launch template says of an instance whose type, place and price a fleet chooses. */
export function templateData(request: InstanceRequest): RequestLaunchTemplateData {
  const { MinCount: _min, MaxCount: _max, ClientToken: _token, InstanceType: _type, SubnetId: _subnet, Ipv6AddressCount: addresses, InstanceMarketOptions: _market, SecurityGroupIds, ...rest } = runInput({ ...request, place: {} });
  // Of IPv6 a template speaks only with a network interface, which then has the groups.
  const network = addresses === undefined ? { SecurityGroupIds } : { NetworkInterfaces: [{ DeviceIndex: 0, DeleteOnTermination: true, Groups: SecurityGroupIds, Ipv6AddressCount: addresses }] };
  return { ...network, ...rest };
}

/** A fleet of one spot instance that is asked for once. */
export function fleetInput({ template, strategy, choices, clientToken, maxPrice, tags }: FleetRequest): CreateFleetCommandInput {
  const isPrioritized = strategy === 'capacity-optimized-prioritized';
  return {
    Type: 'instant', ClientToken: clientToken, TargetCapacitySpecification: { TotalTargetCapacity: 1, DefaultTargetCapacityType: 'spot' }, SpotOptions: { AllocationStrategy: strategy },
    LaunchTemplateConfigs: [{
      LaunchTemplateSpecification: { LaunchTemplateName: template, Version: '$Latest' },
      Overrides: choices.map(({ type, place: { subnetId, availabilityZone } }, index) => ({ InstanceType: type as never, SubnetId: subnetId, AvailabilityZone: availabilityZone, MaxPrice: maxPrice, Priority: isPrioritized ? index : undefined })),
    }],
    TagSpecifications: [{ ResourceType: 'fleet', Tags: tagsOf(tags) }],
  };
}
