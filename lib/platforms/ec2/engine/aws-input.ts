import type { BlockDeviceMapping, CapacityReservationSpecification, InstanceMarketOptionsRequest, Placement, RunInstancesCommandInput } from '@aws-sdk/client-ec2';
import type { BlockDeviceSpec } from '../steps.js';
import { tagsOf } from './aws-tags.js';
import type { InstanceRequest } from './ec2-port.js';

/** What is asked for, in EC2's words. */
export function runInput(request: InstanceRequest): RunInstancesCommandInput {
  const { clientToken, imageId, type, instanceProfile, metadata, ebsOptimized, cpuCredits, spot, tags, userData, blockDevices, licenses, nitroEnclave, keyName } = request;
  return {
    ImageId: imageId, InstanceType: type as never, MinCount: 1, MaxCount: 1, ClientToken: clientToken, InstanceInitiatedShutdownBehavior: spot === undefined ? 'terminate' : undefined,
    ...networkOf(request), Placement: placementOf(request), CapacityReservationSpecification: reservationOf(request.capacityReservation), KeyName: keyName,
    BlockDeviceMappings: blockDevices.length === 0 ? undefined : blockDevices.map((device) => mappingOf(device, true)),
    IamInstanceProfile: instanceProfile === undefined ? undefined : instanceProfile.startsWith('arn:') ? { Arn: instanceProfile } : { Name: instanceProfile },
    MetadataOptions: { HttpTokens: metadata.tokens, HttpEndpoint: 'enabled', HttpPutResponseHopLimit: metadata.hopLimit, InstanceMetadataTags: metadata.tags === undefined ? undefined : metadata.tags ? 'enabled' : 'disabled' },
    EbsOptimized: ebsOptimized, CreditSpecification: cpuCredits === undefined ? undefined : { CpuCredits: cpuCredits },
    LicenseSpecifications: licenses?.map((LicenseConfigurationArn) => ({ LicenseConfigurationArn })), EnclaveOptions: nitroEnclave === undefined ? undefined : { Enabled: nitroEnclave },
    InstanceMarketOptions: spotOf(spot),
    TagSpecifications: (['instance', 'volume', 'network-interface', ...(spot === undefined ? [] : ['spot-instances-request' as const])] as const).map((ResourceType) => ({ ResourceType, Tags: tagsOf(tags) })),
    UserData: userData === undefined ? undefined : Buffer.from(userData).toString('base64'),
  };
}

/** Whether there is a public address can only be said of a network interface, which then has the groups and the subnet. */
function networkOf({ place: { subnetId }, associatePublicIp, ipv6, securityGroupIds }: InstanceRequest): Pick<RunInstancesCommandInput, 'SecurityGroupIds' | 'SubnetId' | 'Ipv6AddressCount' | 'NetworkInterfaces'> {
  const addresses = ipv6 === undefined ? undefined : Number(ipv6);
  if (associatePublicIp === undefined) return { SecurityGroupIds: securityGroupIds.length === 0 ? undefined : [...securityGroupIds], SubnetId: subnetId, Ipv6AddressCount: addresses };
  const first = { DeviceIndex: 0, AssociatePublicIpAddress: associatePublicIp, DeleteOnTermination: true, Groups: [...securityGroupIds], SubnetId: subnetId, Ipv6AddressCount: addresses };
  return { NetworkInterfaces: [first] };
}

function placementOf({ place: { availabilityZone }, tenancy, placement = {} }: InstanceRequest): Placement | undefined {
  const { group, partition, hostId, hostResourceGroupArn, affinity } = placement;
  const given: Placement = { AvailabilityZone: availabilityZone, Tenancy: tenancy, GroupName: group, PartitionNumber: partition, HostId: hostId, HostResourceGroupArn: hostResourceGroupArn, Affinity: affinity };
  return Object.values(given).every((value) => value === undefined) ? undefined : given;
}

function reservationOf(reservation: InstanceRequest['capacityReservation']): CapacityReservationSpecification | undefined {
  if (reservation === undefined) return undefined;
  if (typeof reservation === 'string') return { CapacityReservationPreference: reservation };
  return { CapacityReservationTarget: 'id' in reservation ? { CapacityReservationId: reservation.id } : { CapacityReservationResourceGroupArn: reservation.resourceGroupArn } };
}

function spotOf(spot: InstanceRequest['spot']): InstanceMarketOptionsRequest | undefined {
  return spot && { MarketType: 'spot', SpotOptions: { SpotInstanceType: 'one-time', InstanceInterruptionBehavior: 'terminate', MaxPrice: spot.maxPrice } };
}

/** A volume of an instance or of an image. */
export function mappingOf({ deviceName, size, type, iops, throughput, encrypted, kmsKeyId, snapshotId, noDevice }: BlockDeviceSpec, DeleteOnTermination: boolean): BlockDeviceMapping {
  if (noDevice === true) return { DeviceName: deviceName, NoDevice: '' };
  return { DeviceName: deviceName, Ebs: { DeleteOnTermination, VolumeType: type ?? 'gp3', VolumeSize: size, Iops: iops, Throughput: throughput, Encrypted: encrypted, KmsKeyId: kmsKeyId, SnapshotId: snapshotId } };
}

/**
 * A device of an image that is made of an instance. Of a volume that the instance has, EC2 lets nothing be said but whether it
 * ends with the machines of the image; what has a size or a snapshot is one that only those have.
 */
export function imageMappingOf(device: BlockDeviceSpec): BlockDeviceMapping {
  const { deviceName, size, snapshotId, noDevice, deleteOnTermination = true } = device;
  if (noDevice === true || size !== undefined || snapshotId !== undefined) return mappingOf(device, deleteOnTermination);
  return { DeviceName: deviceName, Ebs: { DeleteOnTermination: deleteOnTermination } };
}
