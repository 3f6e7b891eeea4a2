import type { Duration } from '../../core/duration.js';
import type { TextInput } from '../../image/ref.js';

/** Who else may use an image. */
export interface Ec2Sharing {
  /** Ids of accounts whose machines may be started from it. */
  readonly users?: readonly string[];
  /** `['all']` is everybody; EC2 knows no other group. */
  readonly groups?: readonly 'all'[];
  /** ARNs: `arn:aws:organizations::123456789012:organization/o-123example`. */
  readonly organizations?: readonly string[];
  /** ARNs: `arn:aws:organizations::123456789012:ou/o-123example/ou-1234-5example`. */
  readonly organizationalUnits?: readonly string[];
  /** Ids of accounts that may make volumes of its snapshots. */
  readonly snapshotUsers?: readonly string[];
  /** `['all']` is everybody. */
  readonly snapshotGroups?: readonly 'all'[];
}

/** Snapshots that are prepared beforehand, so that a Windows machine starts up to 65 % faster: https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/win-ami-config-fast-launch.html */
export interface Ec2FastLaunch {
  /** Of the image's region: what they are prepared in. @default - EC2's own */
  readonly launchTemplate?: { readonly id?: string; readonly name?: string; /** @default '$Default' */ readonly version?: string };
  /** At least 6. @default 6 */
  readonly maxParallelLaunches?: number;
  /** How many are kept ready. @default 5 */
  readonly targetResourceCount?: number;
}

/** What may differ from region to region. */
export interface Ec2RegionProps {
  /** @default - of a copy: as `share` of the source; of the source: nobody else */
  readonly share?: Ec2Sharing;
  /** @default - of a copy: as the source, which has none unless told */
  readonly fastLaunch?: boolean | Ec2FastLaunch;
  /**
   * Parameters of Systems Manager, in the image's region, that get its id when all else has succeeded: what launch templates
   * (`resolve:ssm:/web/ami`), CloudFormation and Terraform read. If the build fails after that, they get what they had before.
   * @default - of a copy: as the source, which has none unless told
   */
  readonly ssmParameter?: TextInput | readonly TextInput[];
}

/** Another region that gets the image. */
export interface Ec2Copy extends Ec2RegionProps {
  readonly region: string;
  /** @default - as in the build's own region */
  readonly name?: TextInput;
  /** @default - `encryptBoot`; EC2 cannot make an unencrypted copy of what is encrypted */
  readonly encrypted?: boolean;
  /** Id, ARN or alias of a key of that region; it implies `encrypted`. @default - the account's own for EBS there */
  readonly kmsKeyId?: string;
  /** Beside those of the source. @default - none more */
  readonly tags?: Readonly<Record<string, string>>;
  /** Pays for a copy that is there in this time: 15 minutes to 48 hours, in quarters of an hour. @default - as long as it takes */
  readonly completionDuration?: Duration;
}

/** What becomes of the image that a source has made. */
export interface Ec2ImageProps extends Ec2RegionProps {
  /** Other regions that get it, each by its name or with what is different there. @default - none */
  readonly copyTo?: readonly (string | Ec2Copy)[];
  /** The image is encrypted by copying, so that the machine it is made in need not be; the first one is removed. @default false */
  readonly encryptBoot?: boolean;
  /** The key for `encryptBoot`: id, ARN or alias. @default - the account's own for EBS */
  readonly kmsKeyId?: string;
  /** Only the copies stay. @default false */
  readonly skipSaveBuildRegion?: boolean;
  /** From when on it is no longer found by who does not know its id: a time, or how long after the build. At most 10 years. @default - never */
  readonly deprecateAt?: Date | Duration;
  /** Nobody can deregister it before this is taken off; with `cooldown`, for 24 hours after that neither: not even bake, if the build fails later. @default false */
  readonly deregistrationProtection?: boolean | { readonly cooldown?: boolean };
  /** `v2.0`: machines of it ask for version 2 of the metadata service, unless told otherwise. EC2 does not take it back. @default - as the base image */
  readonly imdsSupport?: 'v2.0';
}
