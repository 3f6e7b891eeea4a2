import type { IConstruct } from 'constructs';
import { sshBastionPropNames, sshMachineOptionNames } from '../../communicators/ssh/ssh-props.js';
import { Annotations } from '../../image/annotations.js';
import { checkProps } from '../../image/check-props.js';
import type { Source } from '../../image/source.js';
import { accessPropNames, assumeRoleNames } from './access.js';
import { Ami } from './ami.js';
import { checkImageProps, imagePropNames } from './check-image-props.js';
import { checkNetwork } from './check-network.js';
import type { Ec2BlockDevice, Ec2MachineProps, Ec2NamingProps, Ec2Placement, Ec2SourceProps, Ec2Spot, Ec2SshProps, Ec2TemporaryProfile } from './ec2-props.js';
import { hasOwnLogin } from './login.js';

/** For a source's own list. */
export const machinePropNames: Readonly<Record<keyof Required<Ec2MachineProps>, true>> = {
  ...accessPropNames, baseImage: true, instanceType: true, subnetId: true, subnetFilter: true, vpcId: true, vpcFilter: true, availabilityZone: true, securityGroupFilter: true, associatePublicIp: true, ipv6: true, placement: true, capacityReservation: true, licenses: true, nitroEnclave: true, keyPair: true,
  securityGroupIds: true, allowFrom: true, address: true, blockDevices: true, instanceProfile: true, userData: true, metadata: true, tenancy: true, ebsOptimized: true,
  cpuCredits: true, spot: true, runTags: true, longestLife: true, ssh: true,
};
const profileNames: Readonly<Record<keyof Required<Ec2TemporaryProfile>, true>> = { policy: true, managedPolicies: true };
const spotNames: Readonly<Record<keyof Required<Ec2Spot>, true>> = { maxPrice: true, allocationStrategy: true };
const placementNames: Readonly<Record<keyof Required<Ec2Placement>, true>> = { group: true, partition: true, hostId: true, hostResourceGroupArn: true, affinity: true };
/** For a source's own list. */
export const namingPropNames: Readonly<Record<keyof Required<Ec2NamingProps>, true>> = { amiName: true, amiDescription: true, forceDeregister: true, snapshotTags: true };
const propNames: Readonly<Record<keyof Required<Ec2SourceProps>, true>> = { ...machinePropNames, ...namingPropNames, ...imagePropNames, stop: true, enaSupport: true, sriovSupport: true, skipCreateAmi: true };
const sshNames: Readonly<Record<keyof Required<Ec2SshProps>, true>> = { ...sshMachineOptionNames, host: true };
/** For a device's own list. */
export const deviceNames: Readonly<Record<keyof Required<Ec2BlockDevice>, true>> = {
  deviceName: true, size: true, type: true, iops: true, throughput: true, encrypted: true, kmsKeyId: true, snapshotId: true, deleteOnTermination: true, noDevice: true,
};

/** Tells of one that was found. */
export type Fault = (code: string, message: string, hint: string) => void;

/** Finds what does not fit together, before anything is made; each finding is an error annotation of the source. */
export function checkEc2Props(source: Source, props: Ec2SourceProps): void {
  checkProps(source, props, propNames);
  const fault = faultOf(source);
  if (!checkMachine(source, props, fault)) return;
  checkImage(props, fault);
  checkImageProps(source, props, fault);
}

/** Tells of faults of a construct. */
export function faultOf(source: IConstruct): Fault {
  return (code, message, hint) => Annotations.of(source).addError(message, { code, hint });
}

/**
 * Finds what cannot be started, or cannot be reached.
 * @returns false if nobody can log in, so that nothing else is worth looking at
 */
export function checkMachine(source: Source, props: Ec2MachineProps, fault: Fault, names: Readonly<Record<string, true>> = deviceNames): boolean {
  if (!Ami.isAmi(props.baseImage)) fault('InvalidProp', '"baseImage" is not an Ami', "write AmiLookup.mostRecent({ owners: ['self'], name: 'base-*' }) or Ami.fromId('ami-…')");
  if (props.ssh === undefined) {
    fault('NoLogin', 'nothing says who logs in', "give ssh: { user: 'admin' } (Debian), 'ubuntu' or 'ec2-user': whoever the base image has");
    return false;
  }
  checkProps(source, props.ssh, sshNames);
  if (props.ssh.bastion !== undefined) checkProps(source, props.ssh.bastion, sshBastionPropNames);
  if (props.placement !== undefined) checkProps(source, props.placement, placementNames);
  if (props.assumeRole !== undefined) checkProps(source, props.assumeRole, assumeRoleNames);
  if (typeof props.spot === 'object') checkProps(source, props.spot, spotNames);
  if (typeof props.instanceProfile === 'object') checkProfile(props.instanceProfile, source, fault);
  for (const device of props.blockDevices ?? []) checkDevice(source, device, fault, names);
  checkLogin(props, fault);
  checkNetwork(props, fault);
  return true;
}

function checkProfile(profile: Ec2TemporaryProfile, source: Source, fault: Fault): void {
  checkProps(source, profile, profileNames);
  const { policy, managedPolicies = [] } = profile;
  if (policy === undefined && managedPolicies.length === 0) fault('InvalidProp', 'the temporary instance profile allows nothing', 'give it a policy or managedPolicies, or leave instanceProfile out');
  if (policy !== undefined && !('Statement' in policy)) fault('InvalidProp', '"instanceProfile.policy" is not a policy document: it has no Statement', "write { Version: '2012-10-17', Statement: [{ Effect: 'Allow', Action: 's3:GetObject', Resource: 'arn:aws:s3:::packages/*' }] }");
}

/** Finds what a volume cannot have. @param names what a device of this source may have */
export function checkDevice(source: IConstruct, device: Ec2BlockDevice, fault: Fault, names: Readonly<Record<string, true>>): void {
  checkProps(source, device, names as Readonly<Record<keyof Required<Ec2BlockDevice>, true>>);
  const { deviceName, type = 'gp3', iops, throughput, kmsKeyId, encrypted } = device;
  const at = `the block device ${deviceName}`;
  if (iops !== undefined && !['gp3', 'io1', 'io2'].includes(type)) fault('InvalidProp', `${at} has "iops", and a volume of the type ${type} has none to choose`, 'leave iops out, or make it gp3, io1 or io2');
  if (iops === undefined && (type === 'io1' || type === 'io2')) fault('InvalidProp', `${at} is of the type ${type}, which must be told its "iops"`, 'give iops');
  if (throughput !== undefined && type !== 'gp3') fault('InvalidProp', `${at} has "throughput", which only gp3 has`, 'leave throughput out, or make it gp3');
  if (kmsKeyId !== undefined && encrypted !== true) fault('InvalidProp', `${at} has "kmsKeyId" and is not encrypted`, 'add encrypted: true');
}

function checkLogin({ ssh, userData, longestLife, keyPair }: Ec2MachineProps, fault: Fault): void {
  if (typeof keyPair === 'string' && hasOwnLogin(ssh)) fault('ConflictingProps', `keyPair: '${keyPair}' is the run's own key, and "ssh" names another one`, 'leave one of them out');
  if (typeof keyPair === 'string' && ssh.temporaryKeyPair?.type === 'ecdsa') fault('InvalidProp', 'EC2 takes no key of the type ecdsa', "write ssh: { temporaryKeyPair: { type: 'ed25519' } }");
  if (typeof keyPair === 'object' && !hasOwnLogin(ssh)) fault('NoLogin', `only who has the private half of the key pair ${keyPair.name} can log in with it`, 'give ssh: { privateKeyFile } or { agent: true }');
  if (userData !== false) return;
  if (!hasOwnLogin(ssh) && keyPair === undefined) fault('NoLogin', 'without cloud-init, bake cannot put a key into the machine', "give ssh: { user, privateKeyFile, hostKey }, keyPair: 'temporary' or 'instance-connect' if the image has EC2's agents, or leave userData: false out");
  if (ssh.hostKey === undefined) fault('HostKeyNotNamed', 'nothing says which host key this machine shows', "give ssh: { hostKey: HostKey.publicKey('ssh-ed25519 …') } or HostKey.fingerprint('SHA256:…'); HostKey.insecureAcceptAny() trusts whoever answers at its address");
  if (longestLife !== undefined) fault('InvalidProp', '"longestLife" needs cloud-init, and with userData: false there is none', 'leave one of them out');
}

function checkImage(props: Ec2SourceProps, fault: Fault): void {
  const { skipCreateAmi, spot = false, stop, enaSupport, sriovSupport } = props;
  if (spot !== false && stop === true) fault('ConflictingProps', 'a spot instance cannot be stopped', 'leave stop or spot out');
  if ((spot !== false || stop === false) && (enaSupport === true || sriovSupport === true)) fault('ConflictingProps', '"enaSupport" and "sriovSupport" are set on a machine that stands still, and this one is not stopped', `leave them out, or ${spot === false ? 'stop: false' : 'spot'}`);
  if (skipCreateAmi !== true) return;
  const ofImage = Object.fromEntries(Object.keys(imagePropNames).map((name) => [name, props[name as keyof typeof imagePropNames]]));
  const { amiName, amiDescription, forceDeregister, snapshotTags } = props;
  const useless = Object.entries({ amiName, amiDescription, forceDeregister, snapshotTags, stop, enaSupport, sriovSupport, ...ofImage }).filter(([, value]) => value !== undefined).map(([name]) => `"${name}"`);
  if (useless.length > 0) fault('ConflictingProps', `no image is made, so ${useless.join(', ')} would have no effect`, 'leave them out, or skipCreateAmi');
}
