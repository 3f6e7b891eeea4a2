import type { Image } from '@aws-sdk/client-ec2';
import type { Ec2Access } from '../steps.js';
import { calling, orGone } from './aws-call.js';
import { type Ec2Client, openEc2 } from './aws-client.js';
import { tagsOf } from './aws-tags.js';
import type { CopyRequest, FastLaunchFacts, FastLaunchRequest, ImagePort, LaunchPermission } from './image-port.js';

/** Amazon's. */
export const awsImages = (access: Ec2Access): ImagePort => new AwsImages(access);

class AwsImages implements ImagePort {
  readonly #open: () => Promise<Ec2Client>;

  constructor(access: Ec2Access) {
    this.#open = () => openEc2(access);
  }

  async copy({ clientToken, sourceId, sourceRegion, name, description, encrypted, kmsKeyId, completionMinutes, tags, snapshotTags }: CopyRequest, abortSignal: AbortSignal): Promise<string> {
    const { sdk, client } = await this.#open();
    const { ImageId = '' } = await calling('CopyImage', () => client.send(new sdk.CopyImageCommand({
      ClientToken: clientToken, SourceImageId: sourceId, SourceRegion: sourceRegion, Name: name, Description: description, Encrypted: encrypted, KmsKeyId: kmsKeyId, SnapshotCopyCompletionDurationMinutes: completionMinutes,
      TagSpecifications: [{ ResourceType: 'image', Tags: tagsOf(tags) }, { ResourceType: 'snapshot', Tags: tagsOf(snapshotTags) }],
    }), { abortSignal }));
    return ImageId;
  }

  async share(id: string, { users = [], groups = [], organizations = [], organizationalUnits = [] }: LaunchPermission, abortSignal: AbortSignal): Promise<void> {
    const { sdk, client } = await this.#open();
    const Add = [
      ...users.map((UserId) => ({ UserId })), ...groups.map((Group) => ({ Group })),
      ...organizations.map((OrganizationArn) => ({ OrganizationArn })), ...organizationalUnits.map((OrganizationalUnitArn) => ({ OrganizationalUnitArn })),
    ];
    await calling('ModifyImageAttribute', () => client.send(new sdk.ModifyImageAttributeCommand({ ImageId: id, LaunchPermission: { Add } }), { abortSignal }));
  }

  async shareSnapshot(id: string, { users = [], groups = [] }: Pick<LaunchPermission, 'users' | 'groups'>, abortSignal: AbortSignal): Promise<void> {
    const { sdk, client } = await this.#open();
    await calling('ModifySnapshotAttribute', () => client.send(new sdk.ModifySnapshotAttributeCommand({
      SnapshotId: id, Attribute: 'createVolumePermission', OperationType: 'add', ...some({ UserIds: [...users], GroupNames: [...groups] }),
    }), { abortSignal }));
  }

  async makePrivate(id: string | undefined, snapshots: readonly string[], abortSignal: AbortSignal): Promise<void> {
    await Promise.all([id === undefined ? undefined : this.#unshare(id, abortSignal), ...snapshots.map((snapshot) => this.#unshareSnapshot(snapshot, abortSignal))]);
  }

  async #unshare(id: string, abortSignal: AbortSignal): Promise<void> {
    const { sdk, client } = await this.#open();
    const { LaunchPermissions: Remove = [] } = await calling('DescribeImageAttribute', () => client.send(new sdk.DescribeImageAttributeCommand({ ImageId: id, Attribute: 'launchPermission' }), { abortSignal }));
    if (Remove.length > 0) await calling('ModifyImageAttribute', () => client.send(new sdk.ModifyImageAttributeCommand({ ImageId: id, LaunchPermission: { Remove } }), { abortSignal }));
  }

  async #unshareSnapshot(id: string, abortSignal: AbortSignal): Promise<void> {
    const { sdk, client } = await this.#open();
    const Attribute = 'createVolumePermission';
    const { CreateVolumePermissions: all = [] } = await calling('DescribeSnapshotAttribute', () => client.send(new sdk.DescribeSnapshotAttributeCommand({ SnapshotId: id, Attribute }), { abortSignal }));
    const UserIds = all.flatMap(({ UserId }) => UserId ?? []);
    const GroupNames = all.flatMap(({ Group }) => Group ?? []);
    if (all.length > 0) await calling('ModifySnapshotAttribute', () => client.send(new sdk.ModifySnapshotAttributeCommand({ SnapshotId: id, Attribute, OperationType: 'remove', ...some({ UserIds, GroupNames }) }), { abortSignal }));
  }

  async requireTokens(id: string, abortSignal: AbortSignal): Promise<void> {
    const { sdk, client } = await this.#open();
    await calling('ModifyImageAttribute', () => client.send(new sdk.ModifyImageAttributeCommand({ ImageId: id, ImdsSupport: { Value: 'v2.0' } }), { abortSignal }));
  }

  async deprecate(id: string, DeprecateAt: Date, abortSignal: AbortSignal): Promise<void> {
    const { sdk, client } = await this.#open();
    await calling('EnableImageDeprecation', () => client.send(new sdk.EnableImageDeprecationCommand({ ImageId: id, DeprecateAt }), { abortSignal }));
  }

  async undeprecate(id: string, abortSignal: AbortSignal): Promise<void> {
    const { sdk, client } = await this.#open();
    if ((await this.#image(id, abortSignal))?.DeprecationTime === undefined) return;
    await calling('DisableImageDeprecation', () => client.send(new sdk.DisableImageDeprecationCommand({ ImageId: id }), { abortSignal }));
  }

  async protect(id: string, WithCooldown: boolean, abortSignal: AbortSignal): Promise<void> {
    const { sdk, client } = await this.#open();
    await calling('EnableImageDeregistrationProtection', () => client.send(new sdk.EnableImageDeregistrationProtectionCommand({ ImageId: id, WithCooldown }), { abortSignal }));
  }

  async unprotect(id: string, abortSignal: AbortSignal): Promise<void> {
    const { sdk, client } = await this.#open();
    await orGone(() => calling('DisableImageDeregistrationProtection', () => client.send(new sdk.DisableImageDeregistrationProtectionCommand({ ImageId: id }), { abortSignal })));
  }

  async isProtected(id: string, abortSignal: AbortSignal): Promise<boolean> {
    const { DeregistrationProtection: protection = 'disabled' } = await this.#image(id, abortSignal) ?? {};
    return protection.startsWith('enabled');
  }

  async enableFastLaunch(id: string, { launchTemplate, maxParallelLaunches, targetResourceCount }: FastLaunchRequest, abortSignal: AbortSignal): Promise<void> {
    const { sdk, client } = await this.#open();
    await calling('EnableFastLaunch', () => client.send(new sdk.EnableFastLaunchCommand({
      ImageId: id, ResourceType: 'snapshot', MaxParallelLaunches: maxParallelLaunches,
      ...(targetResourceCount === undefined ? {} : { SnapshotConfiguration: { TargetResourceCount: targetResourceCount } }),
      ...(launchTemplate === undefined ? {} : { LaunchTemplate: { LaunchTemplateId: launchTemplate.id, LaunchTemplateName: launchTemplate.name, Version: launchTemplate.version ?? '$Default' } }),
    }), { abortSignal }));
  }

  async disableFastLaunch(id: string, abortSignal: AbortSignal): Promise<void> {
    const { sdk, client } = await this.#open();
    await orGone(() => calling('DisableFastLaunch', () => client.send(new sdk.DisableFastLaunchCommand({ ImageId: id }), { abortSignal })));
  }

  async fastLaunches(ids: readonly string[], abortSignal: AbortSignal): Promise<readonly FastLaunchFacts[]> {
    const { sdk, client } = await this.#open();
    const { FastLaunchImages = [] } = await calling('DescribeFastLaunchImages', () => client.send(new sdk.DescribeFastLaunchImagesCommand({ ImageIds: [...ids] }), { abortSignal }));
    return FastLaunchImages.map(({ ImageId = '', State = 'enabling', StateTransitionReason: reason }) => ({
      id: ImageId, state: State.endsWith('failed') ? 'failed' : State as FastLaunchFacts['state'], ...(reason === undefined ? {} : { reason }),
    }));
  }

  async setNetworkDrivers(instance: string, { ena, sriov }: { readonly ena: boolean; readonly sriov: boolean }, abortSignal: AbortSignal): Promise<void> {
    const { sdk, client } = await this.#open();
    const modify = (attribute: object) => calling('ModifyInstanceAttribute', () => client.send(new sdk.ModifyInstanceAttributeCommand({ InstanceId: instance, ...attribute }), { abortSignal }));
    // EC2 takes one attribute at a time.
    if (ena) await modify({ EnaSupport: { Value: true } });
    if (sriov) await modify({ SriovNetSupport: { Value: 'simple' } });
  }

  async #image(id: string, abortSignal: AbortSignal): Promise<Image | undefined> {
    const { sdk, client } = await this.#open();
    const found = await orGone(() => calling('DescribeImages', () => client.send(new sdk.DescribeImagesCommand({ ImageIds: [id], IncludeDeprecated: true }), { abortSignal })));
    return found?.Images?.[0];
  }
}

/** Without the lists that are empty, which EC2 does not take. */
function some<T extends Readonly<Record<string, readonly unknown[]>>>(lists: T): Partial<T> {
  return Object.fromEntries(Object.entries(lists).filter(([, list]) => list.length > 0)) as Partial<T>;
}
