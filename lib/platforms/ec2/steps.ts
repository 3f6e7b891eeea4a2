import * as z from 'zod';
import type { Connection } from '../../core/communicator.js';
import type { JsonObject } from '../../core/json.js';
import { asset, late } from '../../plan/late.js';
import { defineStepKind } from '../../plan/step-kind.js';
import { hasUserDataHead, userDataHeadHint } from '../../vm/media/cloud-init/user-data-head.js';

export const volumeTypes = ['gp3', 'gp2', 'io1', 'io2', 'st1', 'sc1', 'standard'] as const;
/** By what EC2 chooses among spot capacity. */
export const spotStrategies = ['price-capacity-optimized', 'capacity-optimized', 'capacity-optimized-prioritized', 'lowest-price', 'diversified'] as const;
export const addressKinds = ['public-ip', 'private-ip', 'public-dns', 'private-dns', 'ipv6', 'session-manager'] as const;

const text = late(z.string().min(1));
const asConnection: z.ZodType<Connection> = z.custom<Connection>((value) => typeof (value as JsonObject | null)?.['kind'] === 'string', 'must be a connection');
export const tags = z.record(z.string(), z.string()).optional();
const id = (prefix: string, what: string) => z.string().regex(new RegExp(`^${prefix}-[0-9a-f]{8,17}$`), `must be the id of ${what}, such as ${prefix}-0123456789abcdef0`);
const arn = z.string().regex(/^arn:aws[\w-]*:/, 'must be an ARN');
const cidr = z.union([z.cidrv4(), z.cidrv6()], 'must be a network, such as 203.0.113.7/32');

/** Which account and region, and the way there. */
export const access = z.strictObject({
  region: z.string().regex(/^[a-z]{2,}(-[a-z]+)+-\d+$/, 'must be a region, such as eu-west-1').optional(),
  profile: z.string().min(1).optional(),
  endpoint: z.url({ protocol: /^https?$/ }).optional(),
  assumeRole: z.strictObject({
    arn: z.string().regex(/^arn:aws[\w-]*:iam::\d{12}:role\/.+$/, 'must be the ARN of a role, such as arn:aws:iam::123456789012:role/builder'),
    sessionName: z.string().regex(/^[\w+=,.@-]{2,64}$/, 'must be 2 to 64 letters, digits and + = , . @ - _').optional(),
    externalId: z.string().min(2).optional(),
    /** Milliseconds. */
    duration: z.number().min(15 * 60_000).max(12 * 60 * 60_000).optional(),
    /** JSON. */
    policy: z.string().optional(),
    policyArns: z.array(arn).optional(),
    tags,
    transitiveTagKeys: z.array(z.string()).optional(),
  }).optional(),
});
export type Ec2Access = z.output<typeof access>;

/** https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_CreateImage.html */
export const amiName = late(z.string().regex(/^[A-Za-z0-9()[\] ./'@_-]{3,128}$/, "must be 3 to 128 letters, digits and ( ) [ ] . / - ' @ _ and space"));

/** Finds the image to start from. */
export const ec2BaseImage = defineStepKind({
  kind: 'ec2.baseImage',
  type: 'action',
  lookup: ['id'],
  version: 1,
  spec: z.strictObject({
    access,
    query: z.union([
      z.strictObject({ type: z.literal('id'), id: id('ami', 'an AMI') }),
      z.strictObject({ type: z.literal('ssm'), name: z.string().min(1) }),
      z.strictObject({ type: z.literal('filter'), owners: z.array(z.string().min(1)).min(1), filters: z.record(z.string(), z.array(z.string())), includeDeprecated: z.boolean().optional() }),
    ]),
  }),
  outputs: ['id', 'name', 'rootDevice', 'architecture'],
});

const filters = z.record(z.string().min(1), z.array(z.string()).min(1)).optional();

/** Finds the part of the account's network that the machine is put in. */
export const ec2Network = defineStepKind({
  kind: 'ec2.network',
  type: 'action',
  version: 1,
  whereabouts: ['vpcId', 'vpcFilter', 'subnetFilter', 'securityGroupFilter', 'availabilityZones'],
  spec: z.strictObject({ access, vpcId: id('vpc', 'a VPC').optional(), vpcFilter: filters, subnetFilter: filters, securityGroupFilter: filters, availabilityZones: z.array(z.string().min(1)).optional() }),
  outputs: ['vpcId', 'subnetIds', 'securityGroupIds'],
});

/** Lets this computer in, and nobody else. Builds of one run that need the same share one. */
export const ec2SecurityGroup = defineStepKind({
  kind: 'ec2.securityGroup',
  type: 'resource',
  noun: 'security group',
  version: 1,
  whereabouts: ['vpcId', 'subnetId', 'port', 'allowFrom', 'isPrivate', 'tags'],
  spec: z.strictObject({
    access,
    vpcId: late(id('vpc', 'a VPC')).optional(),
    /** Whose VPC it is, if that is not given. */
    subnetId: id('subnet', 'a subnet').optional(),
    port: late(z.int().min(1).max(65_535)),
    /** Absent: this computer's address. */
    allowFrom: z.array(cidr).min(1).optional(),
    /** Whether it is reached by an address of its VPC. */
    isPrivate: z.boolean(),
    tags,
  }),
  outputs: ['id', 'name'],
});

/** The public half of the run's key, where image agents look for it. */
export const ec2KeyPair = defineStepKind({
  kind: 'ec2.keyPair',
  type: 'resource',
  noun: 'key pair',
  version: 1,
  spec: z.strictObject({ access, publicKey: text, tags }),
  outputs: ['name'],
});

/** What programs in the machine may do with the account while it is built. */
export const ec2InstanceProfile = defineStepKind({
  kind: 'ec2.instanceProfile',
  type: 'resource',
  noun: 'instance profile',
  version: 1,
  /** `policy` is JSON. */
  spec: z.strictObject({ access, policy: z.string().min(2).optional(), managedPolicies: z.array(arn).min(1).optional(), tags }),
  outputs: ['name'],
});

const blockDevice = z.strictObject({
  deviceName: z.string().min(1),
  size: z.int().min(1).optional(),
  type: z.enum(volumeTypes).optional(),
  iops: z.int().min(1).optional(),
  throughput: z.int().min(1).optional(),
  encrypted: z.boolean().optional(),
  kmsKeyId: z.string().min(1).optional(),
  snapshotId: id('snap', 'a snapshot').optional(),
  deleteOnTermination: z.boolean().optional(),
  noDevice: z.boolean().optional(),
});
export type BlockDeviceSpec = z.output<typeof blockDevice>;

const document = z.record(z.string(), z.json());

/** What is asked for of EC2 itself. */
const launchFields = {
  access,
  imageId: text,
  /** Tried in this order. */
  types: z.array(z.string().regex(/^[a-z0-9-]+\.[a-z0-9-]+$/, 'must be an instance type, such as t3.small')).min(1),
  /** Tried in this order, each with a type, before the next type. */
  subnetIds: late(z.array(id('subnet', 'a subnet')).min(1)).optional(),
  /** In the place of subnets. */
  availabilityZones: z.array(z.string().min(1)).min(1).optional(),
  associatePublicIp: z.boolean().optional(),
  blockDevices: z.array(blockDevice).optional(),
  instanceProfile: text.optional(),
  metadata: z.strictObject({ tokens: z.enum(['required', 'optional']).optional(), hopLimit: z.int().min(1).max(64).optional(), tags: z.boolean().optional() }).optional(),
  tenancy: z.enum(['default', 'dedicated', 'host']).optional(),
  placement: z.strictObject({ group: z.string().min(1), partition: z.int().min(1), hostId: id('h', 'a dedicated host'), hostResourceGroupArn: arn, affinity: z.enum(['default', 'host']) }).partial().optional(),
  capacityReservation: z.union([z.enum(['open', 'none', 'capacity-reservations-only']), z.strictObject({ id: id('cr', 'a capacity reservation') }), z.strictObject({ resourceGroupArn: arn })]).optional(),
  licenses: z.array(arn).min(1).optional(),
  nitroEnclave: z.boolean().optional(),
  ipv6: z.boolean().optional(),
  keyName: text.optional(),
  ebsOptimized: z.boolean().optional(),
  cpuCredits: z.enum(['standard', 'unlimited']).optional(),
  spot: z.strictObject({ maxPrice: z.string().regex(/^\d+(\.\d+)?$/, 'must be dollars an hour, such as "0.05"').optional(), allocationStrategy: z.enum(spotStrategies).optional() }).optional(),
  tags,
};

/** Where a machine is and who reaches what from there, which changes nothing of its image. */
const placement = ['subnetIds', 'availabilityZones', 'associatePublicIp', 'ipv6', 'placement', 'tenancy', 'capacityReservation', 'securityGroupIds', 'instanceProfile', 'keyName', 'address', 'tags'];

/** Asks EC2 whether it would start the machine, while nothing is there yet that would have to be removed. */
export const ec2LaunchCheck = defineStepKind({ kind: 'ec2.launchCheck', type: 'action', version: 1, whereabouts: placement, spec: z.strictObject(launchFields), outputs: [] });
export type LaunchSpec = z.output<(typeof ec2LaunchCheck)['spec']>;

/** The machine. */
export const ec2Instance = defineStepKind({
  kind: 'ec2.instance',
  type: 'resource',
  noun: 'instance',
  version: 1,
  whereabouts: placement,
  spec: z.strictObject({
    ...launchFields,
    securityGroupIds: late(z.array(late(id('sg', 'a security group')))).optional(),
    address: z.enum(addressKinds),
    /** What cloud-init is given; absent if the image has none. */
    cloudInit: z.strictObject({
      userData: z.union([asset('file'), late(z.string().refine(hasUserDataHead, userDataHeadHint)), document]).optional(),
      user: text,
      authorizedKey: text.optional(),
      hostKey: z.strictObject({ privateKeyFile: text, publicKey: text }).optional(),
      /** Milliseconds. */
      longestLife: z.number().min(60_000),
    }).optional(),
    /** With `host` to be filled in, unless it is known. */
    connection: asConnection,
    knownHost: text.optional(),
  }),
  outputs: ['connection', 'id', 'host', 'type', 'zone', 'publicIp', 'privateIp'],
  opaque: ['connection'],
});
export type InstanceSpec = z.output<(typeof ec2Instance)['spec']>;

/** A port of this computer that leads into the machine, by Session Manager. */
export const ec2Tunnel = defineStepKind({
  kind: 'ec2.tunnel',
  type: 'resource',
  noun: 'tunnel',
  version: 1,
  endsWithProcess: true,
  spec: z.strictObject({ access, instanceId: text, port: late(z.int().min(1).max(65_535)), connection: late(asConnection) }),
  outputs: ['connection', 'port'],
  opaque: ['connection'],
});

/** Waits until the machine lets us in; one that ends meanwhile is not waited for. */
export const ec2Ready = defineStepKind({
  kind: 'ec2.ready',
  type: 'action',
  version: 1,
  /** `sentKey`: what EC2 Instance Connect is given. */
  spec: z.strictObject({ access, instanceId: text, connection: late(asConnection), sentKey: z.strictObject({ user: text, publicKey: text }).optional() }),
  outputs: [],
});

/** Drivers that machines of the image may use. */
export const ec2NetworkDrivers = defineStepKind({
  kind: 'ec2.networkDrivers',
  type: 'action',
  version: 1,
  spec: z.strictObject({ access, instanceId: text, ena: z.boolean(), sriov: z.boolean() }),
  outputs: [],
});

/** Stops the machine, so that its volumes are at rest. */
export const ec2Stop = defineStepKind({
  kind: 'ec2.stop',
  type: 'action',
  version: 1,
  spec: z.strictObject({ access, instanceId: text }),
  outputs: [],
});

/** The image, in the region of its machine. */
export const ec2Ami = defineStepKind({
  kind: 'ec2.ami',
  type: 'resource',
  part: true,
  noun: 'AMI',
  version: 1,
  spec: z.strictObject({
    access,
    instanceId: text,
    name: amiName.optional(),
    /** Of a name that no other run gives: the run's id follows. */
    namePrefix: z.string(),
    description: late(z.string().max(255)).optional(),
    /** A spot instance cannot be stopped: it is imaged as it runs. */
    noReboot: z.boolean(),
    replace: z.boolean(),
    blockDevices: z.array(blockDevice).optional(),
    tags,
  }),
  outputs: ['artifact', 'id', 'region', 'name', 'snapshots', 'token'],
});

/** Where no image is made. */
export const ec2Nothing = defineStepKind({ kind: 'ec2.nothing', type: 'action', version: 1, spec: z.strictObject({ instanceId: text }), outputs: ['artifact'] });
