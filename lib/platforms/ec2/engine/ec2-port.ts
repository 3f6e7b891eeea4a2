import type { BlockDeviceSpec, Ec2Access, LaunchSpec } from '../steps.js';

export type Tags = Readonly<Record<string, string>>;

export interface ImageFacts {
  readonly id: string;
  readonly name: string;
  readonly state: 'pending' | 'available' | 'failed' | 'other';
  /** Why it failed. */
  readonly reason?: string;
  /** ISO 8601. */
  readonly created: string;
  readonly rootDevice: string;
  readonly architecture: string;
  readonly snapshots: readonly string[];
  readonly tags: Tags;
}

export type InstanceState = 'pending' | 'running' | 'shutting-down' | 'terminated' | 'stopping' | 'stopped';

export interface InstanceFacts {
  readonly id: string;
  readonly state: InstanceState;
  /** Why it ended, in EC2's words; empty if it did not. */
  readonly reason: string;
  readonly type: string;
  readonly zone: string;
  readonly publicIp?: string;
  readonly privateIp?: string;
  readonly publicDns?: string;
  readonly privateDns?: string;
  readonly ipv6?: string;
  readonly tags: Tags;
}

export interface LaunchPlace {
  readonly subnetId?: string;
  readonly availabilityZone?: string;
}

export interface InstanceRequest {
  readonly clientToken: string;
  readonly imageId: string;
  readonly type: string;
  /** Where it is put; EC2 chooses what is absent. */
  readonly place: LaunchPlace;
  readonly associatePublicIp?: boolean | undefined;
  readonly securityGroupIds: readonly string[];
  readonly blockDevices: readonly BlockDeviceSpec[];
  readonly instanceProfile?: string | undefined;
  readonly metadata: { readonly tokens: 'required' | 'optional'; readonly hopLimit?: number | undefined; readonly tags?: boolean | undefined };
  readonly tenancy?: LaunchSpec['tenancy'];
  readonly placement?: LaunchSpec['placement'];
  readonly capacityReservation?: LaunchSpec['capacityReservation'];
  readonly licenses?: readonly string[] | undefined;
  readonly nitroEnclave?: boolean | undefined;
  readonly ipv6?: boolean | undefined;
  readonly keyName?: string | undefined;
  readonly ebsOptimized?: boolean | undefined;
  readonly cpuCredits?: 'standard' | 'unlimited' | undefined;
  readonly spot?: LaunchSpec['spot'];
  /** Of the instance and its volumes. */
  readonly tags: Tags;
  readonly userData?: Uint8Array | undefined;
}

export type SpotStrategy = NonNullable<NonNullable<LaunchSpec['spot']>['allocationStrategy']>;

/** What a fleet may start. */
export interface FleetChoice {
  readonly type: string;
  readonly place: LaunchPlace;
}

export interface FleetRequest {
  readonly clientToken: string;
  /** Name of the launch template that says what the instance is like. */
  readonly template: string;
  readonly strategy: SpotStrategy;
  readonly choices: readonly FleetChoice[];
  /** Dollars an hour. */
  readonly maxPrice?: string | undefined;
  readonly tags: Tags;
}

export type Filters = Readonly<Record<string, readonly string[]>>;

export interface SubnetFacts {
  readonly id: string;
  readonly vpcId: string;
  readonly zone: string;
  /** Addresses that nobody has. */
  readonly free: number;
}

export interface ImageQuery {
  readonly ids?: readonly string[];
  readonly owners?: readonly string[];
  readonly filters?: Filters;
  readonly includeDeprecated?: boolean;
}

export interface SecurityGroupRequest {
  readonly name: string;
  readonly vpcId?: string | undefined;
  readonly tags: Tags;
}

export interface CreateImageRequest {
  readonly instanceId: string;
  readonly name: string;
  readonly description?: string | undefined;
  readonly noReboot: boolean;
  readonly blockDevices: readonly BlockDeviceSpec[];
  readonly tags: Tags;
}

/**
 * What the handlers need of EC2. Its promises, which the fake keeps too:
 * - Every failure is a BakeError. `Ec2NotFound` for what is not there (or not yet: what was just created may be unknown
 *   for some seconds), `Ec2InUse` for what something else still depends on, `Ec2NoCapacity` where another type or zone may do,
 *   `Ec2NameTaken`, `Ec2Denied`; `transient` for what a later try may cure.
 * - Tags are on a thing from the moment that it is there.
 * - Removing what is not there succeeds.
 */
export interface Ec2Port {
  /** The region that it talks to. */
  region(): Promise<string>;
  /** All that the account may use. */
  regions(signal: AbortSignal): Promise<readonly string[]>;
  /** Oldest first. With ids, `Ec2NotFound` if one is not there. */
  images(query: ImageQuery, signal: AbortSignal): Promise<readonly ImageFacts[]>;
  /** With ids, `Ec2NotFound` if one is not there. */
  instances(query: { readonly ids: readonly string[] } | { readonly tags: Tags }, signal: AbortSignal): Promise<readonly InstanceFacts[]>;
  runInstance(request: InstanceRequest, signal: AbortSignal): Promise<InstanceFacts>;
  /** Says what the instance of a fleet is like, but for its type and place; one of this name that is there is replaced. */
  createLaunchTemplate(name: string, request: InstanceRequest, signal: AbortSignal): Promise<void>;
  launchTemplates(query: { readonly tags: Tags }, signal: AbortSignal): Promise<readonly { readonly name: string; readonly tags: Tags }[]>;
  deleteLaunchTemplate(name: string, signal: AbortSignal): Promise<void>;
  /** Starts the spot instance that EC2 chooses; there may be more facts of it a little later. */
  runFleet(request: FleetRequest, signal: AbortSignal): Promise<InstanceFacts>;
  /** Whether it may be started and would be, as far as EC2 tells beforehand. Starts nothing. */
  checkInstance(request: InstanceRequest, signal: AbortSignal): Promise<void>;
  stopInstance(id: string, signal: AbortSignal): Promise<void>;
  /** Once this has succeeded, the instance is on its way out and nothing can stop that. */
  terminateInstance(id: string, signal: AbortSignal): Promise<void>;
  /** The ids of those that match. */
  vpcs(filters: Filters, signal: AbortSignal): Promise<readonly string[]>;
  /** With ids, `Ec2NotFound` if one is not there. */
  subnets(query: { readonly ids: readonly string[] } | { readonly filters: Filters }, signal: AbortSignal): Promise<readonly SubnetFacts[]>;
  createSecurityGroup(request: SecurityGroupRequest, signal: AbortSignal): Promise<string>;
  allow(group: string, port: number, networks: readonly string[], signal: AbortSignal): Promise<void>;
  securityGroups(query: { readonly tags: Tags } | { readonly filters: Filters }, signal: AbortSignal): Promise<readonly { readonly id: string; readonly name: string; readonly tags: Tags }[]>;
  deleteSecurityGroup(id: string, signal: AbortSignal): Promise<void>;
  /** The public half of a key, in OpenSSH's form. */
  importKeyPair(request: { readonly name: string; readonly publicKey: string; readonly tags: Tags }, signal: AbortSignal): Promise<void>;
  keyPairs(query: { readonly tags: Tags }, signal: AbortSignal): Promise<readonly { readonly name: string; readonly tags: Tags }[]>;
  deleteKeyPair(name: string, signal: AbortSignal): Promise<void>;
  createImage(request: CreateImageRequest, signal: AbortSignal): Promise<string>;
  /** With its snapshots. */
  deregisterImage(id: string, snapshots: readonly string[], signal: AbortSignal): Promise<void>;
  tag(ids: readonly string[], tags: Tags, signal: AbortSignal): Promise<void>;
}

/** The EC2 of an account and region. */
export type Ec2For = (access: Ec2Access) => Ec2Port;
