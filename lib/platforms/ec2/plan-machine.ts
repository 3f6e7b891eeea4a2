import type { Connection } from '../../core/communicator.js';
import { Duration } from '../../core/duration.js';
import { Size } from '../../core/size.js';
import type { BuildPlanner, PlannedStep, StepOptions } from '../../image/compile.js';
import type { Ref } from '../../image/ref.js';
import { vmTidy } from '../../vm/tidy/steps.js';
import { accessOf } from './access.js';
import type { Ec2BlockDevice, Ec2MachineProps } from './ec2-props.js';
import { addLogin, type Login } from './login.js';
import { planNetwork } from './plan-network.js';
import { type BlockDeviceSpec, type Ec2Access, ec2BaseImage, ec2Instance, ec2InstanceProfile, ec2KeyPair, ec2LaunchCheck, ec2NetworkDrivers, ec2Ready, ec2Stop, ec2Tunnel } from './steps.js';

/** A machine that is in the plan, with its provisioners. */
export interface PlannedMachine {
  readonly access: Ec2Access;
  /** Has the outputs of `ec2.baseImage`. */
  readonly base: PlannedStep;
  /** Has the outputs of `ec2.instance`. */
  readonly instance: PlannedStep;
  /** How it is reached. */
  readonly connection: Ref<Connection>;
  readonly login: Login;
}

/**
 * Plans an instance, from the lookup of its base image to its provisioners.
 * @param first plans what else has to be known before anything is made
 */
export function planMachine(build: BuildPlanner, props: Ec2MachineProps, first: (access: Ec2Access) => readonly PlannedStep[] = () => []): PlannedMachine {
  const access = accessOf(props);
  const base = build.step('BaseImage', { kind: ec2BaseImage, title: `base image ${props.baseImage.title}`, spec: { access, query: props.baseImage.query } });
  const tags = { ...build.tags, ...props.runTags };
  const network = planNetwork(build, props, access, tags);
  const launch = { ...launchOf(props, { access, base, tags }), ...network.place };
  const check = build.step('Check', { kind: ec2LaunchCheck, title: 'ask EC2 whether it would start the machine', spec: launch });
  // Before there is anything that would have to be removed.
  const before = { after: [check, ...first(access)] };
  const login = addLogin(build, props);
  const instance = build.step('Machine', {
    kind: ec2Instance,
    title: `instance ${launch.types.join(' or ')}`,
    spec: {
      ...launch, instanceProfile: instanceProfileOf(build, props, { access, tags, before }), keyName: keyNameOf(build, props, { access, tags, before }, login), securityGroupIds: network.securityGroupIds(before), address: props.address ?? 'public-ip',
      cloudInit: login.cloudInit === undefined ? undefined : { ...login.cloudInit, longestLife: props.longestLife ?? Duration.hours(12) },
      connection: login.connection, knownHost: props.ssh.host,
    },
  }, before);
  const connection = connectionOf(build, props, access, instance);
  const ready = build.step('Ready', { kind: ec2Ready, title: 'wait until the machine lets us in', spec: { access, instanceId: instance.ref('id'), connection, sentKey: props.keyPair === 'instance-connect' ? { user: props.ssh.user, publicKey: login.publicKey } : undefined } });
  build.provision({
    step: ready, connection,
    variables: { id: instance.ref('id'), host: instance.ref('host'), port: props.ssh.port ?? 22, ...login.variables, sourceImageId: base.ref('id') },
  });
  return { access, base, instance, connection, login };
}

/** By the machine's address, or by what leads to it without one. */
function connectionOf(build: BuildPlanner, { address, ssh }: Ec2MachineProps, access: Ec2Access, instance: PlannedStep): Ref<Connection> {
  if (address !== 'session-manager') return instance.ref('connection');
  return build.step('Tunnel', { kind: ec2Tunnel, title: 'port forwarding by Session Manager', spec: { access, instanceId: instance.ref('id'), port: ssh.port ?? 22, connection: instance.ref('connection') } }).ref('connection');
}

/** Plans that what lets bake in does not let it into what is made of the machine. One that is not stopped must have written everything down, which tidying ends with. */
export function planTidy(build: BuildPlanner, { connection, login }: PlannedMachine, isToBeStopped: boolean): readonly PlannedStep[] {
  if (login.tidy === undefined && isToBeStopped) return [];
  return [build.step('Tidy', { kind: vmTidy, title: login.tidy === undefined ? 'flush the file systems' : 'take out what building put in', spec: { connection, ...login.tidy } })];
}

/** Plans that the machine stands still, with the network drivers that its image is to have; unless it is to go on running. */
export function planStop(build: BuildPlanner, { access, instance }: PlannedMachine, { after, isStopped: isToBeStopped, ena = false, sriov = false }: { readonly after: readonly PlannedStep[]; readonly isStopped: boolean; readonly ena?: boolean | undefined; readonly sriov?: boolean | undefined }): readonly PlannedStep[] {
  if (!isToBeStopped) return after;
  const instanceId = instance.ref('id');
  const stopped = build.step('Stop', { kind: ec2Stop, title: 'stop the machine', spec: { access, instanceId } }, { after });
  if (!ena && !sriov) return [stopped];
  return [build.step('NetworkDrivers', { kind: ec2NetworkDrivers, title: 'network drivers of the image', spec: { access, instanceId, ena, sriov } }, { after: [stopped] })];
}

/** Whether the machine is to stand still in the end: a spot instance cannot be stopped. */
export function isStopped({ spot = false, stop = true }: { readonly spot?: Ec2MachineProps['spot'] | undefined; readonly stop?: boolean | undefined }): boolean {
  return spot === false && stop;
}

/** Volumes as a spec has them; EC2 counts in whole gibibytes. */
export function devicesOf(devices: readonly Ec2BlockDevice[] | undefined): readonly BlockDeviceSpec[] | undefined {
  return devices?.map(({ size, ...rest }) => ({ ...rest, ...(size === undefined ? {} : { size: Math.ceil(size.toBytes() / Size.gibibytes(1).toBytes()) }) }));
}

function launchOf(props: Ec2MachineProps, { access, base, tags }: { readonly access: Ec2Access; readonly base: PlannedStep; readonly tags: Readonly<Record<string, string>> }) {
  const { instanceType = 't3.small', associatePublicIp, blockDevices, instanceProfile, metadata, tenancy, placement, capacityReservation, licenses, nitroEnclave, ipv6, ebsOptimized, cpuCredits, spot } = props;
  return {
    access, imageId: base.ref('id'), types: typeof instanceType === 'string' ? [instanceType] : instanceType, associatePublicIp, blockDevices: devicesOf(blockDevices),
    // A temporary one is not there yet when EC2 is asked whether it would start the machine.
    instanceProfile: typeof instanceProfile === 'object' ? undefined : instanceProfile, metadata, tenancy, placement, capacityReservation, licenses, nitroEnclave, ipv6, ebsOptimized, cpuCredits, spot: typeof spot === 'object' ? spot : spot === true ? {} : undefined, tags,
  };
}

interface Around {
  readonly access: Ec2Access;
  readonly tags: Readonly<Record<string, string>>;
  readonly before: StepOptions;
}

function instanceProfileOf(build: BuildPlanner, { instanceProfile, address }: Ec2MachineProps, { access, tags, before }: Around): unknown {
  const needed = address === 'session-manager' ? [agentPolicy(access)] : [];
  if (typeof instanceProfile === 'string' || (instanceProfile === undefined && needed.length === 0)) return instanceProfile;
  const { policy, managedPolicies: given = [] } = instanceProfile ?? {};
  const managedPolicies = given.length + needed.length === 0 ? undefined : [...new Set([...given, ...needed])];
  return build.step('InstanceProfile', { kind: ec2InstanceProfile, title: 'temporary instance profile', spec: { access, policy: policy && JSON.stringify(policy), managedPolicies, tags } }, before).ref('name');
}

/** What lets the SSM agent of a machine announce itself and forward ports. */
function agentPolicy({ region = '' }: Ec2Access): string {
  const partition = region.startsWith('cn-') ? 'aws-cn' : region.startsWith('us-gov-') ? 'aws-us-gov' : 'aws';
  return `arn:${partition}:iam::aws:policy/AmazonSSMManagedInstanceCore`;
}

function keyNameOf(build: BuildPlanner, { keyPair }: Ec2MachineProps, { access, tags, before }: Around, { publicKey }: Login): unknown {
  if (keyPair !== 'temporary') return typeof keyPair === 'object' ? keyPair.name : undefined;
  return build.step('ImportedKeyPair', { kind: ec2KeyPair, title: 'public key for EC2', spec: { access, publicKey, tags } }, before).ref('name');
}
