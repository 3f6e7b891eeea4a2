import type { CreateFleetError, Image, Instance } from '@aws-sdk/client-ec2';
import { BakeError } from '../../../core/bake-error.js';
import type { Ec2Access } from '../steps.js';
import { calling, orGone, pages, unless } from './aws-call.js';
import { type Ec2Client, onePerAccess, openEc2 } from './aws-client.js';
import { ec2Error } from './aws-error.js';
import { imageMappingOf, runInput } from './aws-input.js';
import { filtersOf, tagFilters, tagsFrom, tagsOf } from './aws-tags.js';
import { fleetInput, templateData } from './fleet-input.js';
import { Joint } from './joint.js';
import { tokenTag } from './stamps.js';
import type { CreateImageRequest, Ec2Port, Filters, FleetRequest, ImageFacts, ImageQuery, InstanceFacts, InstanceRequest, SecurityGroupRequest, SubnetFacts, Tags } from './ec2-port.js';

/** Amazon's. */
export const awsEc2 = onePerAccess((access): Ec2Port => new AwsEc2(access));

class AwsEc2 implements Ec2Port {
  readonly #open: () => Promise<Ec2Client>;
  /** Builds that begin together ask the same. */
  readonly #looks = new Joint<readonly ImageFacts[]>();
  readonly #checks = new Joint<void>();

  constructor(access: Ec2Access) {
    this.#open = () => openEc2(access);
  }

  async region(): Promise<string> {
    const { client } = await this.#open();
    return calling('DescribeRegions', () => client.config.region());
  }

  async regions(abortSignal: AbortSignal): Promise<readonly string[]> {
    const { sdk, client } = await this.#open();
    const { Regions = [] } = await calling('DescribeRegions', () => client.send(new sdk.DescribeRegionsCommand({}), { abortSignal }));
    return Regions.map(({ RegionName = '' }) => RegionName);
  }

  images(query: ImageQuery, signal: AbortSignal): Promise<readonly ImageFacts[]> {
    return this.#looks.join(JSON.stringify(query), signal, (joint) => this.#images(query, joint));
  }

  async #images({ ids, owners, filters = {}, includeDeprecated }: ImageQuery, abortSignal: AbortSignal): Promise<readonly ImageFacts[]> {
    const { sdk, client } = await this.#open();
    const found = await pages((NextToken) => calling('DescribeImages', () => client.send(new sdk.DescribeImagesCommand({
      ...(ids === undefined ? {} : { ImageIds: [...ids] }), ...(owners === undefined ? {} : { Owners: [...owners] }), Filters: filtersOf(filters), IncludeDeprecated: includeDeprecated, NextToken,
    }), { abortSignal })), ({ Images = [] }) => Images);
    return found.map(imageFacts).sort((a, b) => (a.created < b.created ? -1 : a.created > b.created ? 1 : a.id < b.id ? -1 : 1));
  }

  async instances(query: { readonly ids: readonly string[] } | { readonly tags: Tags }, abortSignal: AbortSignal): Promise<readonly InstanceFacts[]> {
    const { sdk, client } = await this.#open();
    const input = 'ids' in query ? { InstanceIds: [...query.ids] } : { Filters: tagFilters(query.tags) };
    const found = await pages((NextToken) => calling('DescribeInstances', () => client.send(new sdk.DescribeInstancesCommand({ ...input, NextToken }), { abortSignal })), ({ Reservations = [] }) => Reservations.flatMap(({ Instances = [] }) => Instances));
    return found.map(instanceFacts);
  }

  async runInstance(request: InstanceRequest, abortSignal: AbortSignal): Promise<InstanceFacts> {
    const { sdk, client } = await this.#open();
    const { Instances: [instance] = [], $metadata } = await calling('RunInstances', () => client.send(new sdk.RunInstancesCommand(runInput(request)), { abortSignal }));
    if (instance === undefined) throw new BakeError({ code: 'Ec2Unavailable', source: 'platform', message: 'RunInstances: it said yes and gave no instance', transient: true });
    const made = instanceFacts(instance);
    if (isRepeated($metadata)) await this.#endTwins(made, abortSignal);
    return made;
  }

  async #endTwins({ id: made, tags }: InstanceFacts, signal: AbortSignal): Promise<void> {
    await Promise.all((await this.instances({ tags: tokenOf(tags) }, signal)).filter(({ id }) => id !== made).map(({ id }) => this.terminateInstance(id, signal)));
  }

  async createLaunchTemplate(name: string, request: InstanceRequest, abortSignal: AbortSignal): Promise<void> {
    const { sdk, client } = await this.#open();
    const create = () => calling('CreateLaunchTemplate', () => unless(/AlreadyExists/, client.send(new sdk.CreateLaunchTemplateCommand({
      LaunchTemplateName: name, LaunchTemplateData: templateData(request), TagSpecifications: [{ ResourceType: 'launch-template', Tags: tagsOf(request.tags) }],
    }), { abortSignal })));
    if (await create() !== undefined) return;
    await this.deleteLaunchTemplate(name, abortSignal);
    await create();
  }

  async launchTemplates({ tags }: { readonly tags: Tags }, abortSignal: AbortSignal): ReturnType<Ec2Port['launchTemplates']> {
    const { sdk, client } = await this.#open();
    const found = await pages((NextToken) => calling('DescribeLaunchTemplates', () => client.send(new sdk.DescribeLaunchTemplatesCommand({ Filters: tagFilters(tags), NextToken }), { abortSignal })), ({ LaunchTemplates = [] }) => LaunchTemplates);
    return found.map(({ LaunchTemplateName = '', Tags: own }) => ({ name: LaunchTemplateName, tags: tagsFrom(own) }));
  }

  async deleteLaunchTemplate(name: string, abortSignal: AbortSignal): Promise<void> {
    const { sdk, client } = await this.#open();
    // Of a name that nothing has, some EC2s say that it was not given.
    await orGone(() => calling('DeleteLaunchTemplate', () => unless(/^MissingParameter/, client.send(new sdk.DeleteLaunchTemplateCommand({ LaunchTemplateName: name }), { abortSignal }))));
  }

  async runFleet(request: FleetRequest, abortSignal: AbortSignal): Promise<InstanceFacts> {
    const { sdk, client } = await this.#open();
    const { Instances: [started] = [], Errors = [], $metadata } = await calling('CreateFleet', () => client.send(new sdk.CreateFleetCommand(fleetInput(request)), { abortSignal }));
    const { InstanceIds: [id] = [], InstanceType: type, LaunchTemplateAndOverrides } = started ?? {};
    if (id === undefined) throw fleetError(Errors);
    const made: InstanceFacts = { id, state: 'pending', reason: '', type: String(type), zone: LaunchTemplateAndOverrides?.Overrides?.AvailabilityZone ?? '', tags: request.tags };
    if (isRepeated($metadata)) await this.#endTwins(made, abortSignal);
    return made;
  }

  checkInstance(request: InstanceRequest, signal: AbortSignal): Promise<void> {
    return this.#checks.join(JSON.stringify({ ...request, clientToken: '', tags: {} }), signal, (joint) => this.#checkInstance(request, joint));
  }

  async #checkInstance(request: InstanceRequest, abortSignal: AbortSignal): Promise<void> {
    const { sdk, client } = await this.#open();
    await calling('RunInstances', async () => {
      try {
        await client.send(new sdk.RunInstancesCommand({ ...runInput(request), DryRun: true }), { abortSignal });
      } catch (error) {
        if ((error as Error).name !== 'DryRunOperation') throw error;
      }
    });
  }

  async stopInstance(id: string, abortSignal: AbortSignal): Promise<void> {
    const { sdk, client } = await this.#open();
    await calling('StopInstances', () => client.send(new sdk.StopInstancesCommand({ InstanceIds: [id] }), { abortSignal }));
  }

  async terminateInstance(id: string, abortSignal: AbortSignal): Promise<void> {
    const { sdk, client } = await this.#open();
    await orGone(() => calling('TerminateInstances', () => client.send(new sdk.TerminateInstancesCommand({ InstanceIds: [id] }), { abortSignal })));
  }

  async vpcs(filters: Filters, abortSignal: AbortSignal): Promise<readonly string[]> {
    const { sdk, client } = await this.#open();
    const { Vpcs = [] } = await calling('DescribeVpcs', () => client.send(new sdk.DescribeVpcsCommand({ Filters: filtersOf(filters) }), { abortSignal }));
    return Vpcs.map(({ VpcId = '' }) => VpcId);
  }

  async subnets(query: { readonly ids: readonly string[] } | { readonly filters: Filters }, abortSignal: AbortSignal): Promise<readonly SubnetFacts[]> {
    const { sdk, client } = await this.#open();
    const { Subnets = [] } = await calling('DescribeSubnets', () => client.send(new sdk.DescribeSubnetsCommand('ids' in query ? { SubnetIds: [...query.ids] } : { Filters: filtersOf(query.filters) }), { abortSignal }));
    return Subnets.map(({ SubnetId = '', VpcId = '', AvailabilityZone = '', AvailableIpAddressCount = 0 }) => ({ id: SubnetId, vpcId: VpcId, zone: AvailabilityZone, free: AvailableIpAddressCount }));
  }

  async createSecurityGroup({ name, vpcId, tags }: SecurityGroupRequest, abortSignal: AbortSignal): Promise<string> {
    const { sdk, client } = await this.#open();
    const { GroupId = '' } = await calling('CreateSecurityGroup', () => client.send(new sdk.CreateSecurityGroupCommand({
      GroupName: name, Description: 'temporary, of a build of bake', ...(vpcId === undefined ? {} : { VpcId: vpcId }), TagSpecifications: [{ ResourceType: 'security-group', Tags: tagsOf(tags) }],
    }), { abortSignal }));
    return GroupId;
  }

  async allow(group: string, port: number, networks: readonly string[], abortSignal: AbortSignal): Promise<void> {
    const { sdk, client } = await this.#open();
    const [v6, v4] = [networks.filter((network) => network.includes(':')), networks.filter((network) => !network.includes(':'))];
    await calling('AuthorizeSecurityGroupIngress', () => unless(/^InvalidPermission\.Duplicate$/, client.send(new sdk.AuthorizeSecurityGroupIngressCommand({
      GroupId: group,
      IpPermissions: [{ IpProtocol: 'tcp', FromPort: port, ToPort: port, ...(v4.length === 0 ? {} : { IpRanges: v4.map((CidrIp) => ({ CidrIp })) }), ...(v6.length === 0 ? {} : { Ipv6Ranges: v6.map((CidrIpv6) => ({ CidrIpv6 })) }) }],
    }), { abortSignal })));
  }

  async securityGroups(query: { readonly tags: Tags } | { readonly filters: Filters }, abortSignal: AbortSignal): ReturnType<Ec2Port['securityGroups']> {
    const { sdk, client } = await this.#open();
    const Filters = 'tags' in query ? tagFilters(query.tags) : filtersOf(query.filters);
    const { SecurityGroups = [] } = await calling('DescribeSecurityGroups', () => client.send(new sdk.DescribeSecurityGroupsCommand({ Filters }), { abortSignal }));
    return SecurityGroups.map(({ GroupId = '', GroupName = '', Tags: tags }) => ({ id: GroupId, name: GroupName, tags: tagsFrom(tags) }));
  }

  async deleteSecurityGroup(id: string, abortSignal: AbortSignal): Promise<void> {
    const { sdk, client } = await this.#open();
    await orGone(() => calling('DeleteSecurityGroup', () => client.send(new sdk.DeleteSecurityGroupCommand({ GroupId: id }), { abortSignal })));
  }

  async importKeyPair({ name, publicKey, tags }: Parameters<Ec2Port['importKeyPair']>[0], abortSignal: AbortSignal): Promise<void> {
    const { sdk, client } = await this.#open();
    await calling('ImportKeyPair', () => client.send(new sdk.ImportKeyPairCommand({ KeyName: name, PublicKeyMaterial: Buffer.from(publicKey), TagSpecifications: [{ ResourceType: 'key-pair', Tags: tagsOf(tags) }] }), { abortSignal }));
  }

  async keyPairs({ tags }: { readonly tags: Tags }, abortSignal: AbortSignal): ReturnType<Ec2Port['keyPairs']> {
    const { sdk, client } = await this.#open();
    const { KeyPairs = [] } = await calling('DescribeKeyPairs', () => client.send(new sdk.DescribeKeyPairsCommand({ Filters: tagFilters(tags) }), { abortSignal }));
    return KeyPairs.map(({ KeyName = '', Tags: own }) => ({ name: KeyName, tags: tagsFrom(own) }));
  }

  async deleteKeyPair(name: string, abortSignal: AbortSignal): Promise<void> {
    const { sdk, client } = await this.#open();
    await orGone(() => calling('DeleteKeyPair', () => client.send(new sdk.DeleteKeyPairCommand({ KeyName: name }), { abortSignal })));
  }

  async createImage({ instanceId, name, description, noReboot, blockDevices, tags }: CreateImageRequest, abortSignal: AbortSignal): Promise<string> {
    const { sdk, client } = await this.#open();
    const { ImageId = '', $metadata } = await calling('CreateImage', () => client.send(new sdk.CreateImageCommand({
      InstanceId: instanceId, Name: name, NoReboot: noReboot, ...(description === undefined ? {} : { Description: description }),
      ...(blockDevices.length === 0 ? {} : { BlockDeviceMappings: blockDevices.map(imageMappingOf) }),
      TagSpecifications: [{ ResourceType: 'image', Tags: tagsOf(tags) }],
    }), { abortSignal }));
    if (isRepeated($metadata)) await Promise.all((await this.images({ owners: ['self'], filters: { [`tag:${tokenTag}`]: [tags[tokenTag] ?? ''] } }, abortSignal)).filter(({ id }) => id !== ImageId).map(({ id, snapshots }) => this.deregisterImage(id, snapshots, abortSignal)));
    return ImageId;
  }

  async deregisterImage(id: string, snapshots: readonly string[], abortSignal: AbortSignal): Promise<void> {
    const { sdk, client } = await this.#open();
    await orGone(() => calling('DeregisterImage', () => client.send(new sdk.DeregisterImageCommand({ ImageId: id }), { abortSignal })));
    for (const snapshot of snapshots) await orGone(() => calling('DeleteSnapshot', () => client.send(new sdk.DeleteSnapshotCommand({ SnapshotId: snapshot }), { abortSignal })));
  }

  async tag(ids: readonly string[], tags: Tags, abortSignal: AbortSignal): Promise<void> {
    const { sdk, client } = await this.#open();
    await calling('CreateTags', () => client.send(new sdk.CreateTagsCommand({ Resources: [...ids], Tags: tagsOf(tags) }), { abortSignal }));
  }
}

/** Whether the call may have taken effect more than once. Amazon's knows a repeated one by its client token or name; not every EC2 does. */
function isRepeated({ attempts = 1 }: { readonly attempts?: number | undefined }): boolean {
  return attempts > 1;
}

/** Why EC2 could start none of a fleet's choices; where one failed of something else than capacity, that. */
function fleetError(errors: readonly CreateFleetError[]): unknown {
  const all = errors.map(({ ErrorCode = 'InsufficientInstanceCapacity', ErrorMessage = '' }) => ec2Error(Object.assign(new Error(ErrorMessage), { name: ErrorCode }), 'CreateFleet') as BakeError);
  return all.find(({ code }) => code !== 'Ec2NoCapacity') ?? all[0] ?? new BakeError({ code: 'Ec2NoCapacity', source: 'platform', message: 'CreateFleet: EC2 started no instance and said nothing of why', hint: 'give more types, zones or subnets' });
}

function tokenOf(tags: Tags): Tags {
  return { [tokenTag]: tags[tokenTag] ?? '' };
}

function imageFacts({ ImageId = '', Name = '', State, StateReason, CreationDate = '', RootDeviceName = '', Architecture, BlockDeviceMappings = [], Tags: tags }: Image): ImageFacts {
  const reason = StateReason?.Message;
  const state = State === 'available' || State === 'pending' || State === 'failed' ? State : State === 'error' || State === 'invalid' ? 'failed' : 'other';
  return {
    id: ImageId, name: Name, state, ...(reason === undefined ? {} : { reason }), created: CreationDate, rootDevice: RootDeviceName, architecture: String(Architecture),
    snapshots: BlockDeviceMappings.flatMap(({ Ebs }) => (Ebs?.SnapshotId === undefined ? [] : [Ebs.SnapshotId])), tags: tagsFrom(tags),
  };
}

function instanceFacts({ InstanceId = '', State, StateReason, StateTransitionReason, InstanceType, Placement, PublicIpAddress, PrivateIpAddress, PublicDnsName, PrivateDnsName, NetworkInterfaces = [], Tags: tags }: Instance): InstanceFacts {
  const ipv6 = NetworkInterfaces[0]?.Ipv6Addresses?.[0]?.Ipv6Address;
  const known = (name: string, value: string | undefined) => (value === undefined || value === '' ? {} : { [name]: value });
  return {
    id: InstanceId, state: State?.Name ?? 'pending', reason: StateReason?.Message ?? StateTransitionReason ?? '', type: String(InstanceType), zone: Placement?.AvailabilityZone ?? '', tags: tagsFrom(tags),
    ...known('publicIp', PublicIpAddress), ...known('privateIp', PrivateIpAddress), ...known('publicDns', PublicDnsName), ...known('privateDns', PrivateDnsName), ...known('ipv6', ipv6),
  };
}
