import type { TextInput } from '../../image/ref.js';
import type { Ec2BlockDevice, Ec2MachineProps, Ec2NamingProps } from './ec2-props.js';
import type { Ec2ImageProps } from './image-props.js';
import type { architectures, bootModes } from './volume-steps.js';

/** A volume of the instance that an image is built on. */
export interface Ec2SurrogateDevice extends Ec2BlockDevice {
  /** The volume is only for building. @default false: the image has it, by the same name */
  readonly omitFromArtifact?: boolean;
}

/** The root device of an image that is put together of snapshots. */
export interface Ec2SurrogateRoot {
  /** The device of the instance that it is built on; one of `blockDevices`. */
  readonly sourceDeviceName: string;
  /** @default '/dev/xvda' */
  readonly deviceName?: string;
  /** Of machines of the image, in whole gibibytes; not smaller than what it is built on. @default - as it is built on */
  readonly size?: Ec2BlockDevice['size'];
  /** @default 'gp3' */
  readonly type?: Ec2BlockDevice['type'];
  /** Of `gp3`, `io1` and `io2`. @default - EC2's own */
  readonly iops?: number;
  /** MiB a second, of `gp3`. @default - EC2's own */
  readonly throughput?: number;
  /** @default true */
  readonly deleteOnTermination?: boolean;
}

/** Another volume of the image, which is empty when a machine of it starts. */
export type Ec2ImageDevice = Omit<Ec2BlockDevice, 'snapshotId' | 'noDevice'>;

/** Props of `Ec2SurrogateSource`. */
export interface Ec2SurrogateSourceProps extends Ec2MachineProps, Ec2NamingProps, Ec2ImageProps {
  /** The volumes of the instance, at least the one that becomes the root device of the image. All are in the image but those that are omitted. */
  readonly blockDevices: readonly Ec2SurrogateDevice[];
  readonly amiRootDevice: Ec2SurrogateRoot;
  /** Volumes of the image that the instance does not have. @default - none */
  readonly amiBlockDevices?: readonly Ec2ImageDevice[];
  /** Of what is built. @default - as the base image */
  readonly architecture?: (typeof architectures)[number];
  /** How machines of the image start. @default - as EC2 does for the instance type and architecture */
  readonly bootMode?: (typeof bootModes)[number];
  /** The UEFI variables of the image, in base64: what `uefivars.py` of AWS makes. @default - none */
  readonly uefiData?: TextInput;
  /** Machines of the image have a TPM; needs `bootMode: 'uefi'`. @default - none */
  readonly tpmSupport?: 'v2.0';
  /** What is built has the driver of ENA, without which newer instance types do not start it. @default true */
  readonly enaSupport?: boolean;
  /** What is built has the driver of the Intel 82599 interface, of older types. @default false */
  readonly sriovSupport?: boolean;
  /** @default - none */
  readonly snapshotDescription?: TextInput;
  /**
   * The volume becomes the root of the instance itself, of which the image is then made: so the image keeps what the base image
   * has and only EC2 can give, such as product codes and licences. Not with what only a registered image can be told.
   * @default false
   */
  readonly useCreateImage?: boolean;
  /** Only provisions: no image is made. @default false */
  readonly skipCreateAmi?: boolean;
}
