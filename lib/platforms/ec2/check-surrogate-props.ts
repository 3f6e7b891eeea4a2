import { checkProps } from '../../image/check-props.js';
import type { Source } from '../../image/source.js';
import { checkDevice, checkMachine, deviceNames, type Fault, faultOf, machinePropNames, namingPropNames } from './check-ec2-props.js';
import { checkImageProps, imagePropNames } from './check-image-props.js';
import { defaultRootDevice, twice } from './device-names.js';
import type { Ec2ImageDevice, Ec2SurrogateDevice, Ec2SurrogateRoot, Ec2SurrogateSourceProps } from './surrogate-props.js';

const propNames: Readonly<Record<keyof Required<Ec2SurrogateSourceProps>, true>> = {
  ...machinePropNames, ...namingPropNames, ...imagePropNames, blockDevices: true, amiRootDevice: true, amiBlockDevices: true, architecture: true, bootMode: true, uefiData: true, tpmSupport: true,
  enaSupport: true, sriovSupport: true, snapshotDescription: true, useCreateImage: true, skipCreateAmi: true,
};
const launchNames: Readonly<Record<keyof Required<Ec2SurrogateDevice>, true>> = { ...deviceNames, omitFromArtifact: true };
const { snapshotId: _, noDevice: _none, ...imageDeviceNames } = deviceNames;
const ofImage: Readonly<Record<keyof Required<Ec2ImageDevice>, true>> = imageDeviceNames;
const rootNames: Readonly<Record<keyof Required<Ec2SurrogateRoot>, true>> = { sourceDeviceName: true, deviceName: true, size: true, type: true, iops: true, throughput: true, deleteOnTermination: true };

/** Finds what does not fit together, before anything is made; each finding is an error annotation of the source. */
export function checkSurrogateProps(source: Source, props: Ec2SurrogateSourceProps): void {
  checkProps(source, props, propNames);
  const fault = faultOf(source);
  if (!Array.isArray(props.blockDevices)) return fault('InvalidProp', '"blockDevices" is not a list', "write blockDevices: [{ deviceName: '/dev/sdf', size: Size.gibibytes(4) }]");
  if (props.amiRootDevice === undefined) return fault('InvalidProp', 'nothing says which volume becomes the root device of the image: "amiRootDevice" is missing', "write amiRootDevice: { sourceDeviceName: '/dev/sdf' }");
  if (!checkMachine(source, props, fault, launchNames)) return;
  checkProps(source, props.amiRootDevice, rootNames);
  checkDevice(source, rootOf(props.amiRootDevice), fault, deviceNames);
  for (const device of props.amiBlockDevices ?? []) checkDevice(source, device, fault, ofImage);
  checkDevices(props, fault);
  checkStart(props, fault);
  if (props.useCreateImage === true) checkCreateImage(props, fault);
  if (props.skipCreateAmi === true) checkNothing(props, fault);
  checkImageProps(source, { ...props, blockDevices: props.blockDevices.filter(({ omitFromArtifact = false }) => !omitFromArtifact) }, fault);
}

function rootOf({ sourceDeviceName: _source, deviceName = defaultRootDevice, ...root }: Ec2SurrogateRoot) {
  return { ...root, deviceName };
}

function checkDevices({ blockDevices, amiRootDevice: { sourceDeviceName, deviceName = defaultRootDevice, size }, amiBlockDevices = [], useCreateImage = false }: Ec2SurrogateSourceProps, fault: Fault): void {
  const built = blockDevices.find((device) => device.deviceName === sourceDeviceName);
  if (built === undefined) fault('InvalidProp', `"amiRootDevice" is built on ${sourceDeviceName}, which is none of "blockDevices"`, `add { deviceName: '${sourceDeviceName}', size: … } to blockDevices`);
  if (built?.omitFromArtifact === true) fault('ConflictingProps', `the image is built on ${sourceDeviceName}, which has "omitFromArtifact"`, 'leave that out');
  if (built?.noDevice === true) fault('ConflictingProps', `the image is built on ${sourceDeviceName}, which has "noDevice"`, 'leave that out');
  if (built !== undefined && built.size === undefined && built.snapshotId === undefined) fault('InvalidProp', `the block device ${sourceDeviceName} has neither "size" nor "snapshotId"`, 'give its size');
  if (size !== undefined && built?.size !== undefined && size.toBytes() < built.size.toBytes()) fault('InvalidProp', `"amiRootDevice" has ${size.toString()}, and is built on ${built.size.toString()}`, 'a volume cannot be smaller than its snapshot');
  for (const name of twice(blockDevices.map((device) => device.deviceName))) fault('InvalidProp', `"blockDevices" has ${name} twice`, 'leave one of them out');
  const kept = blockDevices.filter((device) => device !== built && device.omitFromArtifact !== true && device.noDevice !== true).map((device) => device.deviceName);
  const inImage = [...(useCreateImage ? [] : [deviceName]), ...kept, ...amiBlockDevices.map((device) => device.deviceName)];
  for (const name of twice(inImage)) fault('ConflictingProps', `the image would have two devices ${name}`, kept.includes(name) ? 'give the one of blockDevices omitFromArtifact: true, or the other one another name' : 'give one of them another name');
}

function checkStart({ architecture, bootMode, uefiData, tpmSupport }: Ec2SurrogateSourceProps, fault: Fault): void {
  if (tpmSupport !== undefined && bootMode !== 'uefi') fault('ConflictingProps', '"tpmSupport" needs UEFI, and that is not said', "add bootMode: 'uefi'");
  if (uefiData !== undefined && (bootMode === undefined || bootMode === 'legacy-bios')) fault('ConflictingProps', '"uefiData" is for UEFI, and that is not said', "add bootMode: 'uefi'");
  if (architecture === 'arm64' && bootMode !== undefined && bootMode !== 'uefi') fault('ConflictingProps', `"bootMode" is ${bootMode}, and arm64 starts by UEFI only`, "write bootMode: 'uefi'");
}

/** What only a registered image can be told, and what needs a machine that stands still. */
function checkCreateImage({ amiRootDevice: { sourceDeviceName: _source, ...root }, architecture, bootMode, uefiData, tpmSupport, snapshotDescription, spot = false, enaSupport, skipCreateAmi }: Ec2SurrogateSourceProps, fault: Fault): void {
  const told = [...Object.entries({ architecture, bootMode, uefiData, tpmSupport, snapshotDescription }), ...Object.entries(root).map(([name, value]) => [`amiRootDevice.${name}`, value] as const)].filter(([, value]) => value !== undefined).map(([name]) => `"${name}"`);
  if (told.length > 0) fault('ConflictingProps', `with "useCreateImage" the image is as the instance, so ${told.join(', ')} would have no effect`, 'leave them out, or useCreateImage');
  if (enaSupport === false) fault('ConflictingProps', 'with "useCreateImage" the image is as the instance, and EC2 does not take "enaSupport" back', 'leave it out, or useCreateImage');
  if (spot !== false) fault('ConflictingProps', 'a spot instance cannot be stopped, and "useCreateImage" exchanges the root volume of one that stands still', 'leave one of them out');
  if (skipCreateAmi === true) fault('ConflictingProps', 'no image is made, so "useCreateImage" would have no effect', 'leave it out, or skipCreateAmi');
}

function checkNothing(props: Ec2SurrogateSourceProps, fault: Fault): void {
  const names = [...Object.keys(imagePropNames), ...Object.keys(namingPropNames), 'amiBlockDevices', 'architecture', 'bootMode', 'uefiData', 'tpmSupport', 'enaSupport', 'sriovSupport', 'snapshotDescription'];
  const useless = names.filter((name) => props[name as keyof Ec2SurrogateSourceProps] !== undefined).map((name) => `"${name}"`);
  if (useless.length > 0) fault('ConflictingProps', `no image is made, so ${useless.join(', ')} would have no effect`, 'leave them out, or skipCreateAmi');
}
