import { checkProps } from '../../image/check-props.js';
import type { Source } from '../../image/source.js';
import { checkDevice, checkMachine, deviceNames, type Fault, faultOf, machinePropNames } from './check-ec2-props.js';
import { isDefaultKey } from './check-image-props.js';
import { twice } from './device-names.js';
import type { Ec2Volume, Ec2VolumeSnapshot, Ec2VolumeSourceProps } from './volume-props.js';

const propNames: Readonly<Record<keyof Required<Ec2VolumeSourceProps>, true>> = { ...machinePropNames, volumes: true };
const { deleteOnTermination: _, noDevice: _none, ...kept } = deviceNames;
const volumeNames: Readonly<Record<keyof Required<Ec2Volume>, true>> = { ...kept, tags: true, keep: true, snapshot: true };
const snapshotNames: Readonly<Record<keyof Required<Ec2VolumeSnapshot>, true>> = { description: true, tags: true, users: true, groups: true };

/** Finds what does not fit together, before anything is made; each finding is an error annotation of the source. */
export function checkVolumeProps(source: Source, props: Ec2VolumeSourceProps): void {
  checkProps(source, props, propNames);
  const fault = faultOf(source);
  if (!Array.isArray(props.volumes) || props.volumes.length === 0) return fault('InvalidProp', '"volumes" is empty, so nothing would stay', "write volumes: [{ deviceName: '/dev/sdf', size: Size.gibibytes(100) }]");
  if (!checkMachine(source, props, fault)) return;
  for (const volume of props.volumes) {
    checkDevice(source, volume, fault, volumeNames);
    checkVolume(source, volume, fault);
  }
  for (const name of twice([...props.volumes, ...props.blockDevices ?? []].map(({ deviceName }) => deviceName))) fault('ConflictingProps', `the instance would have two volumes ${name}`, 'leave one of them out');
}

function checkVolume(source: Source, { deviceName, size, snapshotId, keep = true, snapshot = false, encrypted, kmsKeyId }: Ec2Volume, fault: Fault): void {
  const at = `the volume ${deviceName}`;
  if (size === undefined && snapshotId === undefined) fault('InvalidProp', `${at} has neither "size" nor "snapshotId"`, 'give its size');
  if (!keep && snapshot === false) fault('ConflictingProps', `${at} is not kept, and there is no snapshot of it`, 'add snapshot: true, or put it into blockDevices');
  if (typeof snapshot !== 'object') return;
  checkProps(source, snapshot, snapshotNames);
  const { users = [], groups = [] } = snapshot;
  if (encrypted !== true || (users.length === 0 && groups.length === 0)) return;
  if (groups.length > 0) fault('CannotShare', `${at} is encrypted, and a snapshot of it cannot be for everybody`, 'name users, or leave encrypted out');
  else if (isDefaultKey(kmsKeyId)) fault('CannotShare', `${at} is encrypted with the account's default key, and nobody else can use that: "users" cannot use its snapshot`, 'give kmsKeyId, a key that those accounts may use');
}
