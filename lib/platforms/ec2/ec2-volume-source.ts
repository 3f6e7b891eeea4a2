import type { Construct } from 'constructs';
import type { BuildPlanner, PlannedStep } from '../../image/compile.js';
import { Source } from '../../image/source.js';
import { Ami } from './ami.js';
import { checkVolumeProps } from './check-volume-props.js';
import { suffixOf } from './device-names.js';
import { isStopped, planMachine, type PlannedMachine, planStop } from './plan-machine.js';
import type { Ec2Volume, Ec2VolumeSnapshot, Ec2VolumeSourceProps } from './volume-props.js';
import { ec2Snapshot, ec2SnapshotSharing, ec2Volume, ec2VolumeSet } from './volume-steps.js';

interface MadeOfDevice {
  readonly deviceName: string;
  readonly step: PlannedStep;
}

/**
 * Fills EBS volumes in an instance of Amazon EC2, and keeps them, or snapshots of them, instead of an image. All else that is made for that is
 * tagged as it is made, and removed; so are the volumes, if the build does not succeed. The instance is stopped before; a spot instance cannot be, so there a
 * provisioner must unmount what a snapshot is made of.
 * @example
 * new Ec2VolumeSource(this, 'Data', {
 *   region: 'eu-west-1', ssh: { user: 'admin' },
 *   baseImage: AmiLookup.mostRecent({ owners: ['136693071363'], name: 'debian-12-amd64-*' }),
 *   volumes: [{ deviceName: '/dev/sdf', size: Size.gibibytes(100), encrypted: true, tags: { role: 'data' }, snapshot: true }],
 * });
 */
export class Ec2VolumeSource extends Source {
  readonly platform = 'ec2';
  readonly props: Ec2VolumeSourceProps;

  constructor(scope: Construct, id: string, props: Ec2VolumeSourceProps) {
    super(scope, id);
    this.props = props;
    checkVolumeProps(this, props);
  }

  compile(build: BuildPlanner): void {
    const { props } = this;
    if (!Ami.isAmi(props.baseImage) || !Array.isArray(props.volumes)) return; // there is an annotation
    const machine = planMachine(build, { ...props, blockDevices: [...props.blockDevices ?? [], ...props.volumes.map(deviceOf)] });
    const stopped = planStop(build, machine, { after: [], isStopped: isStopped(props) });
    const { access, base } = machine;
    const snapshots = props.volumes.filter(({ snapshot = false }) => snapshot !== false).map((volume) => this.#snapshot(build, machine, volume, stopped));
    const volumes = props.volumes.filter(({ keep = true }) => keep).map((volume) => this.#volume(build, machine, volume, stopped));
    const after = props.volumes.flatMap((volume) => this.#share(build, machine, volume, snapshots));
    const members = (list: readonly MadeOfDevice[]) => list.map(({ deviceName, step }) => ({ deviceName, id: step.ref('id'), region: step.ref('region') }));
    build.artifact(build.step('Volumes', {
      kind: ec2VolumeSet, title: volumes.length > 0 ? 'volumes' : 'snapshots',
      spec: { access, volumes: members(volumes), snapshots: members(snapshots), zone: volumes[0]?.step.ref('zone'), sourceAmi: base.ref('id'), sourceAmiName: base.ref('name') },
    }, { lifetime: 'artifact', needsMachine: false, after }));
  }

  #volume(build: BuildPlanner, { access, instance }: PlannedMachine, { deviceName, tags }: Ec2Volume, after: readonly PlannedStep[]): MadeOfDevice {
    const spec = { access, instanceId: instance.ref('id'), deviceName, tags: { ...build.tags, ...tags } };
    return { deviceName, step: build.step(`Volume${suffixOf(deviceName)}`, { kind: ec2Volume, title: `keep the volume ${deviceName}`, spec }, { lifetime: 'artifact', after }) };
  }

  #snapshot(build: BuildPlanner, { access, instance }: PlannedMachine, { deviceName, ...volume }: Ec2Volume, after: readonly PlannedStep[]): MadeOfDevice {
    const { description, tags } = wishOf(volume);
    const spec = { access, instanceId: instance.ref('id'), deviceName, description, tags: { ...build.tags, ...tags } };
    return { deviceName, step: build.step(`Snapshot${suffixOf(deviceName)}`, { kind: ec2Snapshot, title: `snapshot of ${deviceName}`, spec }, { lifetime: 'artifact', after }) };
  }

  #share(build: BuildPlanner, { access }: PlannedMachine, { deviceName, ...volume }: Ec2Volume, snapshots: readonly MadeOfDevice[]): readonly PlannedStep[] {
    const { users, groups } = wishOf(volume);
    return snapshots.filter((one) => one.deviceName === deviceName).map(({ step }) => build.step(`Sharing${suffixOf(deviceName)}`, {
      kind: ec2SnapshotSharing, title: `who may use the snapshot of ${deviceName}`, spec: { access, snapshotId: step.ref('id'), token: step.ref('token'), users, groups },
    }, { needsMachine: false }));
  }
}

function wishOf({ snapshot }: Pick<Ec2Volume, 'snapshot'>): Ec2VolumeSnapshot {
  return typeof snapshot === 'object' ? snapshot : {};
}

function deviceOf({ tags: _, keep: _keep, snapshot: _snapshot, ...device }: Ec2Volume) {
  return device;
}
