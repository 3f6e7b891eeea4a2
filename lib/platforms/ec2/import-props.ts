import type { PostProcessorProps } from '../../image/post-processor.js';
import type { TextInput } from '../../image/ref.js';
import type { Ec2AccessProps } from './access.js';
import type { Ec2BlockDevice, Ec2NamingProps } from './ec2-props.js';
import type { Ec2ImageProps } from './image-props.js';
import type { importArchitectures, importFormats, sentFormats } from './import-steps.js';
import type { Ec2ImageDevice } from './surrogate-props.js';
import type { bootModes } from './volume-steps.js';

/** The root device of an image that is made of a disk. */
export interface Ec2ImportRoot {
  /** @default '/dev/xvda' */
  readonly deviceName?: string;
  /** Of machines of the image, in whole gibibytes; not smaller than the disk. @default - as the disk */
  readonly size?: Ec2BlockDevice['size'];
  /** @default 'gp3' */
  readonly type?: Ec2BlockDevice['type'];
  /** Of `gp3`, `io1` and `io2`. @default - EC2's own */
  readonly iops?: number;
  /** MiB a second, of `gp3`. @default - EC2's own */
  readonly throughput?: number;
  /** @default - as the account says */
  readonly encrypted?: boolean;
  /** ARN of the KMS key itself, not of an alias; by way of a bucket, id and alias too. @default - the account's own for EBS */
  readonly kmsKeyId?: string;
  /** @default true */
  readonly deleteOnTermination?: boolean;
}

/** A bucket that the disk goes through. */
export interface Ec2ImportBucket {
  /** Of one that is there, in the region of the image. */
  readonly name: string;
  /** What the name of the object begins with; the rest is the run's. @default 'bake/' */
  readonly prefix?: string;
  /** The role that EC2 reads the bucket as: it trusts `vmie.amazonaws.com`, and may read the bucket and make snapshots. https://docs.aws.amazon.com/vm-import/latest/userguide/required-permissions.html @default 'vmimport' */
  readonly roleName?: string;
  /** What is sent: a compressed VMDK (of the kind stream-optimized), a dynamic VHD, or all bytes of the disk. @default 'vmdk' */
  readonly format?: (typeof sentFormats)[number];
  /** Id, ARN or alias of the key that the object is encrypted with, which the role may use too. @default - as the bucket says */
  readonly kmsKeyId?: string;
}

/** Props of `Ec2Import`. */
export interface Ec2ImportProps extends PostProcessorProps, Ec2AccessProps, Ec2NamingProps, Omit<Ec2ImageProps, 'encryptBoot' | 'kmsKeyId' | 'skipSaveBuildRegion'> {
  /**
   * The disk goes through a bucket, and EC2 makes a snapshot of that object (ImportSnapshot): where the direct APIs of EBS are not allowed or cannot be
   * reached. The object is removed as soon as it is read, and also if the build fails. @default - none: the blocks go straight into a snapshot
   */
  readonly bucket?: Ec2ImportBucket;
  /** What the disk is. @default - as the artifact says, or the ending of the file's name: `.qcow2`, `.vmdk`, `.vdi`, `.vhdx`, `.vhd`; any other is raw */
  readonly format?: (typeof importFormats)[number];
  /** What the system on the disk is for. @default - as the artifact says; x86_64 if it does not */
  readonly architecture?: (typeof importArchitectures)[number];
  /** How machines of the image start. @default - as the artifact says: `uefi` or `legacy-bios`; if it does not, `uefi` for arm64 and `legacy-bios` for x86_64 */
  readonly bootMode?: (typeof bootModes)[number];
  /** The UEFI variables of the image, in base64: what `uefivars.py` of AWS makes; those of QEMU are in another form. @default - none */
  readonly uefiData?: TextInput;
  /** Machines of the image have a TPM; needs `bootMode: 'uefi'`. @default - none */
  readonly tpmSupport?: 'v2.0';
  /** The system has the driver of ENA, without which newer instance types do not start it. @default true */
  readonly enaSupport?: boolean;
  /** The system has the driver of the Intel 82599 interface, of older types. @default false */
  readonly sriovSupport?: boolean;
  readonly rootDevice?: Ec2ImportRoot;
  /** Volumes of the image beside its root device, which are empty when a machine of it starts. @default - none */
  readonly amiBlockDevices?: readonly Ec2ImageDevice[];
  /** @default - none */
  readonly snapshotDescription?: TextInput;
}
