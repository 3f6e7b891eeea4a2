import { isJsonObject, type Json, type JsonObject } from '../../../core/json.js';
import type { PlanStep } from '../../../plan/plan.js';
import type * as images from '../image-steps.js';
import type * as imports from '../import-steps.js';
import type * as steps from '../steps.js';
import type * as volumes from '../volume-steps.js';
import { runTag } from './stamps.js';

interface Condition {
  readonly [operator: string]: { readonly [key: string]: string | readonly string[] };
}

/** What a step needs to be allowed. `arn:*:` stands for the partition of the plan's regions. */
export interface Grant {
  readonly actions: readonly string[];
  /** @default everything: these actions know no resources, or the plan does not name them */
  readonly resources?: readonly string[];
  readonly condition?: Condition;
}

type Specs = typeof steps & typeof images & typeof volumes & typeof imports;
/** The kinds of the steps of EC2, as the exported step kinds name them. */
type KindName = { [Name in keyof Specs]: Specs[Name] extends { readonly kind: string; readonly spec: unknown } ? Name : never }[keyof Specs];
type GrantsOf = (spec: JsonObject) => readonly Grant[];

const ec2 = (...paths: readonly string[]) => paths.map((path) => `arn:*:ec2:*:*:${path}/*`);
/** Images and snapshots stand in ARNs without or with an account. */
const imageArns = ['arn:*:ec2:*::image/*', 'arn:*:ec2:*:*:image/*'];
const snapshotArns = ['arn:*:ec2:*::snapshot/*', 'arn:*:ec2:*:*:snapshot/*'];
/** Only what carries bake's stamp, or gets it as it is made. */
const stamped = { Null: { [`aws:ResourceTag/${runTag}`]: 'false' } };
const beingStamped = { Null: { [`aws:RequestTag/${runTag}`]: 'false' } };
const tagging = (...calls: readonly string[]): Grant => ({ actions: ['ec2:CreateTags'], condition: { StringEquals: { 'ec2:CreateAction': calls } } });
const describe = (...things: readonly string[]): Grant => ({ actions: things.map((thing) => `ec2:Describe${thing}`) });
const attaching = (policies: readonly string[]): Grant => ({ actions: ['iam:AttachRolePolicy'], resources: roles, condition: { ArnEquals: { 'iam:PolicyARN': policies } } });
const roles = ['arn:*:iam::*:role/bake/*'];
const profiles = ['arn:*:iam::*:instance-profile/bake/*'];

/** The snapshots of an image get their stamp when the build is over. */
const removeImage: readonly Grant[] = [{ actions: ['ec2:DeregisterImage'], resources: imageArns, condition: stamped }, { actions: ['ec2:DeleteSnapshot'], resources: snapshotArns }];
/** An image of the account that has the name carries whatever tags its maker gave it. */
const replaceImage: readonly Grant[] = [{ actions: ['ec2:DeregisterImage'], resources: imageArns }, { actions: ['ec2:DeleteSnapshot'], resources: snapshotArns }];

/** Volumes of a machine carry its stamp; they get one of their own, and whether they end with it is said of the machine. */
const keepVolume: readonly Grant[] = [
  describe('Volumes', 'Instances'), { actions: ['ec2:CreateTags', 'ec2:DeleteVolume'], resources: ec2('volume'), condition: stamped }, { actions: ['ec2:ModifyInstanceAttribute'], resources: ec2('instance'), condition: stamped },
];

const makeSnapshot: readonly Grant[] = [
  { actions: ['ec2:CreateSnapshot'], resources: snapshotArns, condition: beingStamped }, { actions: ['ec2:CreateSnapshot'], resources: ec2('volume') }, tagging('CreateSnapshot'),
  describe('Snapshots', 'Volumes'), { actions: ['ec2:DeleteSnapshot'], resources: snapshotArns, condition: stamped },
];

function launchGrants(spec: JsonObject): readonly Grant[] {
  return [
    { actions: ['ec2:RunInstances'], resources: ec2('instance', 'volume', 'network-interface', ...(spec['spot'] === undefined ? [] : ['spot-instances-request'])), condition: beingStamped },
    { actions: ['ec2:RunInstances'], resources: [...ec2('subnet', 'security-group', 'key-pair', 'placement-group', 'capacity-reservation', 'license-configuration', 'network-interface'), ...imageArns, ...snapshotArns] },
    tagging('RunInstances'),
    ...(spec['instanceProfile'] === undefined ? [] : [{ actions: ['iam:PassRole'], condition: { StringEquals: { 'iam:PassedToService': 'ec2.amazonaws.com' } }, ...(isRef(spec['instanceProfile']) ? { resources: roles } : {}) }]),
    ...(spec['spot'] === undefined ? [] : [{ actions: ['iam:CreateServiceLinkedRole'], condition: { StringEquals: { 'iam:AWSServiceName': 'spot.amazonaws.com' } } }]),
    ...keysOf(spec).flatMap(keyGrants),
  ];
}

/** The instance of a fleet is told by a launch template. */
function fleetGrants(spot: Json | undefined): readonly Grant[] {
  if (!isJsonObject(spot) || spot['allocationStrategy'] === undefined) return [];
  return [
    { actions: ['ec2:CreateLaunchTemplate'], resources: ec2('launch-template'), condition: beingStamped }, { actions: ['ec2:DeleteLaunchTemplate'], resources: ec2('launch-template'), condition: stamped },
    { actions: ['ec2:CreateFleet'], resources: [...ec2('fleet', 'launch-template', 'instance', 'subnet', 'security-group', 'key-pair', 'volume', 'network-interface', 'placement-group', 'license-configuration', 'spot-instances-request'), ...imageArns, ...snapshotArns] },
    { actions: ['ec2:RunInstances'], resources: ec2('launch-template') }, tagging('CreateLaunchTemplate', 'CreateFleet'),
    { actions: ['iam:CreateServiceLinkedRole'], condition: { StringEquals: { 'iam:AWSServiceName': 'ec2fleet.amazonaws.com' } } },
  ];
}

/** What encrypted volumes and copies need of a key of one's own. */
function keyGrants(key: string): readonly Grant[] {
  const alias = /(?:^|:)(alias\/.+)$/.exec(key)?.[1];
  const resources = alias === undefined ? [key.startsWith('arn:') ? key : `arn:*:kms:*:*:key/${key}`] : ['*'];
  const condition: Condition = alias === undefined ? {} : { 'ForAnyValue:StringEquals': { 'kms:ResourceAliases': alias } };
  return [
    { actions: ['kms:Decrypt', 'kms:DescribeKey', 'kms:GenerateDataKeyWithoutPlaintext', 'kms:ReEncryptFrom', 'kms:ReEncryptTo'], resources, condition },
    { actions: ['kms:CreateGrant'], resources, condition: { ...condition, Bool: { 'kms:GrantIsForAWSResource': 'true' } } },
  ];
}

/** Blocks that are sent by the direct APIs, and parts of objects, are encrypted with data keys that are made for the caller. */
function dataKeyGrants(key: string): readonly Grant[] {
  return keyGrants(key).slice(0, 1).map((grant) => ({ ...grant, actions: ['kms:Decrypt', 'kms:GenerateDataKey'] }));
}

function keysOf(spec: JsonObject): readonly string[] {
  const devices = (spec['blockDevices'] as readonly JsonObject[] | undefined) ?? [];
  return [...devices.map(({ kmsKeyId }) => kmsKeyId), spec['kmsKeyId']].filter((key) => typeof key === 'string');
}

function parameterArn(name: Json | undefined): readonly string[] {
  if (typeof name !== 'string') return ['arn:*:ssm:*:*:parameter/*'];
  return [name.startsWith('arn:') ? name : `arn:*:ssm:*:*:parameter/${name.replace(/^\//, '').replace(/:[^:]*$/, '')}`];
}

function isRef(value: Json | undefined): boolean {
  return typeof value === 'object' && value !== null && '$ref' in value;
}

/** Whole by its type: a new kind of step says here what it needs. */
const grants: Readonly<Record<KindName, GrantsOf>> = {
  ec2BaseImage: ({ query }) => {
    const { type, name } = query as { readonly type: string; readonly name?: string };
    return [describe('Images'), ...(type === 'ssm' ? [{ actions: ['ssm:GetParameter'], resources: parameterArn(name) }] : [])];
  },
  ec2LaunchCheck: launchGrants,
  ec2Network: ({ vpcFilter, securityGroupFilter }) => [describe('Subnets', ...(vpcFilter === undefined ? [] : ['Vpcs']), ...(securityGroupFilter === undefined ? [] : ['SecurityGroups']))],
  ec2SecurityGroup: ({ vpcId, subnetId }) => [
    { actions: ['ec2:CreateSecurityGroup'], resources: ec2('security-group'), condition: beingStamped }, { actions: ['ec2:CreateSecurityGroup'], resources: ec2('vpc') }, tagging('CreateSecurityGroup'),
    { actions: ['ec2:AuthorizeSecurityGroupIngress', 'ec2:DeleteSecurityGroup'], resources: ec2('security-group'), condition: stamped },
    describe('SecurityGroups', ...(vpcId === undefined && subnetId !== undefined ? ['Subnets'] : [])),
  ],
  ec2KeyPair: () => [
    { actions: ['ec2:ImportKeyPair'], resources: ec2('key-pair'), condition: beingStamped }, tagging('ImportKeyPair'),
    { actions: ['ec2:DeleteKeyPair'], resources: ec2('key-pair'), condition: stamped }, describe('KeyPairs'),
  ],
  ec2InstanceProfile: ({ policy, managedPolicies }) => [
    { actions: ['iam:CreateRole', 'iam:TagRole', 'iam:GetRole', 'iam:DeleteRole', 'iam:ListRolePolicies', 'iam:ListAttachedRolePolicies', 'iam:DeleteRolePolicy', 'iam:DetachRolePolicy', ...(policy === undefined ? [] : ['iam:PutRolePolicy'])], resources: roles },
    { actions: ['iam:CreateInstanceProfile', 'iam:TagInstanceProfile', 'iam:GetInstanceProfile', 'iam:AddRoleToInstanceProfile', 'iam:RemoveRoleFromInstanceProfile', 'iam:DeleteInstanceProfile'], resources: profiles },
    { actions: ['iam:PassRole'], resources: roles, condition: { StringEquals: { 'iam:PassedToService': 'ec2.amazonaws.com' } } },
    ...(managedPolicies === undefined ? [] : [attaching(managedPolicies as readonly string[])]),
  ],
  ec2Instance: (spec) => [...launchGrants(spec), ...fleetGrants(spec['spot']), describe('Instances'), { actions: ['ec2:TerminateInstances'], resources: ec2('instance'), condition: stamped }],
  ec2Tunnel: () => [
    { actions: ['ssm:StartSession'], resources: ec2('instance'), condition: { Null: { [`ssm:resourceTag/${runTag}`]: 'false' } } },
    { actions: ['ssm:StartSession'], resources: ['arn:*:ssm:*::document/AWS-StartPortForwardingSession'] },
    { actions: ['ssm:TerminateSession'], resources: ['arn:*:ssm:*:*:session/*'] }, describe('Instances'),
  ],
  ec2Ready: ({ sentKey }) => [describe('Instances'), ...(sentKey === undefined ? [] : [{ actions: ['ec2-instance-connect:SendSSHPublicKey'], resources: ec2('instance'), condition: stamped }])],
  ec2Stop: () => [describe('Instances'), { actions: ['ec2:StopInstances'], resources: ec2('instance'), condition: stamped }],
  ec2NetworkDrivers: () => [{ actions: ['ec2:ModifyInstanceAttribute'], resources: ec2('instance'), condition: stamped }],
  ec2Ami: ({ replace }) => [
    { actions: ['ec2:CreateImage'], resources: [...ec2('instance'), ...imageArns, ...snapshotArns] }, tagging('CreateImage'), describe('Images'), ...(replace === true ? replaceImage : removeImage),
  ],
  ec2ImageNames: () => [describe('Images')],
  ec2AmiCopy: ({ replace, ...spec }) => [
    { actions: ['ec2:CopyImage'], resources: [...imageArns, ...snapshotArns] }, tagging('CopyImage'), describe('Images'), ...(replace === true ? replaceImage : removeImage), ...keysOf(spec).flatMap(keyGrants),
  ],
  ec2ImageSettings: ({ launch, snapshot, imdsSupport, deprecateAt }) => [
    ...(launch === undefined && imdsSupport === undefined ? [] : [{ actions: ['ec2:ModifyImageAttribute'], resources: imageArns, condition: stamped }]),
    ...(launch === undefined ? [] : [describe('ImageAttribute')]),
    ...(snapshot === undefined ? [] : [describe('SnapshotAttribute'), { actions: ['ec2:ModifySnapshotAttribute'], resources: snapshotArns }]),
    ...(deprecateAt === undefined ? [] : [{ actions: ['ec2:EnableImageDeprecation', 'ec2:DisableImageDeprecation'], resources: imageArns, condition: stamped }]),
  ],
  ec2FastLaunch: () => [
    { actions: ['ec2:EnableFastLaunch', 'ec2:DisableFastLaunch'], resources: imageArns, condition: stamped }, describe('FastLaunchImages'),
    // The launches are made in the name of who asks for them.
    { actions: ['iam:CreateServiceLinkedRole'], condition: { StringEquals: { 'iam:AWSServiceName': 'ec2fastlaunch.amazonaws.com' } } },
  ],
  ec2ImageProtection: () => [{ actions: ['ec2:EnableImageDeregistrationProtection', 'ec2:DisableImageDeregistrationProtection'], resources: imageArns, condition: stamped }],
  ec2SsmParameter: ({ name }) => [{ actions: ['ssm:GetParameter', 'ssm:GetParameterHistory', 'ssm:PutParameter', 'ssm:DeleteParameter'], resources: parameterArn(name) }],
  ec2Image: () => [describe('Images'), { actions: ['ec2:CreateTags'], resources: imageArns, condition: stamped }, { actions: ['ec2:CreateTags'], resources: snapshotArns }],
  ec2ImageSnapshot: () => makeSnapshot,
  ec2Snapshot: () => makeSnapshot,
  ec2SnapshotSharing: () => [describe('SnapshotAttribute'), { actions: ['ec2:ModifySnapshotAttribute'], resources: snapshotArns, condition: stamped }],
  ec2Volume: () => keepVolume,
  ec2SwappedRoot: () => [...keepVolume, { actions: ['ec2:AttachVolume', 'ec2:DetachVolume'], resources: ec2('instance', 'volume'), condition: stamped }],
  ec2RegisteredAmi: ({ replace, ...spec }) => [
    { actions: ['ec2:RegisterImage'], resources: [...imageArns, ...snapshotArns] }, tagging('RegisterImage'), describe('Images'), ...(replace === true ? replaceImage : removeImage), ...keysOf({ blockDevices: spec['devices'] ?? [] }).flatMap(keyGrants),
  ],
  ec2VolumeSet: ({ volumes: kept, snapshots }) => [
    { actions: ['ec2:CreateTags'], resources: [...ec2('volume'), ...snapshotArns], condition: stamped }, ...((kept as readonly Json[]).length > 0 ? [describe('Volumes')] : []), ...((snapshots as readonly Json[]).length > 0 ? [describe('Snapshots')] : []),
  ],
  ec2DiskSnapshot: (spec) => [
    { actions: ['ebs:StartSnapshot', 'ec2:CreateTags'], resources: snapshotArns, condition: beingStamped }, { actions: ['ebs:CompleteSnapshot', 'ebs:PutSnapshotBlock', 'ec2:DeleteSnapshot'], resources: snapshotArns, condition: stamped },
    describe('Snapshots'), ...keysOf(spec).flatMap(keyGrants), ...keysOf(spec).flatMap(dataKeyGrants),
  ],
  ec2UploadedDisk: ({ bucket, prefix, ...spec }) => [
    { actions: ['s3:ListBucket', 's3:ListBucketMultipartUploads'], resources: [`arn:*:s3:::${bucket as string}`] },
    { actions: ['s3:PutObject', 's3:GetObject', 's3:DeleteObject', 's3:DeleteObjectVersion', 's3:AbortMultipartUpload'], resources: [`arn:*:s3:::${bucket as string}/${prefix as string}*`] },
    ...keysOf(spec).flatMap(dataKeyGrants),
  ],
  ec2ImportedSnapshot: (spec) => [
    { actions: ['ec2:ImportSnapshot'], resources: ec2('import-snapshot-task'), condition: beingStamped }, { actions: ['ec2:ImportSnapshot'], resources: snapshotArns }, tagging('ImportSnapshot'),
    { actions: ['ec2:CancelImportTask'], resources: ec2('import-snapshot-task'), condition: stamped }, describe('ImportSnapshotTasks', 'Snapshots'),
    // What EC2 made has no stamp until it gets one.
    { actions: ['ec2:CreateTags', 'ec2:DeleteSnapshot'], resources: snapshotArns }, ...keysOf(spec).flatMap(keyGrants),
  ],
  ec2Nothing: () => [],
};

const byKind = new Map(Object.entries(grants).map(([name, of]) => [name.replace(/^ec2(.)/, (_, first: string) => `ec2.${first.toLowerCase()}`), of]));

/** The smallest policy that lets these steps be carried out, cleaned up and looked at again: an IAM policy document. */
export function ec2Policy(planned: readonly PlanStep[]): JsonObject {
  const statements = new Map<string, Grant>();
  for (const grant of planned.flatMap(({ kind, spec }) => byKind.get(kind)?.(spec) ?? [])) {
    const key = JSON.stringify([grant.resources, grant.condition]);
    statements.set(key, { ...grant, actions: [...new Set([...statements.get(key)?.actions ?? [], ...grant.actions])].sort() });
  }
  const partition = partitionOf(planned);
  return {
    Version: '2012-10-17',
    Statement: withoutCovered([...statements.values()]).map(({ actions, resources = ['*'], condition }) => ({
      Effect: 'Allow', Action: [...actions], Resource: resources.length === 1 ? inPartition(resources[0]!, partition) : resources.map((arn) => inPartition(arn, partition)), ...(condition === undefined || Object.keys(condition).length === 0 ? {} : { Condition: condition as JsonObject }),
    })),
  };
}

function partitionOf(planned: readonly PlanStep[]): string {
  const regions = planned.map(({ spec }) => (spec['access'] as JsonObject | undefined)?.['region']).filter((region) => typeof region === 'string');
  return regions.some((region) => region.startsWith('cn-')) ? 'aws-cn' : regions.some((region) => region.startsWith('us-gov-')) ? 'aws-us-gov' : 'aws';
}

function inPartition(arn: string, partition: string): string {
  return arn.replace(/^arn:\*:/, `arn:${partition}:`);
}

/** What is allowed without a condition need not be allowed with one. */
function withoutCovered(grants: readonly Grant[]): readonly Grant[] {
  const isCovered = (action: string, { resources, condition }: Grant) => condition !== undefined && grants.some((other) => other.condition === undefined && other.actions.includes(action) && JSON.stringify(other.resources) === JSON.stringify(resources));
  return grants.map((grant) => ({ ...grant, actions: grant.actions.filter((action) => !isCovered(action, grant)) })).filter(({ actions }) => actions.length > 0);
}
