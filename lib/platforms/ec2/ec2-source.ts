import type { Construct } from 'constructs';
import type { BuildPlanner, PlannedStep } from '../../image/compile.js';
import { Source } from '../../image/source.js';
import { Ami } from './ami.js';
import { checkEc2Props } from './check-ec2-props.js';
import type { Ec2BlockDevice, Ec2SourceProps } from './ec2-props.js';
import { namingOf } from './naming.js';
import { isIntermediate, planImage, planImageNames } from './plan-image.js';
import { isStopped, type PlannedMachine, planMachine, planStop, planTidy } from './plan-machine.js';
import { type BlockDeviceSpec, type Ec2Access, ec2Ami, ec2Nothing } from './steps.js';

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
    const machine = planMachine(build, props, (access) => this.#names(build, access));
    const { instance } = machine;
    if (props.skipCreateAmi === true) return build.artifact(build.step('Nothing', { kind: ec2Nothing, title: 'no image is made', spec: { instanceId: instance.ref('id') } }));
    const { enaSupport: ena, sriovSupport: sriov, amiDescription: description, forceDeregister: replace = false, snapshotTags } = props;
    const stopped = planStop(build, machine, { after: planTidy(build, machine, isStopped(props)), isStopped: isStopped(props), ena, sriov });
    const ami = this.#ami(build, machine, stopped);
    build.artifact(planImage(build, props, { access: machine.access, ami, base: machine.base, ...namingOf(this, build), description, replace, tags: build.tags, snapshotTags }));
  }

  #names(build: BuildPlanner, access: Ec2Access): readonly PlannedStep[] {
    const { skipCreateAmi, forceDeregister: replace = false } = this.props;
    return skipCreateAmi === true ? [] : planImageNames(build, this.props, { access, replace, ...namingOf(this, build) });
  }

  #ami(build: BuildPlanner, { access, instance }: PlannedMachine, stopped: readonly PlannedStep[]): PlannedStep {
    const { amiDescription, forceDeregister = false, blockDevices } = this.props;
    const { name, namePrefix } = namingOf(this, build);
    const isOnWay = isIntermediate(this.props);
    return build.step('Ami', {
      kind: ec2Ami, title: isOnWay ? 'AMI to copy from' : typeof name === 'string' ? `AMI ${name}` : 'AMI',
      spec: {
        access, instanceId: instance.ref('id'), name: isOnWay ? undefined : name, namePrefix: isOnWay ? `${namePrefix}-intermediate` : namePrefix, description: amiDescription,
        noReboot: !isStopped(this.props), replace: forceDeregister, blockDevices: blockDevices && inImage(blockDevices), tags: build.tags,
      },
    }, { lifetime: isOnWay ? 'run' : 'artifact', after: stopped });
  }
}

/** What is to be said of the instance's own volumes once more when its image is made. */
function inImage(devices: readonly Ec2BlockDevice[]): readonly BlockDeviceSpec[] {
  return devices.filter(({ deleteOnTermination }) => deleteOnTermination !== undefined).map(({ deviceName, deleteOnTermination }) => ({ deviceName, deleteOnTermination }));
}
