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
import { ec2DiskSnapshot, ec2ImportedSnapshot, ec2UploadedDisk } from './import-steps.js';
import { compileImage, type MadeImage, planImageNames } from './plan-image.js';
import { devicesOf } from './plan-machine.js';
import { ec2RegisteredAmi } from './volume-steps.js';

/**
 * Makes an AMI of a disk of this computer: of what `QemuSource` built, or any artifact whose first file is a disk (of several disks, the first). No instance
 * and no bucket: the blocks of the disk that are not empty go straight into a snapshot (the EBS direct APIs), of which an image is registered. With
 * `bucket` it goes through one instead (ImportSnapshot). The disk is not changed: the system on it must have what machines of EC2 need, such as the drivers of NVMe
 * and ENA. That Amazon changes it (ImportImage) is not offered.
 *
 * Its artifact is as that of `Ec2Source`. `timeout` and `retries` are for each of its steps. Disks that are not raw need the program `qemu-img`; what is
 * compressed inside is first written out below the run's folder for temporary files, as large as its content. What goes through a bucket is written anew there too.
 * `bake clean` finds what a dead run left of it; `bake clean --scan`, which has no journal, does not know of buckets, nor of imports that are still under way.
 * @throws BakeError `NotADisk`, `DiskTooLarge`, `DiskLargerThanVolume`, `UnknownArchitecture`, `ConflictingProps`, `FileChanged`, `SnapshotFailed`, `ImportFailed`, `NoSuchBucket`, `BucketElsewhere`, `AmiNameTaken`, `AmiFailed` when it is carried out
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
    const { format, architecture, bootMode, snapshotDescription: description, snapshotTags, rootDevice: { size, encrypted, kmsKeyId } = {}, bucket } = props;
    const access = accessOf(props);
    const [root] = devicesOf([{ deviceName: defaultRootDevice, ...(size === undefined ? {} : { size }) }])!;
    const disk = { access, artifact: scope.artifact, format, architecture, bootMode, volumeSize: root!.size };
    const made = { description, encrypted, kmsKeyId, tags: { ...tagsOf(this), ...snapshotTags } };
    if (bucket === undefined) return scope.step('Snapshot', { kind: ec2DiskSnapshot, title: 'snapshot of the disk', spec: { ...disk, ...made } }, { lifetime: 'artifact', after });
    const { name, prefix = 'bake/', roleName, format: sent = 'vmdk', kmsKeyId: bucketKey } = bucket;
    const uploaded = scope.step('Upload', { kind: ec2UploadedDisk, title: `disk in the bucket ${name}`, spec: { ...disk, bucket: name, prefix, sent, kmsKeyId: bucketKey } }, { after });
    const handedOn = { bucket: uploaded.ref('bucket'), key: uploaded.ref('key'), format: uploaded.ref('format'), architecture: uploaded.ref('architecture'), bootMode: uploaded.ref('bootMode') };
    return scope.step('Snapshot', { kind: ec2ImportedSnapshot, title: 'snapshot of the disk', spec: { access, ...handedOn, roleName, ...made } }, { lifetime: 'artifact', needsMachine: false });
  }

  #register(props: Ec2ImportProps, scope: PostProcessorScope, snapshot: PlannedStep, named: Pick<MadeImage, 'name' | 'namePrefix' | 'description' | 'replace' | 'tags'>): PlannedStep {
    const { rootDevice: { deviceName = defaultRootDevice, encrypted: _, kmsKeyId: _key, ...root } = {}, amiBlockDevices, uefiData, tpmSupport, enaSupport: ena = true, sriovSupport: sriov = false } = props;
    const snapshotId = snapshot.ref('id');
    return scope.step('Ami', {
      kind: ec2RegisteredAmi, title: typeof named.name === 'string' ? `AMI ${named.name}` : 'AMI',
      spec: {
        access: accessOf(props), ...named, architecture: snapshot.ref('architecture'), bootMode: snapshot.ref('bootMode'), rootDeviceName: deviceName,
        devices: [{ ...devicesOf([{ ...root, deviceName }])![0]!, snapshotId }, ...devicesOf(amiBlockDevices) ?? []], uefiData, tpmSupport, ena, sriov, snapshots: [snapshotId],
      },
    }, { lifetime: 'artifact' });
  }
}
