import type { Image } from '@aws-sdk/client-ec2';
import type { Ec2Access } from '../steps.js';
import { calling, pages } from './aws-call.js';
import { clientOptions, openEc2 } from './aws-client.js';
import { awsEc2 } from './aws-ec2.js';
import { awsImages } from './aws-images.js';
import { tagsFrom } from './aws-tags.js';
import type { OldImage, OldImagesPort } from './old-images-port.js';
import { runTag, stateTag } from './stamps.js';

/** Values of one filter that EC2 takes at once. */
const mostValues = 200;
/** Parameters that Systems Manager gives at once. */
const mostParameters = 10;

/** Amazon's. */
export function awsOldImages(access: Ec2Access): OldImagesPort {
  const [ec2, images] = [awsEc2(access), awsImages(access)];
  return {
    region: () => ec2.region(),
    finished: (signal) => finished(access, signal),
    users: (ids, signal) => users(access, ids, signal),
    deprecate: (id, at, signal) => images.deprecate(id, at, signal),
    async disable(id, abortSignal) {
      const { sdk, client } = await openEc2(access);
      await calling('DisableImage', () => client.send(new sdk.DisableImageCommand({ ImageId: id }), { abortSignal }));
    },
    remove: (id, snapshots, signal) => ec2.deregisterImage(id, snapshots, signal),
    tag: (id, tags, signal) => ec2.tag([id], tags, signal),
  };
}

async function finished(access: Ec2Access, abortSignal: AbortSignal): Promise<readonly OldImage[]> {
  const { sdk, client } = await openEc2(access);
  const found = await pages((NextToken) => calling('DescribeImages', () => client.send(new sdk.DescribeImagesCommand({
    Owners: ['self'], Filters: [{ Name: 'tag-key', Values: [runTag] }, { Name: `tag:${stateTag}`, Values: ['finished'] }], IncludeDeprecated: true, IncludeDisabled: true, NextToken,
  }), { abortSignal })), ({ Images = [] }) => Images);
  return found.map(oldImage);
}

function oldImage({ ImageId = '', Name = '', CreationDate = '', State, DeprecationTime, DeregistrationProtection, BlockDeviceMappings = [], Tags }: Image): OldImage {
  return {
    id: ImageId, name: Name, created: Date.parse(CreationDate), isDisabled: State === 'disabled', isDeprecated: DeprecationTime !== undefined && Date.parse(DeprecationTime) <= Date.now() + 60_000,
    isProtected: DeregistrationProtection !== undefined && DeregistrationProtection !== 'disabled', snapshots: BlockDeviceMappings.flatMap(({ Ebs }) => (Ebs?.SnapshotId === undefined ? [] : [Ebs.SnapshotId])),
    tags: tagsFrom(Tags),
  };
}

async function users(access: Ec2Access, ids: readonly string[], signal: AbortSignal): Promise<ReadonlyMap<string, string>> {
  if (ids.length === 0) return new Map();
  const found = await Promise.all([shares(access, ids, signal), instances(access, ids, signal), templates(access, signal), configurations(access, signal), parameters(access, signal)]);
  return new Map(found.flat());
}

type Uses = readonly (readonly [image: string, user: string])[];

/** What other accounts do with an image cannot be seen from here. */
async function shares(access: Ec2Access, ids: readonly string[], abortSignal: AbortSignal): Promise<Uses> {
  const { sdk, client } = await openEc2(access);
  const all = await Promise.all(ids.map(async (id) => {
    const { LaunchPermissions = [] } = await calling('DescribeImageAttribute', () => client.send(new sdk.DescribeImageAttributeCommand({ ImageId: id, Attribute: 'launchPermission' }), { abortSignal }));
    return LaunchPermissions.map(({ UserId, OrganizationArn, OrganizationalUnitArn }) => [id, `${UserId ?? OrganizationArn ?? OrganizationalUnitArn ?? 'anybody'}, perhaps: it is shared`] as const);
  }));
  return all.flat();
}

async function instances(access: Ec2Access, ids: readonly string[], abortSignal: AbortSignal): Promise<Uses> {
  const { sdk, client } = await openEc2(access);
  const chunks = Array.from({ length: Math.ceil(ids.length / mostValues) }, (_, index) => ids.slice(index * mostValues, (index + 1) * mostValues));
  const found = await Promise.all(chunks.map((Values) => pages((NextToken) => calling('DescribeInstances', () => client.send(new sdk.DescribeInstancesCommand({
    Filters: [{ Name: 'image-id', Values: [...Values] }, { Name: 'instance-state-name', Values: ['pending', 'running', 'stopping', 'stopped'] }], NextToken,
  }), { abortSignal })), ({ Reservations = [] }) => Reservations.flatMap(({ Instances = [] }) => Instances))));
  return found.flat().map(({ ImageId = '', InstanceId = '' }) => [ImageId, `instance ${InstanceId}`]);
}

/** All versions: whoever starts machines may name an old one. */
async function templates(access: Ec2Access, abortSignal: AbortSignal): Promise<Uses> {
  const { sdk, client } = await openEc2(access);
  const all = await pages((NextToken) => calling('DescribeLaunchTemplates', () => client.send(new sdk.DescribeLaunchTemplatesCommand({ NextToken }), { abortSignal })), ({ LaunchTemplates = [] }) => LaunchTemplates);
  const versions = await Promise.all(all.map(({ LaunchTemplateId }) => pages((NextToken) => calling('DescribeLaunchTemplateVersions', () => client.send(new sdk.DescribeLaunchTemplateVersionsCommand({ LaunchTemplateId, NextToken, MaxResults: 200 }), { abortSignal })), ({ LaunchTemplateVersions = [] }) => LaunchTemplateVersions)));
  return versions.flat().flatMap(({ LaunchTemplateData, LaunchTemplateName = '', VersionNumber = 0 }) => (LaunchTemplateData?.ImageId === undefined ? [] : [[LaunchTemplateData.ImageId, `launch template ${LaunchTemplateName}, version ${VersionNumber}`] as const]));
}

async function configurations(access: Ec2Access, abortSignal: AbortSignal): Promise<Uses> {
  const { endpoint: _, ...elsewhere } = access;
  const [sdk, options] = await Promise.all([import('./aws-auto-scaling-sdk.js'), clientOptions(elsewhere)]);
  const client = new sdk.AutoScalingClient(options);
  try {
    const all = await pages((NextToken) => calling('DescribeLaunchConfigurations', () => client.send(new sdk.DescribeLaunchConfigurationsCommand({ NextToken }), { abortSignal }), 'autoscaling'), ({ LaunchConfigurations = [] }) => LaunchConfigurations);
    return all.map(({ ImageId = '', LaunchConfigurationName = '' }) => [ImageId, `launch configuration ${LaunchConfigurationName}`]);
  } finally {
    client.destroy();
  }
}

async function parameters(access: Ec2Access, abortSignal: AbortSignal): Promise<Uses> {
  const { endpoint: _, ...elsewhere } = access;
  const [sdk, options] = await Promise.all([import('./aws-ssm-sdk.js'), clientOptions(elsewhere)]);
  const client = new sdk.SSMClient(options);
  try {
    const all = await pages((NextToken) => calling('DescribeParameters', () => client.send(new sdk.DescribeParametersCommand({ ParameterFilters: [{ Key: 'Type', Option: 'Equals', Values: ['String'] }], NextToken }), { abortSignal }), 'ssm'), ({ Parameters = [] }) => Parameters);
    const names = all.map(({ Name = '' }) => Name);
    const chunks = Array.from({ length: Math.ceil(names.length / mostParameters) }, (_one, index) => names.slice(index * mostParameters, (index + 1) * mostParameters));
    const values = await Promise.all(chunks.map((Names) => calling('GetParameters', () => client.send(new sdk.GetParametersCommand({ Names }), { abortSignal }), 'ssm')));
    return values.flatMap(({ Parameters = [] }) => Parameters).flatMap(({ Name = '', Value = '' }) => [...Value.matchAll(/ami-[0-9a-f]{8,17}/g)].map(([id]) => [id, `SSM parameter ${Name}`] as const));
  } finally {
    client.destroy();
  }
}
