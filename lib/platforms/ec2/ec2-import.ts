import type { Construct } from 'constructs';
import type { CompiledStep, PlannedStep, PostProcessorScope } from '../../image/compile.js';
import { outputName } from '../../image/output-name.js';
import { PostProcessor } from '../../image/post-processor.js';
import type { TextInput } from '../../image/ref.js';
import { tagsOf } from '../../image/tags.js';
import { accessOf } from './access.js';
import { checkImportProps, importPropNames } from './check-import-props.js';
import { defaultRootDevice } from './device-names.js';
import type { Ec2ImportProps } from './import-props.js';
import { ec2DiskSnapshot } from './import-steps.js';
import { compileImage, planImageNames } from './plan-image.js';
import { devicesOf } from './plan-machine.js';
import { ec2RegisteredAmi } from './volume-steps.js';

/**
 * Makes an AMI of a disk of this computer: of what `QemuSource` built, or any artifact whose first file is a disk (of several disks, the first). No instance
 * and no bucket: the blocks of the disk that are not empty go straight into a snapshot (the EBS direct APIs), of which an image is registered. The disk is not
 * changed: the system on it must have what machines of EC2 need, such as the drivers of NVMe and ENA. That Amazon converts it (ImportImage) is not offered.
 *
 * Its artifact is as that of `Ec2Source`. `timeout` and `retries` are for each of its steps. Disks that are not raw need the program `qemu-img`; what is
 * compressed inside is first written out below the run's folder for temporary files, as large as its content.
 * @throws BakeError `NotADisk`, `DiskTooLarge`, `DiskLargerThanVolume`, `UnknownArchitecture`, `ConflictingProps`, `FileChanged`, `SnapshotFailed`, `AmiNameTaken`, `AmiFailed` when it is carried out
 * @example
 * new QemuSource(this, 'Disk', { … });
 * new Ec2Import(this, 'Ami', { region: 'eu-west-1', amiName: 'web-2024-06', rootDevice: { size: Size.gibibytes(8), encrypted: true } });
 */
export class Ec2Import extends PostProcessor<Ec2ImportProps> {
  readonly propNames = importPropNames;
  readonly keepsInputByDefault = true;

  constructor(scope: Construct, id: string, props: Ec2ImportProps = {}) {
    super(scope, id, props);
    checkImportProps(this, this.props);
  }

  compile(props: Ec2ImportProps, scope: PostProcessorScope): CompiledStep {
    const { forceDeregister: replace = false, amiDescription: description, snapshotTags, amiName } = props;
    const access = accessOf(props);
    const tags = tagsOf(this);
    const named = (text: TextInput) => outputName(text, this, scope);
    const name = amiName === undefined ? undefined : named(amiName);
    // Another import of the same disk has another id.
    const namePrefix = `${named('{image}-{build}') as string}-${this.node.id.replaceAll(/[^A-Za-z0-9._-]/g, '-')}`;
    // That the name is taken is known before the disk is built.
    const names = planImageNames({ step: (id, step) => scope.step(id, step, { needsMachine: false }) }, props, { access, name, named, replace });
    const snapshot = this.#snapshot(props, scope, names);
    const ami = this.#register(props, scope, snapshot, { name, namePrefix, description, replace, tags });
    return compileImage(scope, props, { access, ami, architecture: snapshot.ref('architecture'), name, named, namePrefix, description, replace, tags, snapshotTags }).step;
  }

  #snapshot(props: Ec2ImportProps, scope: PostProcessorScope, after: readonly PlannedStep[]): PlannedStep {
    const { format, architecture, bootMode, snapshotDescription: description, snapshotTags, rootDevice: { size, encrypted, kmsKeyId } = {} } = props;
    const [root] = devicesOf([{ deviceName: defaultRootDevice, ...(size === undefined ? {} : { size }) }])!;
    return scope.step('Snapshot', {
      kind: ec2DiskSnapshot, title: 'snapshot of the disk',
      spec: { access: accessOf(props), artifact: scope.artifact, format, architecture, bootMode, volumeSize: root!.size, description, encrypted, kmsKeyId, tags: { ...tagsOf(this), ...snapshotTags } },
    }, { lifetime: 'artifact', after });
  }

  #register(props: Ec2ImportProps, scope: PostProcessorScope, snapshot: PlannedStep, named: object): PlannedStep {
    const { rootDevice: { deviceName = defaultRootDevice, encrypted: _, kmsKeyId: _key, ...root } = {}, amiBlockDevices, uefiData, tpmSupport, enaSupport: ena = true, sriovSupport: sriov = false, amiName } = props;
    const snapshotId = snapshot.ref('id');
    return scope.step('Ami', {
      kind: ec2RegisteredAmi, title: typeof amiName === 'string' ? `AMI ${amiName}` : 'AMI',
      spec: {
        access: accessOf(props), ...named as { name: unknown; namePrefix: unknown; description: unknown; replace: unknown; tags: unknown }, architecture: snapshot.ref('architecture'), bootMode: snapshot.ref('bootMode'), rootDeviceName: deviceName,
        devices: [{ ...devicesOf([{ ...root, deviceName }])![0]!, snapshotId }, ...devicesOf(amiBlockDevices) ?? []], uefiData, tpmSupport, ena, sriov, snapshots: [snapshotId],
      },
    }, { lifetime: 'artifact' });
  }
}
