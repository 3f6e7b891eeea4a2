import t from 'tap';
import { Duration } from '../../../lib/core/duration.js';
import type { JsonObject } from '../../../lib/core/json.js';
import { Size } from '../../../lib/core/size.js';
import { App } from '../../../lib/image/app.js';
import { Image } from '../../../lib/image/image.js';
import { Tags } from '../../../lib/image/tags.js';
import { ec2Policy } from '../../../lib/platforms/ec2/engine/policy.js';
import { Ec2Import, type Ec2ImportProps } from '../../../lib/platforms/ec2/index.js';
import { NullSource } from '../../../lib/platforms/null/index.js';
import { Compress } from '../../../lib/post-processors/compress/compress.js';
import { Manifest } from '../../../lib/post-processors/manifest/manifest.js';
import { synthesize } from '../../../lib/synth/synthesize.js';

function synth(props: Ec2ImportProps = {}, more: (image: Image, ami: Ec2Import) => void = () => {}) {
  const app = new App();
  const image = new Image(app, 'Web');
  Tags.of(image).add('team', 'web');
  new NullSource(image, 'Disk', {});
  more(image, new Ec2Import(image, 'Ami', props));
  const { plans, diagnostics } = synthesize({ apps: [app], diagnostics: [] });
  const steps = (plans[0]?.steps ?? []).map((step) => ({ ...step, name: step.id.replace('Web/Disk:Ami/', '') }));
  const step = (name: string) => steps.find((one) => one.name === name);
  const own = steps.filter(({ id }) => id.startsWith('Web/Disk:Ami'));
  return { own: own.map(({ name }) => name), steps, step, specOf: (name: string) => step(name)?.spec as JsonObject, found: diagnostics.map(({ code, message, hint }) => `${code} ${message}: ${hint}`) };
}

const itself = 'Web/Disk:Ami';

t.test('a disk becomes a snapshot, that an image, and that what an image of any source does', (t) => {
  const { own, step, specOf, found } = synth({
    region: 'eu-west-1', amiName: '{image}-1', amiDescription: 'of a disk', format: 'qcow2', architecture: 'arm64', bootMode: 'uefi', tpmSupport: 'v2.0', imdsSupport: 'v2.0', snapshotTags: { kind: 'root' }, snapshotDescription: 'the root',
    rootDevice: { size: Size.gibibytes(10), type: 'gp3', iops: 4_000, throughput: 200, encrypted: true, kmsKeyId: 'arn:aws:kms:eu-west-1:123456789012:key/1' }, amiBlockDevices: [{ deviceName: '/dev/sdf', size: Size.gibibytes(2) }],
    copyTo: ['us-east-1'], share: { users: ['123456789012'] }, ssmParameter: '/web/ami', deprecateAt: Duration.days(90), deregistrationProtection: true,
  });
  t.strictSame(found, ["CannotShare the copy in us-east-1 is encrypted with the account's default key, which nobody else can use, so \"users\" would have no effect: give kmsKeyId: a key of your own, whose policy lets them use it"]);
  t.strictSame(own.slice(0, 4), ['Names', 'Snapshot', 'Ami', 'Copy-us-east-1']);
  t.equal(own.at(-1), itself);
  t.match(specOf('Snapshot'), { access: { region: 'eu-west-1' }, format: 'qcow2', architecture: 'arm64', bootMode: 'uefi', volumeSize: 10, encrypted: true, kmsKeyId: /key\/1$/, description: 'the root', tags: { team: 'web', kind: 'root' } });
  t.match(specOf('Ami'), {
    name: 'Web-1', namePrefix: 'Web-Disk-Ami', description: 'of a disk', architecture: { $ref: 'Web/Disk:Ami/Snapshot#architecture' }, bootMode: { $ref: 'Web/Disk:Ami/Snapshot#bootMode' }, rootDeviceName: '/dev/xvda', tpmSupport: 'v2.0', ena: true, sriov: false,
    snapshots: [{ $ref: 'Web/Disk:Ami/Snapshot#id' }], tags: { team: 'web' },
  });
  t.strictSame(specOf('Ami')['devices'], [{ size: 10, type: 'gp3', iops: 4_000, throughput: 200, deviceName: '/dev/xvda', snapshotId: { $ref: 'Web/Disk:Ami/Snapshot#id' } }, { deviceName: '/dev/sdf', size: 2 }]);
  for (const name of ['Snapshot', 'Ami', 'Copy-us-east-1', itself]) t.equal(step(name)?.lifetime, 'artifact', name);
  t.notOk('sourceAmi' in specOf(itself));
  t.end();
});

t.test('whether the name is free is looked at before the disk is built', (t) => {
  const { step, own } = synth({ amiName: 'web-1' });
  t.strictSame(step('Names')?.needs, []);
  t.ok(step('Snapshot')?.needs?.includes('Web/Disk:Ami/Names'));
  t.strictSame(own, ['Names', 'Snapshot', 'Ami', 'Settings', itself]);
  t.strictSame(synth({ amiName: 'web-1', forceDeregister: true }).own, ['Snapshot', 'Ami', 'Settings', itself]);
  t.strictSame(synth({}).own, ['Snapshot', 'Ami', 'Settings', itself], 'a name that no other run gives is free');
  t.end();
});

t.test('a try of it is a try of each of its steps', (t) => {
  const { step } = synth({ retries: 2, timeout: Duration.hours(1) });
  for (const name of ['Snapshot', 'Ami', itself]) t.match(step(name)?.policy, { retries: 2, timeout: 3_600_000 }, name);
  t.end();
});

t.test('the image stays when its disk goes, and the disk when the image goes', (t) => {
  const goes = synth({ keepInputArtifact: false });
  for (const name of ['Snapshot', 'Ami', itself]) t.equal(goes.step(name)?.lifetime, 'artifact', name);
  const chained = synth({}, (image, ami) => { new Manifest(image, 'Told', { input: ami, keepInputArtifact: false }); });
  for (const name of ['Snapshot', 'Ami', itself]) t.equal(chained.step(name)?.lifetime, 'run', name);
  const beside = synth({}, (image) => { new Compress(image, 'Small', {}); });
  for (const name of ['Snapshot', 'Ami', itself]) t.equal(beside.step(name)?.lifetime, 'artifact', name);
  t.end();
});

t.test('by way of a bucket the object is only there for as long as the build', (t) => {
  const { own, step, specOf, found, steps } = synth({ region: 'eu-west-1', bucket: { name: 'imports', roleName: 'reader', kmsKeyId: 'arn:aws:kms:eu-west-1:123456789012:key/2' }, rootDevice: { encrypted: true, kmsKeyId: 'alias/web' } });
  t.strictSame(found, []);
  t.strictSame(own, ['Upload', 'Snapshot', 'Ami', 'Settings', itself]);
  t.equal(step('Upload')?.lifetime, 'run');
  t.match(specOf('Upload'), { bucket: 'imports', prefix: 'bake/', sent: 'vmdk' });
  t.match(specOf('Snapshot'), { key: { $ref: 'Web/Disk:Ami/Upload#key' }, roleName: 'reader', encrypted: true, kmsKeyId: 'alias/web' });
  t.match(specOf('Ami'), { architecture: { $ref: 'Web/Disk:Ami/Snapshot#architecture' } });
  const { Statement: statements } = ec2Policy(steps) as unknown as { readonly Statement: readonly { readonly Action: readonly string[]; readonly Resource: unknown }[] };
  const of = (action: string) => statements.find(({ Action }) => Action.includes(action));
  t.match(of('s3:PutObject'), { Action: ['s3:AbortMultipartUpload', 's3:DeleteObject', 's3:DeleteObjectVersion', 's3:GetObject', 's3:PutObject'], Resource: 'arn:aws:s3:::imports/bake/*' });
  t.match(of('s3:ListBucket'), { Resource: 'arn:aws:s3:::imports' });
  t.ok(of('ec2:ImportSnapshot') !== undefined && of('ec2:CancelImportTask') !== undefined && of('ec2:DescribeImportSnapshotTasks') !== undefined);
  t.match(of('kms:GenerateDataKey'), { Resource: 'arn:aws:kms:eu-west-1:123456789012:key/2' });
  t.notOk(of('ebs:StartSnapshot'));
  t.notOk(steps.find(({ name }) => name === itself)?.needs?.includes('Web/Disk:Ami/Upload'), 'nothing but the snapshot needs the object');
  t.end();
});

t.test('what does not fit together is told before anything is made', (t) => {
  for (const [props, wanted] of [
    [{ format: 'qcow3' as 'qcow2' }, /"format" is "qcow3".*qcow2/],
    [{ architecture: 'amd64' as 'x86_64' }, /"architecture" is "amd64".*x86_64, arm64/],
    [{ bootMode: 'bios' as 'uefi' }, /"bootMode" is "bios".*legacy-bios/],
    [{ architecture: 'arm64', bootMode: 'legacy-bios' }, /arm64 starts by UEFI only/],
    [{ tpmSupport: 'v2.0' }, /"tpmSupport" needs UEFI/],
    [{ uefiData: 'AAAA', bootMode: 'legacy-bios' }, /"uefiData" is for UEFI/],
    [{ rootDevice: { kmsKeyId: 'alias/web', encrypted: true } }, /"rootDevice\.kmsKeyId" is "alias\/web".*arn:aws:kms/],
    [{ rootDevice: { kmsKeyId: 'arn:aws:kms:eu-west-1:123456789012:key/1' } }, /\/dev\/xvda has "kmsKeyId" and is not encrypted/],
    [{ rootDevice: { type: 'io2' } }, /must be told its "iops"/],
    [{ rootDevice: { colour: 'red' } as object }, /no prop "colour"/],
    [{ amiBlockDevices: [{ deviceName: '/dev/xvda', size: Size.gibibytes(1) }] }, /two devices \/dev\/xvda/],
    [{ amiBlockDevices: [{ deviceName: '/dev/sdf' }] }, /\/dev\/sdf has no "size"/],
    [{ bucket: {} as never }, /"bucket" has no name/],
    [{ bucket: 'imports' as never }, /"bucket" has no name.*name: 'imports'/],
    [{ bucket: { name: 'Imports' } }, /must be the name of a bucket/],
    [{ bucket: { name: 'imports', prefix: '/disks' } }, /must not begin with a slash/],
    [{ bucket: { name: 'imports', roleName: 'arn:aws:iam::123456789012:role/reader' } }, /must be the name of a role/],
    [{ bucket: { name: 'imports', format: 'qcow2' as 'raw' } }, /"bucket\.format" is "qcow2".*vmdk, vhd, raw/],
    [{ bucket: { name: 'imports', region: 'eu-west-1' } as never }, /no prop "region"/],
    [{ encryptBoot: true } as object, /no prop "encryptBoot"/],
    [{ amiName: 'a' }, /must be 3 to 128 letters/],
    [{ region: 'Dublin' }, /must be a region/],
    [{ region: 'eu-west-1', copyTo: ['eu-west-1'] }, /where the image is made/],
    [{ rootDevice: { encrypted: true }, share: { users: ['123456789012'] } }, /CannotShare the image is encrypted with the account's default key/],
    [{ assumeRole: { arn: 'arn:aws:iam::123456789012:role/builder', nme: 'x' } as never }, /no prop "nme"/],
  ] as readonly (readonly [Ec2ImportProps, RegExp])[]) {
    const { found } = synth(props);
    t.ok(found.some((text) => wanted.test(text)), `${String(wanted)}: ${found.join(' | ')}`);
  }
  t.end();
});

t.test('its policy lets only what carries the stamp be written and removed', (t) => {
  const { steps } = synth({ region: 'eu-west-1', rootDevice: { encrypted: true, kmsKeyId: 'arn:aws:kms:eu-west-1:123456789012:key/1' } });
  const { Statement: statements } = ec2Policy(steps) as unknown as { readonly Statement: readonly { readonly Action: readonly string[]; readonly Resource: unknown; readonly Condition?: JsonObject }[] };
  t.strictSame([...new Set(statements.flatMap(({ Action }) => Action))].sort(), [
    'ebs:CompleteSnapshot', 'ebs:PutSnapshotBlock', 'ebs:StartSnapshot', 'ec2:CreateTags', 'ec2:DeleteSnapshot', 'ec2:DeregisterImage', 'ec2:DescribeImages', 'ec2:DescribeSnapshots', 'ec2:RegisterImage',
    'kms:CreateGrant', 'kms:Decrypt', 'kms:DescribeKey', 'kms:GenerateDataKey', 'kms:GenerateDataKeyWithoutPlaintext', 'kms:ReEncryptFrom', 'kms:ReEncryptTo',
  ]);
  const of = (action: string) => statements.find(({ Action }) => Action.includes(action));
  t.match(of('ebs:StartSnapshot'), { Condition: { Null: { 'aws:RequestTag/bake:run': 'false' } } });
  t.match(of('ebs:PutSnapshotBlock'), { Condition: { Null: { 'aws:ResourceTag/bake:run': 'false' } }, Resource: ['arn:aws:ec2:*::snapshot/*', 'arn:aws:ec2:*:*:snapshot/*'] });
  t.match(of('kms:GenerateDataKey'), { Resource: 'arn:aws:kms:eu-west-1:123456789012:key/1' });
  t.end();
});
