import type { Construct } from 'constructs';
import { Duration } from '../../core/duration.js';
import { Size } from '../../core/size.js';
import type { BuildPlanner, PlannedStep, StepOptions } from '../../image/compile.js';
import { outputName } from '../../image/output-name.js';
import type { TextInput } from '../../image/ref.js';
import { Source } from '../../image/source.js';
import { vmTidy } from '../../vm/tidy/steps.js';
import { accessOf } from './access.js';
import { Ami } from './ami.js';
import { checkEc2Props } from './check-ec2-props.js';
import type { Ec2BlockDevice, Ec2SourceProps } from './ec2-props.js';
import { addLogin, type Login } from './login.js';
import { isIntermediate, planImage, planImageNames } from './plan-image.js';
import { planNetwork } from './plan-network.js';
import { type BlockDeviceSpec, type Ec2Access, ec2Ami, ec2BaseImage, ec2Instance, ec2InstanceProfile, ec2KeyPair, ec2LaunchCheck, ec2NetworkDrivers, ec2Nothing, ec2Ready, ec2Stop } from './steps.js';

/**
 * Builds an AMI in an instance of Amazon EC2, whose root volume is EBS: the instance is started from another AMI,
 * provisioned over ssh, stopped and imaged. What is made for that is tagged as it is made, and removed.
 * @example
 * new Ec2Source(this, 'Ec2', {
 *   region: 'eu-west-1', instanceType: 't3.small', ssh: { user: 'admin' },
 *   baseImage: AmiLookup.mostRecent({ owners: ['136693071363'], name: 'debian-12-amd64-*' }),
 * });
 */
export class Ec2Source extends Source {
  readonly platform = 'ec2';
  readonly props: Ec2SourceProps;

  constructor(scope: Construct, id: string, props: Ec2SourceProps) {
    super(scope, id);
    this.props = props;
    checkEc2Props(this, props);
  }

  compile(build: BuildPlanner): void {
    const { props } = this;
    if (!Ami.isAmi(props.baseImage)) return; // there is an annotation
    const access = accessOf(props);
    const base = build.step('BaseImage', { kind: ec2BaseImage, title: `base image ${props.baseImage.title}`, spec: { access, query: props.baseImage.query } });
    const tags = { ...build.tags, ...props.runTags };
    const network = planNetwork(build, props, access, tags);
    const launch = { ...this.#launch(access, base, tags), ...network.place };
    const check = build.step('Check', { kind: ec2LaunchCheck, title: 'ask EC2 whether it would start the machine', spec: launch });
    // Before there is anything that would have to be removed.
    const first = { after: [check, ...this.#names(build, access)] };
    const login = addLogin(build, props);
    const instance = build.step('Machine', {
      kind: ec2Instance,
      title: `instance ${launch.types.join(' or ')}`,
      spec: {
        ...launch, instanceProfile: this.#instanceProfile(build, access, tags, first), keyName: this.#keyName(build, access, login, tags, first), securityGroupIds: network.securityGroupIds(first), address: props.address ?? 'public-ip',
        cloudInit: login.cloudInit === undefined ? undefined : { ...login.cloudInit, longestLife: props.longestLife ?? Duration.hours(12) },
        connection: login.connection, knownHost: props.ssh.host,
      },
    }, first);
    const ready = build.step('Ready', { kind: ec2Ready, title: 'wait until the machine lets us in', spec: { access, instanceId: instance.ref('id'), connection: instance.ref('connection') } });
    build.provision({
      step: ready, connection: instance.ref('connection'),
      variables: { id: instance.ref('id'), host: instance.ref('host'), port: props.ssh.port ?? 22, ...login.variables, sourceImageId: base.ref('id') },
    });
    if (props.skipCreateAmi === true) return build.artifact(build.step('Nothing', { kind: ec2Nothing, title: 'no image is made', spec: { instanceId: instance.ref('id') } }));
    const tidied = this.#tidy(build, instance, login);
    const stopped = this.#stop(build, access, instance, tidied);
    const ami = this.#ami(build, access, instance, stopped);
    build.artifact(this.#image(build, access, base, ami));
  }

  #launch(access: Ec2Access, base: PlannedStep, tags: Readonly<Record<string, string>>) {
    const { instanceType = 't3.small', associatePublicIp, blockDevices, instanceProfile, metadata, tenancy, placement, capacityReservation, licenses, nitroEnclave, ipv6, ebsOptimized, cpuCredits, spot } = this.props;
    return {
      access, imageId: base.ref('id'), types: typeof instanceType === 'string' ? [instanceType] : instanceType, associatePublicIp, blockDevices: devicesOf(blockDevices),
      // A temporary one is not there yet when EC2 is asked whether it would start the machine.
      instanceProfile: typeof instanceProfile === 'object' ? undefined : instanceProfile, metadata, tenancy, placement, capacityReservation, licenses, nitroEnclave, ipv6, ebsOptimized, cpuCredits, spot: typeof spot === 'object' ? spot : spot === true ? {} : undefined, tags,
    };
  }

  #instanceProfile(build: BuildPlanner, access: Ec2Access, tags: Readonly<Record<string, string>>, first: StepOptions): unknown {
    const { instanceProfile } = this.props;
    if (typeof instanceProfile !== 'object') return instanceProfile;
    const { policy, managedPolicies } = instanceProfile;
    return build.step('InstanceProfile', { kind: ec2InstanceProfile, title: 'temporary instance profile', spec: { access, policy: policy && JSON.stringify(policy), managedPolicies, tags } }, first).ref('name');
  }

  #keyName(build: BuildPlanner, access: Ec2Access, { publicKey }: Login, tags: Readonly<Record<string, string>>, first: StepOptions): unknown {
    const { keyPair } = this.props;
    if (keyPair !== 'temporary') return keyPair?.name;
    return build.step('ImportedKeyPair', { kind: ec2KeyPair, title: 'public key for EC2', spec: { access, publicKey, tags } }, first).ref('name');
  }

  get #isStopped(): boolean {
    const { spot = false, stop = true } = this.props;
    return spot === false && stop;
  }

  /** What lets bake in must not let it into the machines that are made of the image. */
  #tidy(build: BuildPlanner, instance: PlannedStep, login: Login): readonly PlannedStep[] {
    // One that is imaged as it runs must have written everything down, which tidying ends with.
    if (login.tidy === undefined && this.#isStopped) return [];
    return [build.step('Tidy', { kind: vmTidy, title: login.tidy === undefined ? 'flush the file systems' : 'take out what building put in', spec: { connection: instance.ref('connection'), ...login.tidy } })];
  }

  #names(build: BuildPlanner, access: Ec2Access): readonly PlannedStep[] {
    const { skipCreateAmi, forceDeregister: replace = false } = this.props;
    return skipCreateAmi === true ? [] : planImageNames(build, this.props, { access, replace, ...this.#naming(build) });
  }

  /** A spot instance cannot be: it is imaged as it runs. */
  #stop(build: BuildPlanner, access: Ec2Access, instance: PlannedStep, tidied: readonly PlannedStep[]): readonly PlannedStep[] {
    const { enaSupport: ena = false, sriovSupport: sriov = false } = this.props;
    if (!this.#isStopped) return tidied;
    const instanceId = instance.ref('id');
    const stopped = build.step('Stop', { kind: ec2Stop, title: 'stop the machine', spec: { access, instanceId } }, { after: tidied });
    if (!ena && !sriov) return [stopped];
    return [build.step('NetworkDrivers', { kind: ec2NetworkDrivers, title: 'network drivers of the image', spec: { access, instanceId, ena, sriov } }, { after: [stopped] })];
  }

  #ami(build: BuildPlanner, access: Ec2Access, instance: PlannedStep, stopped: readonly PlannedStep[]): PlannedStep {
    const { amiDescription, forceDeregister = false, blockDevices } = this.props;
    const { name, namePrefix } = this.#naming(build);
    const isOnWay = isIntermediate(this.props);
    return build.step('Ami', {
      kind: ec2Ami, title: isOnWay ? 'AMI to copy from' : typeof name === 'string' ? `AMI ${name}` : 'AMI',
      spec: {
        access, instanceId: instance.ref('id'), name: isOnWay ? undefined : name, namePrefix: isOnWay ? `${namePrefix}-intermediate` : namePrefix, description: amiDescription,
        noReboot: !this.#isStopped, replace: forceDeregister, blockDevices: devicesOf(blockDevices), tags: build.tags,
      },
    }, { lifetime: isOnWay ? 'run' : 'artifact', after: stopped });
  }

  #image(build: BuildPlanner, access: Ec2Access, base: PlannedStep, ami: PlannedStep): PlannedStep {
    const { amiDescription: description, forceDeregister: replace = false, snapshotTags } = this.props;
    return planImage(build, this.props, { access, ami, base, ...this.#naming(build), description, replace, tags: build.tags, snapshotTags });
  }

  #naming(build: BuildPlanner) {
    const { amiName } = this.props;
    const named = (text: TextInput) => outputName(text, this, { buildName: build.name, platform: this.platform });
    return { named, name: amiName === undefined ? undefined : named(amiName), namePrefix: named('{image}-{build}') as string };
  }
}

function devicesOf(devices: readonly Ec2BlockDevice[] | undefined): readonly BlockDeviceSpec[] | undefined {
  return devices?.map(({ size, ...rest }) => ({ ...rest, ...(size === undefined ? {} : { size: Math.ceil(size.toBytes() / Size.gibibytes(1).toBytes()) }) }));
}
