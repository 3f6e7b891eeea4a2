import type { Snapshot, Volume } from '@aws-sdk/client-ec2';
import type { Ec2Access } from '../steps.js';
import type { RegisteredDevice } from '../volume-steps.js';
import { calling, orGone, pages } from './aws-call.js';
import { type Ec2Client, onePerAccess, openEc2 } from './aws-client.js';
import { tagFilters, tagsFrom, tagsOf } from './aws-tags.js';
import type { Tags } from './ec2-port.js';
import type { RegisterRequest, SnapshotFacts, SnapshotRequest, VolumeFacts, VolumePort } from './volume-port.js';

/** Amazon's. */
export const awsVolumes = onePerAccess((access): VolumePort => new AwsVolumes(access));

class AwsVolumes implements VolumePort {
  readonly #open: () => Promise<Ec2Client>;

  constructor(access: Ec2Access) {
    this.#open = () => openEc2(access);
  }

  async volumes(query: { readonly ids: readonly string[] } | { readonly tags: Tags } | { readonly instanceId: string }, abortSignal: AbortSignal): Promise<readonly VolumeFacts[]> {
    const { sdk, client } = await this.#open();
    const input = 'ids' in query ? { VolumeIds: [...query.ids] } : { Filters: 'tags' in query ? tagFilters(query.tags) : [{ Name: 'attachment.instance-id', Values: [query.instanceId] }] };
    return pages((NextToken) => calling('DescribeVolumes', () => client.send(new sdk.DescribeVolumesCommand({ ...input, NextToken }), { abortSignal })), ({ Volumes = [] }) => Volumes.map(volumeFacts));
  }

  async setEnd(instanceId: string, deviceName: string, endsWithInstance: boolean, abortSignal: AbortSignal): Promise<void> {
    const { sdk, client } = await this.#open();
    await calling('ModifyInstanceAttribute', () => client.send(new sdk.ModifyInstanceAttributeCommand({
      InstanceId: instanceId, BlockDeviceMappings: [{ DeviceName: deviceName, Ebs: { DeleteOnTermination: endsWithInstance } }],
    }), { abortSignal }));
  }

  async detach(volumeId: string, instanceId: string, abortSignal: AbortSignal): Promise<void> {
    const { sdk, client } = await this.#open();
    await calling('DetachVolume', () => client.send(new sdk.DetachVolumeCommand({ VolumeId: volumeId, InstanceId: instanceId }), { abortSignal }));
  }

  async attach(volumeId: string, instanceId: string, deviceName: string, abortSignal: AbortSignal): Promise<void> {
    const { sdk, client } = await this.#open();
    await calling('AttachVolume', () => client.send(new sdk.AttachVolumeCommand({ VolumeId: volumeId, InstanceId: instanceId, Device: deviceName }), { abortSignal }));
  }

  async deleteVolume(id: string, abortSignal: AbortSignal): Promise<void> {
    const { sdk, client } = await this.#open();
    await orGone(() => calling('DeleteVolume', () => client.send(new sdk.DeleteVolumeCommand({ VolumeId: id }), { abortSignal })));
  }

  async createSnapshot({ volumeId, description, tags }: SnapshotRequest, abortSignal: AbortSignal): Promise<string> {
    const { sdk, client } = await this.#open();
    const { SnapshotId = '' } = await calling('CreateSnapshot', () => client.send(new sdk.CreateSnapshotCommand({
      VolumeId: volumeId, Description: description, TagSpecifications: [{ ResourceType: 'snapshot', Tags: tagsOf(tags) }],
    }), { abortSignal }));
    return SnapshotId;
  }

  async snapshots(query: { readonly ids: readonly string[] } | { readonly tags: Tags }, abortSignal: AbortSignal): Promise<readonly SnapshotFacts[]> {
    const { sdk, client } = await this.#open();
    const input = 'ids' in query ? { SnapshotIds: [...query.ids] } : { OwnerIds: ['self'], Filters: tagFilters(query.tags) };
    return pages((NextToken) => calling('DescribeSnapshots', () => client.send(new sdk.DescribeSnapshotsCommand({ ...input, NextToken }), { abortSignal })), ({ Snapshots = [] }) => Snapshots.map(snapshotFacts));
  }

  async deleteSnapshot(id: string, abortSignal: AbortSignal): Promise<void> {
    const { sdk, client } = await this.#open();
    await orGone(() => calling('DeleteSnapshot', () => client.send(new sdk.DeleteSnapshotCommand({ SnapshotId: id }), { abortSignal })));
  }

  async register({ name, description, architecture, rootDeviceName, devices, bootMode, uefiData, tpmSupport, ena, sriov, tags }: RegisterRequest, abortSignal: AbortSignal): Promise<string> {
    const { sdk, client } = await this.#open();
    const { ImageId = '' } = await calling('RegisterImage', () => client.send(new sdk.RegisterImageCommand({
      Name: name, Description: description, Architecture: architecture as never, VirtualizationType: 'hvm', RootDeviceName: rootDeviceName, BlockDeviceMappings: devices.map(mappingOf),
      BootMode: bootMode, UefiData: uefiData, TpmSupport: tpmSupport, EnaSupport: ena, SriovNetSupport: sriov ? 'simple' : undefined, TagSpecifications: [{ ResourceType: 'image', Tags: tagsOf(tags) }],
    }), { abortSignal }));
    return ImageId;
  }
}

/** What is made of a snapshot is encrypted as that is: EC2 takes no word about it. */
function mappingOf({ deviceName, snapshotId, size, type = 'gp3', iops, throughput, encrypted, kmsKeyId, deleteOnTermination = true }: RegisteredDevice) {
  return {
    DeviceName: deviceName,
    Ebs: {
      SnapshotId: snapshotId, VolumeSize: size, VolumeType: type, Iops: iops, Throughput: throughput, DeleteOnTermination: deleteOnTermination,
      ...(snapshotId === undefined ? { Encrypted: encrypted, KmsKeyId: kmsKeyId } : {}),
    },
  };
}

function volumeFacts({ VolumeId = '', State = 'creating', AvailabilityZone = '', Attachments = [], Tags: tags }: Volume): VolumeFacts {
  const attachment = Attachments.find((one) => one.State !== 'detached' && one.InstanceId !== undefined);
  return {
    id: VolumeId, state: State === 'deleted' ? 'deleting' : State, zone: AvailabilityZone, tags: tagsFrom(tags),
    ...(attachment === undefined ? {} : { attached: {
      instanceId: attachment.InstanceId ?? '', deviceName: attachment.Device ?? '', ...(attachment.DeleteOnTermination === undefined ? {} : { endsWithInstance: attachment.DeleteOnTermination }),
    } }),
  };
}

function snapshotFacts({ SnapshotId = '', VolumeId = '', State, StateMessage: reason, Tags: tags }: Snapshot): SnapshotFacts {
  return { id: SnapshotId, volumeId: VolumeId, state: State === 'completed' || State === 'pending' ? State : 'failed', ...(reason === undefined || reason === '' ? {} : { reason }), tags: tagsFrom(tags) };
}
