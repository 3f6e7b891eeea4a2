import type { IConstruct } from 'constructs';
import { checkProps } from '../../image/check-props.js';
import { accessPropNames, assumeRoleNames } from './access.js';
import { checkDevice, deviceNames, type Fault, faultOf, namingPropNames } from './check-ec2-props.js';
import { checkImageProps, imagePropNames } from './check-image-props.js';
import { defaultRootDevice, twice } from './device-names.js';
import type { Ec2ImportBucket, Ec2ImportProps, Ec2ImportRoot } from './import-props.js';
import { importArchitectures, importFormats, sentFormats } from './import-steps.js';
import type { PostProcessorProps } from '../../image/post-processor.js';
import { bootModes } from './volume-steps.js';

const { encryptBoot: _boot, kmsKeyId: _key, skipSaveBuildRegion: _skip, ...ofImage } = imagePropNames;
/** All beyond those of every post-processor. */
export const importPropNames: Readonly<Record<keyof Required<Omit<Ec2ImportProps, keyof PostProcessorProps>>, true>> = {
  ...accessPropNames, ...namingPropNames, ...ofImage, bucket: true, format: true, architecture: true, bootMode: true, uefiData: true, tpmSupport: true, enaSupport: true, sriovSupport: true,
  rootDevice: true, amiBlockDevices: true, snapshotDescription: true,
};
const rootNames: Readonly<Record<keyof Required<Ec2ImportRoot>, true>> = { deviceName: true, size: true, type: true, iops: true, throughput: true, encrypted: true, kmsKeyId: true, deleteOnTermination: true };
const bucketNames: Readonly<Record<keyof Required<Ec2ImportBucket>, true>> = { name: true, prefix: true, roleName: true, format: true, kmsKeyId: true };
const { snapshotId: _snapshot, noDevice: _none, ...emptyNames } = deviceNames;

const keyArn = /^arn:aws[\w-]*:kms:[\w-]+:\d{12}:key\/.+$/;

/** Finds what does not fit together, before anything is made; each finding is an error annotation of the post-processor. */
export function checkImportProps(construct: IConstruct, props: Ec2ImportProps): void {
  const fault = faultOf(construct);
  const { rootDevice = {}, amiBlockDevices = [], assumeRole, bucket } = props;
  if (assumeRole !== undefined) checkProps(construct, assumeRole, assumeRoleNames);
  checkChoice('format', props.format, importFormats, fault);
  checkChoice('architecture', props.architecture, importArchitectures, fault);
  checkChoice('bootMode', props.bootMode, bootModes, fault);
  checkStart(props, fault);
  const root = { ...rootDevice, deviceName: rootDevice.deviceName ?? defaultRootDevice };
  checkDevice(construct, root, fault, rootNames);
  if (bucket === undefined) checkKey(rootDevice, fault);
  else checkBucket(construct, bucket, fault);
  for (const device of amiBlockDevices) checkDevice(construct, device, fault, emptyNames);
  for (const device of amiBlockDevices) if (device.size === undefined) fault('InvalidProp', `the block device ${device.deviceName} has no "size", and starts empty`, 'give its size');
  for (const name of twice([root.deviceName, ...amiBlockDevices.map(({ deviceName }) => deviceName)])) fault('ConflictingProps', `the image would have two devices ${name}`, 'give one of them another name');
  checkImageProps(construct, { ...props, blockDevices: [root, ...amiBlockDevices] }, fault);
}

function checkChoice(name: string, value: string | undefined, choices: readonly string[], fault: Fault): void {
  if (value !== undefined && !choices.includes(value)) fault('InvalidProp', `"${name}" is ${JSON.stringify(value)}`, `choose from ${choices.join(', ')}`);
}

function checkStart({ architecture, bootMode, uefiData, tpmSupport }: Ec2ImportProps, fault: Fault): void {
  if (architecture === 'arm64' && bootMode !== undefined && bootMode !== 'uefi') fault('ConflictingProps', `"bootMode" is ${bootMode}, and arm64 starts by UEFI only`, "write bootMode: 'uefi'");
  if (tpmSupport !== undefined && bootMode !== 'uefi') fault('ConflictingProps', '"tpmSupport" needs UEFI, and that is not said', "add bootMode: 'uefi'");
  if (uefiData !== undefined && (bootMode === undefined || bootMode === 'legacy-bios')) fault('ConflictingProps', '"uefiData" is for UEFI, and that is not said', "add bootMode: 'uefi'");
}

function checkBucket(construct: IConstruct, bucket: Ec2ImportBucket, fault: Fault): void {
  if (typeof bucket !== 'object' || typeof bucket.name !== 'string') return fault('InvalidProp', '"bucket" has no name', "write bucket: { name: 'imports' }");
  checkProps(construct, bucket, bucketNames);
  checkChoice('bucket.format', bucket.format, sentFormats, fault);
}

function checkKey({ kmsKeyId }: Ec2ImportRoot, fault: Fault): void {
  if (kmsKeyId !== undefined && !keyArn.test(kmsKeyId)) fault('InvalidProp', `"rootDevice.kmsKeyId" is ${JSON.stringify(kmsKeyId)}, and the direct APIs of EBS take the ARN of a key only`, 'write arn:aws:kms:eu-west-1:123456789012:key/…: "aws kms describe-key" tells it');
}
