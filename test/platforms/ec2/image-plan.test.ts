import t from 'tap';
import { Duration } from '../../../lib/core/duration.js';
import { App } from '../../../lib/image/app.js';
import { Image } from '../../../lib/image/image.js';
import { AmiLookup, Ec2Source, type Ec2SourceProps } from '../../../lib/platforms/ec2/index.js';
import { Manifest } from '../../../lib/post-processors/manifest/manifest.js';
import { synthesize } from '../../../lib/synth/synthesize.js';

const base: Ec2SourceProps = { region: 'eu-west-1', baseImage: AmiLookup.mostRecent({ owners: ['self'], name: 'base-*' }), ssh: { user: 'admin' } };

function synth(props: Partial<Ec2SourceProps> = {}, more: (image: Image) => void = () => {}) {
  const app = new App();
  const image = new Image(app, 'Web');
  new Ec2Source(image, 'Ec2', { ...base, ...props });
  more(image);
  const { plans, diagnostics } = synthesize({ apps: [app], diagnostics: [] });
  const steps = (plans[0]?.steps ?? []).map((step) => ({ ...step, name: step.id.replace('Web/Ec2/', '') }));
  const after = steps.slice(steps.findIndex(({ name }) => name === 'Stop') + 1);
  const step = (name: string) => steps.find((one) => one.name === name);
  const specOf = (name: string) => step(name)?.spec as Record<string, unknown>;
  return { steps, after: after.map(({ name }) => name), diagnostics, step, specOf, found: diagnostics.map(({ code, message }) => `${code}: ${message}`) };
}

t.test('an image that stays where it is made has one step beside its own, and nobody else may use it', (t) => {
  const { after, diagnostics, specOf, step } = synth();
  t.strictSame(diagnostics, []);
  t.strictSame(after, ['Ami', 'Settings', 'Image']);
  t.equal(step('Ami')?.lifetime, 'artifact');
  t.notOk('launch' in specOf('Settings'));
  t.match(specOf('Image'), { images: [{ id: { $ref: 'Web/Ec2/Ami#id' } }], parameters: [], sourceAmi: { $ref: 'Web/Ec2/BaseImage#id' } });
  t.end();
});

t.test('copies need only the image, so they are made side by side; what is told to all comes when all are there', (t) => {
  const { after, diagnostics, specOf, step } = synth({
    amiName: 'web-{build}', copyTo: ['us-east-1', { region: 'eu-central-1', name: 'web-de', encrypted: true, kmsKeyId: 'alias/web', tags: { place: 'de' }, completionDuration: Duration.minutes(30), ssmParameter: [] }],
    share: { users: ['123456789012'] }, ssmParameter: ['/web/ami', '/web/latest'], snapshotTags: { kind: 'snapshot' },
  });
  t.strictSame(diagnostics, []);
  t.strictSame(after, ['Ami', 'Copy-us-east-1', 'Copy-eu-central-1', 'Settings', 'Settings-us-east-1', 'Settings-eu-central-1', 'Parameter', 'Parameter-2', 'Parameter-us-east-1', 'Parameter-us-east-1-2', 'Image']);
  t.strictSame(step('Copy-us-east-1')?.needs?.filter((need) => need !== 'Web/Ec2/Ami'), []);
  t.match(specOf('Copy-us-east-1'), { access: { region: 'us-east-1' }, from: { region: 'eu-west-1' }, name: 'web-Ec2', sourceId: { $ref: 'Web/Ec2/Ami#id' } });
  t.match(specOf('Copy-eu-central-1'), { name: 'web-de', encrypted: true, kmsKeyId: 'alias/web', tags: { place: 'de' }, snapshotTags: { place: 'de', kind: 'snapshot' }, completionDuration: 1_800_000 });
  t.match(specOf('Settings-eu-central-1'), { access: { region: 'eu-central-1' }, launch: { users: ['123456789012'] } });
  for (const settings of ['Settings', 'Settings-us-east-1', 'Settings-eu-central-1']) t.ok(step('Parameter')?.needs?.includes(`Web/Ec2/${settings}`), `the parameter is written after ${settings}`);
  t.match(specOf('Image'), { images: [{}, {}, {}], parameters: [{ name: { $ref: 'Web/Ec2/Parameter#name' } }, {}, {}, {}] });
  t.end();
});

t.test('an image that is only copied from goes', (t) => {
  const encrypted = synth({ amiName: 'web', encryptBoot: true, kmsKeyId: 'alias/web', copyTo: ['us-east-1'] });
  t.strictSame(encrypted.diagnostics, []);
  t.strictSame(encrypted.after.slice(0, 3), ['Ami', 'Encrypted', 'Copy-us-east-1']);
  t.equal(encrypted.step('Ami')?.lifetime, 'run');
  t.notOk('name' in encrypted.specOf('Ami'), 'the name is for the one that stays');
  t.match(encrypted.specOf('Encrypted'), { name: 'web', encrypted: true, kmsKeyId: 'alias/web', access: { region: 'eu-west-1' } });
  t.match(encrypted.specOf('Copy-us-east-1'), { encrypted: true });
  t.notOk('kmsKeyId' in encrypted.specOf('Copy-us-east-1'), 'a key is of one region');
  const elsewhere = synth({ skipSaveBuildRegion: true, copyTo: ['us-east-1'] });
  t.strictSame(elsewhere.after, ['Ami', 'Copy-us-east-1', 'Settings-us-east-1', 'Image']);
  t.equal(elsewhere.step('Ami')?.lifetime, 'run');
  t.end();
});

t.test('what makes an image hard to remove comes after what may fail', (t) => {
  const { after, step, specOf } = synth({ fastLaunch: { launchTemplate: { name: 'windows' }, targetResourceCount: 10 }, deregistrationProtection: { cooldown: true }, deprecateAt: Duration.days(90), imdsSupport: 'v2.0', ssmParameter: '/web/ami' });
  t.strictSame(after, ['Ami', 'Settings', 'FastLaunch', 'Protection', 'Parameter', 'Image']);
  t.match(step('Protection'), { lifetime: 'artifact' });
  for (const before of ['FastLaunch', 'Settings']) t.ok(step('Protection')?.needs?.includes(`Web/Ec2/${before}`), before);
  t.ok(step('Parameter')?.needs?.includes('Web/Ec2/Protection'));
  t.match(specOf('Settings'), { deprecateAt: 7_776_000_000, imdsSupport: 'v2.0' });
  t.match(synth({ deprecateAt: new Date('2027-06-30T00:00:00Z') }).specOf('Settings'), { deprecateAt: '2027-06-30T00:00:00.000Z' });
  t.match(specOf('FastLaunch'), { launchTemplate: { name: 'windows' }, targetResourceCount: 10 });
  t.end();
});

t.test('what the artifact stands for goes with it where nobody keeps that', (t) => {
  const { step } = synth({ copyTo: ['us-east-1'], ssmParameter: '/web/ami' }, (image) => { new Manifest(image, 'Manifest', { keepInputArtifact: false }); });
  for (const name of ['Ami', 'Copy-us-east-1', 'Parameter', 'Image']) t.equal(step(name)?.lifetime, 'run', name);
  t.end();
});

t.test('network drivers are set while the machine stands still', (t) => {
  const { after, specOf } = synth({ enaSupport: true });
  t.strictSame(after, ['NetworkDrivers', 'Ami', 'Settings', 'Image']);
  t.match(specOf('NetworkDrivers'), { ena: true, sriov: false });
  t.match(synth({ enaSupport: true, spot: true }).found, [/stands still, and this one is not stopped/]);
  t.end();
});

t.test('what cannot be shared is said before anything is made', (t) => {
  const root = { deviceName: '/dev/xvda', encrypted: true };
  const cases: readonly [string, Partial<Ec2SourceProps>, RegExp][] = [
    ['the default key of encryptBoot', { encryptBoot: true, share: { users: ['123456789012'] } }, /^CannotShare: the image is encrypted with the account's default key, .*"users"/],
    ['the default key by its name', { encryptBoot: true, kmsKeyId: 'alias/aws/ebs', share: { snapshotUsers: ['123456789012'] } }, /^CannotShare: .*"snapshotUsers"/],
    ['the default key of a volume', { blockDevices: [root], share: { organizations: ['arn:aws:organizations::123456789012:organization/o-123example00'] } }, /^CannotShare: the image/],
    ['a copy gets the default key of its region', { blockDevices: [{ ...root, kmsKeyId: 'alias/web' }], share: { users: ['123456789012'] }, copyTo: ['us-east-1'] }, /^CannotShare: the copy in us-east-1/],
    ['everybody and a key of ours', { encryptBoot: true, kmsKeyId: 'alias/web', share: { groups: ['all'] } }, /^CannotShare: the image is encrypted, .* cannot be for everybody/],
    ['everybody in a copy', { copyTo: [{ region: 'us-east-1', kmsKeyId: 'alias/web', share: { snapshotGroups: ['all'] } }] }, /^CannotShare: the copy in us-east-1 is encrypted/],
  ];
  for (const [name, props, expected] of cases) t.match(synth(props).found, [expected], name);
  for (const props of [
    { encryptBoot: true, kmsKeyId: 'alias/web', share: { users: ['123456789012'] } }, { share: { groups: ['all'] } },
    { encryptBoot: true, kmsKeyId: 'alias/web', share: { users: ['123456789012'] }, copyTo: [{ region: 'us-east-1', share: {} }] }, { encryptBoot: true, share: { users: [] } },
  ] satisfies Partial<Ec2SourceProps>[]) t.strictSame(synth(props).found, []);
  t.end();
});

t.test('what does not fit together, or is not what EC2 takes, is said', (t) => {
  const cases: readonly [Partial<Ec2SourceProps>, RegExp][] = [
    [{ copyTo: 'us-east-1' as never }, /"copyTo" is not a list/],
    [{ copyTo: ['us-east-1', 'us-east-1'] }, /us-east-1 twice/],
    [{ copyTo: ['eu-west-1'] }, /where the image is made/],
    [{ copyTo: ['Frankfurt'] }, /must be a region/],
    [{ skipSaveBuildRegion: true }, /only copies stay, and there are none/],
    [{ kmsKeyId: 'alias/web' }, /"kmsKeyId" is the key for "encryptBoot"/],
    [{ skipSaveBuildRegion: true, encryptBoot: true, kmsKeyId: 'alias/web', copyTo: ['us-east-1'] }, /leaves out/],
    [{ copyTo: [{ region: 'us-east-1', encrypted: false, kmsKeyId: 'alias/web' }] }, /is not to be encrypted/],
    [{ blockDevices: [{ deviceName: '/dev/xvda', encrypted: true }], copyTo: [{ region: 'us-east-1', encrypted: false }] }, /and \/dev\/xvda is/],
    [{ copyTo: [{ region: 'us-east-1', kmsKey: 'x' } as never] }, /no prop "kmsKey"/],
    [{ copyTo: [{ region: 'us-east-1', completionDuration: Duration.minutes(20) }] }, /quarters of an hour/],
    [{ share: { users: ['me'] } }, /12 digits/],
    [{ share: { groups: ['everybody' as 'all'] } }, /must be "all"/],
    [{ share: { organizations: ['o-123example'] } }, /ARN of an organization/],
    [{ share: { organizationalUnits: ['ou-1'] } }, /ARN of an organizational unit/],
    [{ share: { orgs: [] } as never }, /no prop "orgs"/],
    [{ deprecateAt: Duration.days(4_000) }, /10 years at most/],
    [{ deprecateAt: new Date('soon') }, /not a time/],
    [{ fastLaunch: { launchTemplate: {} } }, /needs an id or a name/],
    [{ fastLaunch: { maxParallelLaunches: 2 } }, />=6/],
    [{ ssmParameter: 'web ami' }, /name of a parameter/],
    [{ skipCreateAmi: true, copyTo: ['us-east-1'], ssmParameter: '/web/ami' }, /"ssmParameter", "copyTo" would have no effect/],
  ];
  for (const [props, expected] of cases) t.match(synth(props).diagnostics.map(({ message, hint }) => `${message}: ${hint}`).join('\n'), expected, JSON.stringify(props));
  t.end();
});

t.test('a parameter can name the base image', (t) => {
  const { diagnostics, specOf } = synth({ baseImage: AmiLookup.fromSsmParameter('/aws/service/debian/release/12/latest/amd64') });
  t.strictSame(diagnostics, []);
  t.match(specOf('BaseImage'), { query: { type: 'ssm', name: '/aws/service/debian/release/12/latest/amd64' } });
  t.match(synth({ baseImage: AmiLookup.fromSsmParameter('arn:aws:ssm:eu-west-1:123456789012:parameter/base/ami:3') }).diagnostics, []);
  t.throws(() => AmiLookup.fromSsmParameter('no such name'), { code: 'InvalidSsmParameter' });
  t.end();
});
