import type { TextInput } from '../../image/ref.js';
import type { Ec2BlockDevice, Ec2MachineProps } from './ec2-props.js';

/** A snapshot of a volume, once it is provisioned. */
export interface Ec2VolumeSnapshot {
  /** @default - none */
  readonly description?: TextInput;
  /** Beside those of the source. @default - none more */
  readonly tags?: Readonly<Record<string, string>>;
  /** Ids of accounts that may make volumes of it. @default - nobody else */
  readonly users?: readonly string[];
  /** `['all']` is everybody. @default - nobody else */
  readonly groups?: readonly 'all'[];
}

/** A volume that is provisioned. */
export interface Ec2Volume extends Omit<Ec2BlockDevice, 'deleteOnTermination' | 'noDevice'> {
  /** Beside those of the source. @default - none more */
  readonly tags?: Readonly<Record<string, string>>;
  /** False of one of which only a snapshot stays. @default true */
  readonly keep?: boolean;
  /** @default false */
  readonly snapshot?: boolean | Ec2VolumeSnapshot;
}

/** Props of `Ec2VolumeSource`. */
export interface Ec2VolumeSourceProps extends Ec2MachineProps {
  /** What stays. They are in the zone of the instance: give `availabilityZone` or `subnetId` if that matters. */
  readonly volumes: readonly Ec2Volume[];
  /** Other volumes of the instance; they go with it. @default - the volumes of the base image */
  readonly blockDevices?: readonly Ec2BlockDevice[];
}
