import t from 'tap';
import { Size } from '../../../lib/core/size.js';
import { App } from '../../../lib/image/app.js';
import { Image } from '../../../lib/image/image.js';
import { AmiLookup, Ec2SurrogateSource, type Ec2SurrogateSourceProps, Ec2VolumeSource, type Ec2VolumeSourceProps } from '../../../lib/platforms/ec2/index.js';
import { synthesize } from '../../../lib/synth/synthesize.js';

const base = { region: 'eu-west-1', baseImage: AmiLookup.mostRecent({ owners: ['self'], name: 'base-*' }), ssh: { user: 'admin' } };
const root = { deviceName: '/dev/sdf', size: Size.gibibytes(4) };

function synth(add: (image: Image) => void) {
  const app = new App();
  const image = new Image(app, 'Web');
  add(image);
  const { plans, diagnostics } = synthesize({ apps: [app], diagnostics: [] });
  const steps = (plans[0]?.steps ?? []).map((step) => ({ ...step, name: step.id.replace('Web/Ec2/', '') }));
  const step = (name: string) => steps.find((one) => one.name === name);
  return {
    names: steps.map(({ name }) => name), after: steps.slice(steps.findIndex(({ name }) => name === 'Ready') + 1).map(({ name }) => name), step, specOf: (name: string) => step(name)?.spec as Record<string, unknown>,
    found: diagnostics.map(({ message, hint }) => `${message}: ${hint}`),
  };
}
const surrogate = (props: Partial<Ec2SurrogateSourceProps> = {}) => synth((image) => { new Ec2SurrogateSource(image, 'Ec2', { ...base, blockDevices: [root], amiRootDevice: { sourceDeviceName: '/dev/sdf' }, ...props }); });
const volumes = (props: Partial<Ec2VolumeSourceProps> = {}) => synth((image) => { new Ec2VolumeSource(image, 'Ec2', { ...base, volumes: [root], ...props }); });

t.test('an image is registered of the snapshots of the volumes that it is to have', (t) => {
  const { after, specOf, step, found } = surrogate({
    amiName: 'web', amiDescription: 'a web server', bootMode: 'uefi', tpmSupport: 'v2.0', imdsSupport: 'v2.0', snapshotTags: { kind: 'root' },
    blockDevices: [{ ...root, encrypted: true, kmsKeyId: 'alias/web' }, { deviceName: '/dev/sdg', size: Size.gibibytes(8), type: 'io2', iops: 500 }, { deviceName: '/dev/sdh', size: Size.gibibytes(1), omitFromArtifact: true }],
    amiRootDevice: { sourceDeviceName: '/dev/sdf', size: Size.gibibytes(10) }, amiBlockDevices: [{ deviceName: '/dev/sdi', size: Size.gibibytes(2), encrypted: true }],
  });
  t.strictSame(found, []);
  t.strictSame(after, ['Stop', 'Snapshot-sdf', 'Snapshot-sdg', 'Ami', 'Settings', 'Image']);
  t.match(specOf('Machine'), { blockDevices: [{ deviceName: '/dev/sdf', size: 4, encrypted: true }, { deviceName: '/dev/sdg' }, { deviceName: '/dev/sdh' }] });
  t.notMatch(JSON.stringify(specOf('Machine')), /omitFromArtifact/);
  t.match(specOf('Ami'), {
    name: 'web', description: 'a web server', architecture: { $ref: 'Web/Ec2/BaseImage#architecture' }, rootDeviceName: '/dev/xvda', bootMode: 'uefi', tpmSupport: 'v2.0', ena: true, sriov: false,
    snapshots: [{ $ref: 'Web/Ec2/Snapshot-sdf#id' }, { $ref: 'Web/Ec2/Snapshot-sdg#id' }],
  });
  t.strictSame(specOf('Ami')['devices'], [
    { size: 10, deviceName: '/dev/xvda', snapshotId: { $ref: 'Web/Ec2/Snapshot-sdf#id' } }, { deviceName: '/dev/sdg', type: 'io2', iops: 500, snapshotId: { $ref: 'Web/Ec2/Snapshot-sdg#id' } },
    { deviceName: '/dev/sdi', size: 2, encrypted: true },
  ].map((device) => ({ ...device })), 'without a word about encryption where there is a snapshot');
  t.match(specOf('Snapshot-sdf'), { tags: { kind: 'root' } });
  t.equal(step('Snapshot-sdf')?.kind, 'ec2.imageSnapshot', 'which is made again with its image');
  for (const name of ['Snapshot-sdf', 'Ami']) t.equal(step(name)?.lifetime, 'artifact', name);
  t.end();
});

t.test('an image that is only copied from goes, with its snapshots', (t) => {
  const { after, step, specOf } = surrogate({ amiName: 'web', encryptBoot: true });
  t.strictSame(after, ['Stop', 'Snapshot-sdf', 'Ami', 'Encrypted', 'Settings', 'Image']);
  for (const name of ['Snapshot-sdf', 'Ami']) t.equal(step(name)?.lifetime, 'run', name);
  t.notOk('name' in specOf('Ami'));
  t.end();
});

t.test('the instance can get the volume as its root, and be imaged', (t) => {
  const { after, specOf, step, found } = surrogate({ useCreateImage: true, enaSupport: true, blockDevices: [root, { deviceName: '/dev/xvda', size: Size.gibibytes(20), omitFromArtifact: true }] });
  t.strictSame(found, []);
  t.strictSame(after, ['Stop', 'NetworkDrivers', 'SwapRoot', 'Ami', 'Settings', 'Image']);
  t.match(specOf('SwapRoot'), { sourceDeviceName: '/dev/sdf', rootDeviceName: { $ref: 'Web/Ec2/BaseImage#rootDevice' }, omit: ['/dev/xvda'] });
  t.equal(step('SwapRoot')?.lifetime, 'run');
  t.equal(step('Ami')?.kind, 'ec2.ami');
  t.end();
});

t.test('where no image is wished, none is made', (t) => {
  t.strictSame(surrogate({ skipCreateAmi: true }).after, ['Nothing']);
  t.strictSame(surrogate({ spot: true }).after, ['Snapshot-sdf', 'Ami', 'Settings', 'Image'], 'a spot instance cannot be stopped');
  t.end();
});

t.test('volumes and snapshots stay, each with its tags, and nothing else', (t) => {
  const { after, specOf, step, found } = volumes({
    blockDevices: [{ deviceName: '/dev/sdz', size: Size.gibibytes(1) }],
    volumes: [{ ...root, encrypted: true, kmsKeyId: 'alias/web', tags: { role: 'data' }, snapshot: { description: 'of today', tags: { role: 'backup' }, users: ['123456789012'] } }, { deviceName: '/dev/sdg', size: Size.gibibytes(1) }, { deviceName: '/dev/sdh', snapshotId: 'snap-12345678', keep: false, snapshot: true }],
  });
  t.strictSame(found, []);
  t.strictSame(after, ['Stop', 'Snapshot-sdf', 'Snapshot-sdh', 'Volume-sdf', 'Volume-sdg', 'Sharing-sdf', 'Sharing-sdh', 'Volumes']);
  t.match(specOf('Machine'), { blockDevices: [{ deviceName: '/dev/sdz' }, { deviceName: '/dev/sdf', size: 4, encrypted: true, kmsKeyId: 'alias/web' }, {}, { snapshotId: 'snap-12345678' }] });
  t.match(specOf('Volume-sdf'), { tags: { role: 'data' }, deviceName: '/dev/sdf' });
  t.match(specOf('Snapshot-sdf'), { tags: { role: 'backup' }, description: 'of today' });
  t.match(specOf('Sharing-sdf'), { users: ['123456789012'] });
  for (const name of ['Snapshot-sdh', 'Volume-sdg', 'Volumes']) t.equal(step(name)?.lifetime, 'artifact', name);
  t.ok(step('Volumes')?.needs?.includes('Web/Ec2/Sharing-sdf'), 'all that may fail comes before they are finished');
  t.end();
});

t.test('what does not fit together is said', (t) => {
  const small = Size.gibibytes(2);
  for (const [props, expected] of [
    [{ blockDevices: undefined as never }, /"blockDevices" is not a list/],
    [{ amiRootDevice: undefined as never }, /"amiRootDevice" is missing/],
    [{ amiRootDevice: { sourceDeviceName: '/dev/sdg' } }, /built on \/dev\/sdg, which is none of "blockDevices"/],
    [{ amiRootDevice: { sourceDeviceName: '/dev/sdf', root: '/' } as never }, /no prop "root"/],
    [{ amiRootDevice: { sourceDeviceName: '/dev/sdf', size: small } }, /cannot be smaller than its snapshot/],
    [{ amiRootDevice: { sourceDeviceName: '/dev/sdf', iops: 100, type: 'gp2' } }, /has "iops"/],
    [{ blockDevices: [{ ...root, omitFromArtifact: true }] }, /has "omitFromArtifact"/],
    [{ blockDevices: [{ deviceName: '/dev/sdf' }] }, /neither "size" nor "snapshotId"/],
    [{ blockDevices: [root, root] }, /\/dev\/sdf twice/],
    [{ blockDevices: [root, { deviceName: '/dev/xvda', size: small }] }, /two devices \/dev\/xvda.*omitFromArtifact: true/],
    [{ amiBlockDevices: [{ deviceName: '/dev/xvda', size: small }] }, /two devices \/dev\/xvda/],
    [{ amiBlockDevices: [{ deviceName: '/dev/sdi', snapshotId: 'snap-12345678' } as never] }, /no prop "snapshotId"/],
    [{ tpmSupport: 'v2.0' }, /"tpmSupport" needs UEFI/],
    [{ uefiData: 'QU1a', bootMode: 'legacy-bios' }, /"uefiData" is for UEFI/],
    [{ architecture: 'arm64', bootMode: 'legacy-bios' }, /arm64 starts by UEFI only/],
    [{ bootMode: 'bios' as never }, /invalid option/],
    [{ useCreateImage: true, bootMode: 'uefi', amiRootDevice: { sourceDeviceName: '/dev/sdf', deviceName: '/dev/sda1' } }, /"bootMode", "amiRootDevice.deviceName" would have no effect/],
    [{ useCreateImage: true, spot: true }, /spot instance cannot be stopped/],
    [{ useCreateImage: true, enaSupport: false }, /does not take "enaSupport" back/],
    [{ skipCreateAmi: true, amiName: 'web', bootMode: 'uefi' }, /"amiName", "bootMode" would have no effect/],
    [{ ssh: undefined as never }, /nothing says who logs in/],
    [{ blockDevices: [{ ...root, encrypted: true }], share: { users: ['123456789012'] } }, /encrypted with the account's default key/],
  ] as const satisfies readonly (readonly [Partial<Ec2SurrogateSourceProps>, RegExp])[]) t.match(surrogate(props).found.join('\n'), expected, JSON.stringify(props));
  for (const [props, expected] of [
    [{ volumes: [] }, /"volumes" is empty/],
    [{ volumes: [{ deviceName: '/dev/sdf' }] }, /neither "size" nor "snapshotId"/],
    [{ volumes: [{ ...root, keep: false }] }, /is not kept, and there is no snapshot/],
    [{ volumes: [root, root] }, /two volumes \/dev\/sdf/],
    [{ volumes: [root], blockDevices: [root] }, /two volumes \/dev\/sdf/],
    [{ volumes: [{ ...root, deleteOnTermination: true } as never] }, /no prop "deleteOnTermination"/],
    [{ volumes: [{ ...root, snapshot: { user: ['1'] } as never }] }, /no prop "user"/],
    [{ volumes: [{ ...root, snapshot: { users: ['me'] } }] }, /12 digits/],
    [{ volumes: [{ ...root, encrypted: true, snapshot: { users: ['123456789012'] } }] }, /default key/],
    [{ volumes: [{ ...root, encrypted: true, kmsKeyId: 'alias/web', snapshot: { groups: ['all'] } }] }, /cannot be for everybody/],
    [{ amiName: 'web' } as never, /no prop "amiName"/],
  ] as const satisfies readonly (readonly [Partial<Ec2VolumeSourceProps>, RegExp])[]) t.match(volumes(props).found.join('\n'), expected, JSON.stringify(props));
  t.end();
});
