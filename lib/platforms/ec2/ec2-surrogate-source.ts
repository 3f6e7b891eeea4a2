import type { Construct } from 'constructs';
import type { BuildPlanner, PlannedStep } from '../../image/compile.js';
import { Source } from '../../image/source.js';
import { Ami } from './ami.js';
import { checkSurrogateProps } from './check-surrogate-props.js';
import { defaultRootDevice, suffixOf } from './device-names.js';
import { namingOf } from './naming.js';
import { isIntermediate, planImage, planImageNames } from './plan-image.js';
import { devicesOf, isStopped, planMachine, type PlannedMachine, planStop } from './plan-machine.js';
import { ec2Ami, ec2Nothing } from './steps.js';
import type { Ec2SurrogateDevice, Ec2SurrogateSourceProps } from './surrogate-props.js';
import { ec2ImageSnapshot, ec2RegisteredAmi, ec2SwappedRoot } from './volume-steps.js';

/**
 * Builds an AMI on a second volume of an instance of Amazon EC2: the provisioners partition it, put a system on it and unmount it; then the instance is
 * stopped, and an image registered whose root device is a snapshot of that volume. So the image has nothing of the one that the instance was started from.
 * A spot instance cannot be stopped: there the volume must be unmounted by them.
 * @example
 * new Ec2SurrogateSource(this, 'Ec2', {
 *   region: 'eu-west-1', ssh: { user: 'admin' }, bootMode: 'uefi',
 *   baseImage: AmiLookup.mostRecent({ owners: ['136693071363'], name: 'debian-12-amd64-*' }),
 *   blockDevices: [{ deviceName: '/dev/sdf', size: Size.gibibytes(4) }],
 *   amiRootDevice: { sourceDeviceName: '/dev/sdf' },
 * });
 */
export class Ec2SurrogateSource extends Source {
  readonly platform = 'ec2';
  readonly props: Ec2SurrogateSourceProps;

  constructor(scope: Construct, id: string, props: Ec2SurrogateSourceProps) {
    super(scope, id);
    this.props = props;
    checkSurrogateProps(this, props);
  }

  compile(build: BuildPlanner): void {
    const { props } = this;
    if (!Ami.isAmi(props.baseImage) || !Array.isArray(props.blockDevices) || props.amiRootDevice === undefined) return; // there is an annotation
    const { skipCreateAmi = false, forceDeregister: replace = false, useCreateImage = false, amiDescription: description, snapshotTags } = props;
    const naming = namingOf(this, build);
    const machine = planMachine(build, { ...props, blockDevices: props.blockDevices.map(launched) }, (access) => (skipCreateAmi ? [] : planImageNames(build, props, { access, replace, ...naming })));
    if (skipCreateAmi) return build.artifact(build.step('Nothing', { kind: ec2Nothing, title: 'no image is made', spec: { instanceId: machine.instance.ref('id') } }));
    // What let bake into the machine is on its own root volume, which the image has nothing of: that needs no tidying.
    const stopped = planStop(build, machine, { after: [], isStopped: isStopped(props), ...(useCreateImage ? { ena: props.enaSupport, sriov: props.sriovSupport } : {}) });
    const ami = useCreateImage ? this.#image(build, machine, stopped) : this.#register(build, machine, stopped);
    build.artifact(planImage(build, props, { access: machine.access, ami, base: machine.base, ...naming, description, replace, tags: build.tags, snapshotTags }));
  }

  #naming(build: BuildPlanner) {
    const { forceDeregister: replace = false, amiDescription: description } = this.props;
    const { name, namePrefix } = namingOf(this, build);
    const isOnWay = isIntermediate(this.props);
    return {
      title: isOnWay ? 'AMI to copy from' : typeof name === 'string' ? `AMI ${name}` : 'AMI', lifetime: isOnWay ? 'run' as const : 'artifact' as const,
      named: { name: isOnWay ? undefined : name, namePrefix: isOnWay ? `${namePrefix}-intermediate` : namePrefix, description, replace, tags: build.tags },
    };
  }

  #register(build: BuildPlanner, { access, base, instance }: PlannedMachine, after: readonly PlannedStep[]): PlannedStep {
    const { blockDevices, amiRootDevice, amiBlockDevices = [], architecture, bootMode, uefiData, tpmSupport, enaSupport: ena = true, sriovSupport: sriov = false, snapshotDescription, snapshotTags } = this.props;
    const { title, lifetime, named } = this.#naming(build);
    const { sourceDeviceName, deviceName: rootDeviceName = defaultRootDevice, ...root } = amiRootDevice;
    const snapshots = blockDevices.filter(({ omitFromArtifact = false }) => !omitFromArtifact).map((device) => ({
      device, step: build.step(`Snapshot${suffixOf(device.deviceName)}`, {
        kind: ec2ImageSnapshot, title: `snapshot of ${device.deviceName}`, spec: { access, instanceId: instance.ref('id'), deviceName: device.deviceName, description: snapshotDescription, tags: { ...build.tags, ...snapshotTags } },
      }, { lifetime, after }),
    }));
    const made = snapshots.map(({ device: { deviceName, type, iops, throughput, deleteOnTermination }, step }) => ({
      ...devicesOf([deviceName === sourceDeviceName ? { ...root, deviceName: rootDeviceName } : { deviceName, ...some({ type, iops, throughput, deleteOnTermination }) }])![0]!, snapshotId: step.ref('id'),
    }));
    return build.step('Ami', {
      kind: ec2RegisteredAmi, title, spec: {
        access, ...named, architecture: architecture ?? base.ref('architecture'), rootDeviceName, devices: [...made, ...devicesOf(amiBlockDevices) ?? []],
        bootMode, uefiData, tpmSupport, ena, sriov, snapshots: snapshots.map(({ step }) => step.ref('id')),
      },
    }, { lifetime });
  }

  /** Of the instance itself, once its root volume is the other one. */
  #image(build: BuildPlanner, { access, base, instance }: PlannedMachine, after: readonly PlannedStep[]): PlannedStep {
    const { blockDevices, amiRootDevice: { sourceDeviceName }, amiBlockDevices = [] } = this.props;
    const { title, lifetime, named } = this.#naming(build);
    const instanceId = instance.ref('id');
    const omit = blockDevices.filter(({ omitFromArtifact = false }) => omitFromArtifact).map(({ deviceName }) => deviceName);
    const swapped = build.step('SwapRoot', { kind: ec2SwappedRoot, title: `make ${sourceDeviceName} the root volume`, spec: { access, instanceId, sourceDeviceName, rootDeviceName: base.ref('rootDevice'), omit, tags: build.tags } }, { after });
    return build.step('Ami', { kind: ec2Ami, title, spec: { access, instanceId, ...named, noReboot: false, blockDevices: devicesOf(amiBlockDevices) } }, { lifetime, after: [swapped] });
  }
}

function launched({ omitFromArtifact: _, deleteOnTermination: _ends, ...device }: Ec2SurrogateDevice) {
  return device;
}

function some<T extends object>(values: T): { [K in keyof T]: Exclude<T[K], undefined> } {
  return Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined)) as { [K in keyof T]: Exclude<T[K], undefined> };
}
