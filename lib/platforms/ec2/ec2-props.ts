import type { Size } from '../../core/size.js';
import type { Duration } from '../../core/duration.js';
import type { SshMachineOptions } from '../../communicators/ssh/index.js';
import type { TextInput } from '../../image/ref.js';
import type { CloudInitDocument } from '../../vm/media/cloud-init/seed.js';
import type { Ec2AccessProps } from './access.js';
import type { Ami } from './ami.js';
import type { Ec2ImageProps } from './image-props.js';
import type { addressKinds, spotStrategies, volumeTypes } from './steps.js';

/** How to log in. The machine's address is known by its instance. */
export interface Ec2SshProps extends Omit<SshMachineOptions, 'user'> {
  /** The user of the image: `admin` on Debian, `ubuntu` on Ubuntu, `ec2-user` on Amazon Linux and Fedora, `root` on others. */
  readonly user: TextInput;
  /** Where to connect to, instead of the instance's address: the near end of a tunnel of yours. @default - the address that `address` names */
  readonly host?: TextInput;
}

/** Filters of EC2's Describe calls: each has one of its values. https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/Using_Filtering.html */
export type Ec2Filters = Readonly<Record<string, string | readonly string[]>>;

/** A volume of the instance, and of the image. */
export interface Ec2BlockDevice {
  /** `/dev/xvda`, `/dev/sdf`. The name of the image's own root device changes that one. */
  readonly deviceName: string;
  /** In whole gibibytes. @default - as in the base image */
  readonly size?: Size;
  /** @default 'gp3' */
  readonly type?: (typeof volumeTypes)[number];
  /** Of `gp3`, `io1` and `io2`. @default - EC2's own */
  readonly iops?: number;
  /** MiB a second, of `gp3`. @default - EC2's own */
  readonly throughput?: number;
  /** @default - as the account and the base image say */
  readonly encrypted?: boolean;
  /** Id, ARN or alias of the KMS key. @default - the account's own for EBS */
  readonly kmsKeyId?: string;
  /** A snapshot to start from. @default - that of the base image, or an empty volume */
  readonly snapshotId?: string;
  /** Of instances that are made of the image; that of the build always goes. @default true */
  readonly deleteOnTermination?: boolean;
  /** The base image's device of this name is left out. @default false */
  readonly noDevice?: boolean;
}

/** An instance profile, and its role, for the time of the build. */
export interface Ec2TemporaryProfile {
  /** A policy document: `{ Version: '2012-10-17', Statement: [{ Effect: 'Allow', Action: 's3:GetObject', Resource: 'arn:aws:s3:::packages/*' }] }`. @default - none */
  readonly policy?: Readonly<Record<string, unknown>>;
  /** ARNs of managed policies. @default - none */
  readonly managedPolicies?: readonly string[];
}

/** Which host, and which neighbours. https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_Placement.html */
export interface Ec2Placement {
  /** Name of a placement group. */
  readonly group?: string;
  /** Of a partition placement group. */
  readonly partition?: number;
  /** Of a dedicated host; needs `tenancy: 'host'`. */
  readonly hostId?: string;
  /** Of a group of dedicated hosts. */
  readonly hostResourceGroupArn?: string;
  /** `host`: it starts on the same host again. */
  readonly affinity?: 'default' | 'host';
}

/** Which reserved capacity is used: any that fits, none, only such, or a certain one. */
export type Ec2CapacityReservation = 'open' | 'none' | 'capacity-reservations-only' | { readonly id: string } | { readonly resourceGroupArn: string };

export interface Ec2Spot {
  /** Dollars an hour, such as `'0.05'`. @default - no more than on demand */
  readonly maxPrice?: string;
  /**
   * By what EC2 chooses among all types and subnets at once, as a fleet of one instance; `'capacity-optimized-prioritized'` goes by the order that the types are
   * given in. https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/ec2-fleet-allocation-strategy.html
   * @default - they are tried in turn, in the order given
   */
  readonly allocationStrategy?: (typeof spotStrategies)[number];
}

/** What an instance is started with, and how it is reached. */
export interface Ec2MachineProps extends Ec2AccessProps {
  /** `AmiLookup.mostRecent({ owners, name })` or `Ami.fromId('ami-…')`. */
  readonly baseImage: Ami;
  /** Several are tried in this order, as long as there is no capacity. @default 't3.small' */
  readonly instanceType?: string | readonly string[];
  /** @default - one of the VPC that is named, or of the default VPC */
  readonly subnetId?: string;
  /** Subnets that match, from the one with the most free addresses on: the next ones are for when there is no capacity in its zone. `{ 'tag:tier': 'build' }` @default - none */
  readonly subnetFilter?: Ec2Filters;
  /** Whose subnets are used, and where the temporary security group is made. @default - that of the subnet, or the default VPC */
  readonly vpcId?: string;
  /** The one VPC that matches, in the place of `vpcId`. @default - none */
  readonly vpcFilter?: Ec2Filters;
  /** Several are tried in this order, as long as there is no capacity. @default - EC2 chooses */
  readonly availabilityZone?: string | readonly string[];
  /** @default - as the subnet says */
  readonly associatePublicIp?: boolean;
  /** Groups that are there already. @default - a temporary one, which lets `allowFrom` in */
  readonly securityGroupIds?: readonly string[];
  /** Groups of the VPC that match, in the place of `securityGroupIds`. @default - none */
  readonly securityGroupFilter?: Ec2Filters;
  /** Networks that the temporary security group lets in, such as `203.0.113.7/32`. @default - this computer's own address only */
  readonly allowFrom?: readonly string[];
  /**
   * Which of the instance's addresses is connected to. `'session-manager'`: none, through a port that Systems Manager forwards. For that the image has the SSM agent, its
   * subnet reaches that service, and this computer has Amazon's session-manager-plugin; nobody is let in from outside, and unless a profile is named, a temporary one lets the agent do its work.
   * @default 'public-ip'
   */
  readonly address?: (typeof addressKinds)[number];
  /** @default - the volumes of the base image */
  readonly blockDevices?: readonly Ec2BlockDevice[];
  /** What programs in the machine may do with the account: a profile that is there, by name or ARN, or a temporary one with these policies. @default - nothing */
  readonly instanceProfile?: string | Ec2TemporaryProfile;
  /** What cloud-init is to do; bake adds its keys. `false`: the image has no cloud-init, and `ssh` says how to log in. @default - only what bake needs to log in */
  readonly userData?: CloudInitDocument | false;
  /** The instance metadata service. @default { tokens: 'required' }: version 2 only */
  readonly metadata?: { readonly tokens?: 'required' | 'optional'; readonly hopLimit?: number; readonly tags?: boolean };
  /** One IPv6 address of the subnet's; `address: 'ipv6'` needs it, unless the subnet gives one to each machine. @default - as the subnet says */
  readonly ipv6?: boolean;
  /** @default - EC2 chooses */
  readonly placement?: Ec2Placement;
  /** @default 'open': one that fits is used */
  readonly capacityReservation?: Ec2CapacityReservation;
  /** ARNs of license configurations of the License Manager, such as for hosts whose operating system is licensed by core. @default - none */
  readonly licenses?: readonly string[];
  /** The machine may run enclaves. @default false */
  readonly nitroEnclave?: boolean;
  /** @default 'default' */
  readonly tenancy?: 'default' | 'dedicated' | 'host';
  /** @default - EC2's own for the type */
  readonly ebsOptimized?: boolean;
  /** CPU credits of a burstable type. @default - EC2's own for the type: 'standard' for t2, 'unlimited' for later ones, unless the account says otherwise */
  readonly cpuCredits?: 'standard' | 'unlimited';
  /** A spot instance; one that EC2 takes back is replaced by another, up to three times. @default - on demand */
  readonly spot?: boolean | Ec2Spot;
  /** Tags of the instance and its volumes; the source's tags are on them too. @default - none more */
  readonly runTags?: Readonly<Record<string, string>>;
  /** The second net: an instance that is still there after this time ends itself, even if this computer is gone. Needs cloud-init. @default Duration.hours(12) */
  readonly longestLife?: Duration;
  /**
   * A key pair of EC2, for images whose own agent lets its holder in. `{ name }`: one that is there, whose private half `ssh` names.
   * `'temporary'`: the run's own, imported for its time. `'instance-connect'`: the run's own is given to the machine by EC2 Instance Connect, whose
   * agent the image must have. @default - none: cloud-init is given the run's key with the user data
   */
  readonly keyPair?: 'temporary' | 'instance-connect' | { readonly name: string };
  readonly ssh: Ec2SshProps;
}

/** What an image is called. */
export interface Ec2NamingProps {
  /** 3 to 128 letters, digits and `( ) [ ] . - ' @ _ /` and space; may have `{image}`, `{build}` and `{platform}` in it. @default - `{image}-{build}-` and the id of the run that makes it, which begins with the time */
  readonly amiName?: TextInput;
  /** @default - none */
  readonly amiDescription?: TextInput;
  /** Replaces an image of the account that has the name, with its snapshots; `--force` does so too. @default false */
  readonly forceDeregister?: boolean;
  /** Tags of the image's snapshots; the source's tags are on them too. @default - none more */
  readonly snapshotTags?: Readonly<Record<string, string>>;
}

/** Props of `Ec2Source`. */
export interface Ec2SourceProps extends Ec2MachineProps, Ec2NamingProps, Ec2ImageProps {
  /** False: the machine is imaged as it runs, after its file systems were flushed. @default true, but for spot instances, which cannot be stopped */
  readonly stop?: boolean;
  /** Machines of the image may use ENA, the driver of all newer types. EC2 cannot take it back. @default - as the base image */
  readonly enaSupport?: boolean;
  /** Machines of the image may use the Intel 82599 interface, of older types. EC2 cannot take it back. @default - as the base image */
  readonly sriovSupport?: boolean;
  /** Only provisions: no image is made. @default false */
  readonly skipCreateAmi?: boolean;
}
