// What becomes of an image, on moto: it changes states at once, forgets the tags and keys of CopyImage, and takes a name twice.
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { DescribeImageAttributeCommand, DescribeSnapshotAttributeCommand, EC2Client } from '@aws-sdk/client-ec2';
import t, { type Test } from 'tap';
import { awsEc2 } from '../../../lib/platforms/ec2/engine/aws-ec2.js';
import { awsImages } from '../../../lib/platforms/ec2/engine/aws-images.js';
import { awsParameters } from '../../../lib/platforms/ec2/engine/aws-parameters.js';
import type { ScanHost } from '../../../lib/engine/extension.js';
import type { Ec2Port, ImageFacts } from '../../../lib/platforms/ec2/engine/ec2-port.js';
import { imageCare } from '../../../lib/platforms/ec2/engine/made-image.js';
import { scanRegion } from '../../../lib/platforms/ec2/engine/scan.js';
import { awsVolumeRegions } from '../../../lib/platforms/ec2/engine/volume-region.js';
import { systemClock } from '../../../lib/toolkit/host/clock.js';
import { bake } from '../../support/bake-cli.js';
import { startEc2Recorder } from '../../support/ec2-recorder.js';
import { type Moto, startMoto } from '../../support/moto.js';
import { need } from '../../support/need.js';
import { type Sshd, startSshd } from '../../support/sshd.js';
import { stepContext } from '../../support/step-context.js';
import { parameterContract } from './parameter-contract.js';

const { signal } = new AbortController();
const ours = (region: string) => awsEc2({ region }).images({ owners: ['self'] }, signal);
const parameter = async (region: string, name: string) => (await awsParameters({ region }).get(name, signal))?.value;

let moto: Moto;
let sshd: Sshd;
let isReady = false;
t.before(async () => {
  if (!(await need(t, 'moto')) || !(await need(t, 'sshd'))) return;
  moto = await startMoto(t);
  sshd = await startSshd();
  Object.assign(process.env, moto.env);
  isReady = true;
});
t.teardown(() => sshd?.stop());
t.beforeEach(() => moto?.reset());

/** A project whose source has these props beside those that it needs here. */
function project(t: Test, props: string, more = '', env: NodeJS.ProcessEnv = {}) {
  const source = (these: string) => `import { App, Duration, Image, Manifest, Shell, ShellLocalPostProcessor } from 'bake-sdk';
import { AmiLookup, Ec2Source, HostKey } from 'bake-sdk/ec2';
const image = new Image(new App(), 'Web');
new Ec2Source(image, 'Ec2', {
  baseImage: AmiLookup.mostRecent({ owners: ['137112412989'], name: 'amzn-ami-hvm-*' }), allowFrom: ['203.0.113.7/32'], userData: false,
  ssh: { user: '${sshd.user}', host: '127.0.0.1', port: ${sshd.port}, privateKeyFile: '${sshd.privateKeyFile}', hostKey: HostKey.publicKey('${sshd.hostPublicKey}') },
  ${these}
});
new Shell(image, 'Hello', { inline: ['echo hello'] });
${more}
`;
  const folder = t.testdir({ 'image.ts': source(props) });
  const run = async (...args: string[]) => {
    const result = await bake(folder, args, { ...moto.env, ...env });
    t.comment(`${result.stdout}\n${result.stderr}`.slice(-3_000));
    return result;
  };
  return { folder, run, change: (these: string) => writeFileSync(join(folder, 'image.ts'), source(these)) };
}

t.test('an image goes to other regions, with who may use it and the parameter that names it, and is told of as one', { timeout: 120_000 }, async (t) => {
  if (!isReady) return;
  const { folder, run } = project(t, `
  amiName: 'web-{build}', amiDescription: 'a web server', copyTo: ['us-east-1', { region: 'eu-central-1', name: 'web-de', tags: { place: 'de' }, share: { users: ['210987654321'] } }],
  share: { users: ['123456789012'], groups: ['all'], snapshotUsers: ['123456789012'] }, ssmParameter: '/web/ami', snapshotTags: { kind: 'snapshot' },`, `new Manifest(image, 'Manifest');`);
  t.equal((await run('run')).code, 0);
  const [[here], [america], [germany]] = await Promise.all([ours('eu-west-1'), ours('us-east-1'), ours('eu-central-1')]);
  t.match(here, { name: 'web-Ec2', tags: { 'bake:state': 'finished' } });
  t.match(america, { name: 'web-Ec2', tags: { 'bake:state': 'finished' } });
  t.match(germany, { name: 'web-de', tags: { 'place': 'de', 'bake:state': 'finished' } });
  const id = `eu-central-1:${germany?.id},eu-west-1:${here?.id},us-east-1:${america?.id}`;
  t.match(JSON.parse(readFileSync(join(folder, 'bake-manifest.json'), 'utf8')), { builds: [{ artifact_id: id, data: {
    region: 'eu-west-1', id: here?.id, snapshots: here?.snapshots, sourceAmi: /^ami-/, sourceAmiName: /^amzn-ami-hvm-/, ssmParameters: ['/web/ami'],
    images: [{ region: 'eu-central-1', snapshots: germany?.snapshots }, { region: 'eu-west-1' }, { region: 'us-east-1' }],
  } }] });
  t.match((await run('outputs', '--format', 'tfvars')).stdout, `web_ec2_id = "${id}"
web_ec2_type = "ec2.ami"
web_ec2_image_id = "${here?.id}"
web_ec2_regions = {
  "eu-central-1" = "${germany?.id}"
  "eu-west-1" = "${here?.id}"
  "us-east-1" = "${america?.id}"
}
`);
  for (const [region, image] of [['eu-west-1', here], ['us-east-1', america], ['eu-central-1', germany]] as const) t.equal(await parameter(region, '/web/ami'), image?.id, region);
  t.strictSame(await permissions('us-east-1', america!.id), ['123456789012', 'all']);
  t.strictSame(await permissions('eu-central-1', germany!.id), ['210987654321'], 'a copy may be shared otherwise');
  t.strictSame(await snapshotUsers('us-east-1', america!.snapshots[0]!), ['123456789012']);
  t.strictSame(await snapshotUsers('eu-central-1', germany!.snapshots[0]!), []);
  t.match(await run('images'), { code: 0, stdout: new RegExp(here!.id) });
});

t.test('an image that is there in all regions is not made again; a new region gets a copy of what is there', { timeout: 120_000 }, async (t) => {
  if (!isReady) return;
  const { run, change } = project(t, `amiName: 'web', ssmParameter: '/web/ami', copyTo: ['us-east-1'],`);
  t.equal((await run('run')).code, 0);
  const [first] = await ours('eu-west-1');
  t.match(await run('run'), { code: 0, stderr: /up to date/ });
  change(`amiName: 'web', ssmParameter: '/web/ami', copyTo: ['us-east-1', { region: 'eu-central-1', share: { users: ['123456789012'] } }],`);
  const more = await run('run');
  t.match(more, { code: 0, stderr: /AMI web: cached/ });
  t.notMatch(more.stderr, /instance t3.small/);
  t.strictSame((await ours('eu-west-1')).map(({ id }) => id), [first!.id]);
  t.equal((await ours('us-east-1')).length, 1);
  t.equal(await parameter('eu-central-1', '/web/ami'), (await ours('eu-central-1'))[0]!.id);
  await awsParameters({ region: 'us-east-1' }).put('/web/ami', { value: 'ami-11111111', dataType: 'text' }, signal);
  t.match(await run('run'), { code: 0, stderr: /✔ parameter \/web\/ami in us-east-1/ }, 'a parameter that somebody has changed is written again');
  t.equal(await parameter('us-east-1', '/web/ami'), (await ours('us-east-1'))[0]!.id);
});

t.test('an image that is only copied from does not stay', { timeout: 120_000 }, async (t) => {
  if (!isReady) return;
  const { run, change } = project(t, `amiName: 'web', encryptBoot: true, kmsKeyId: 'alias/web',`);
  t.equal((await run('run')).code, 0);
  t.strictSame((await ours('eu-west-1')).map(({ name }) => name), ['web']);
  await moto.reset();
  change(`amiName: 'web', skipSaveBuildRegion: true, copyTo: ['us-east-1'],`);
  t.equal((await run('run')).code, 0);
  t.strictSame(await ours('eu-west-1'), []);
  const [copy] = await ours('us-east-1');
  t.match((await run('outputs')).stdout, `"id": "us-east-1:${copy?.id}"`);
});

t.test('if the build fails after that, no image stays and the parameter is as it was', { timeout: 120_000 }, async (t) => {
  if (!isReady) return;
  await awsParameters({ region: 'eu-west-1' }).put('/web/ami', { value: 'ami-11111111', dataType: 'text' }, signal);
  const { run } = project(t, `amiName: 'web', ssmParameter: '/web/ami', copyTo: ['us-east-1'],`, `new ShellLocalPostProcessor(image, 'Check', { inline: ['exit 3'] });`);
  t.match(await run('run'), { code: 1, stderr: /✔ parameter \/web\/ami in us-east-1/ });
  t.strictSame([...await ours('eu-west-1'), ...await ours('us-east-1')], []);
  t.equal(await parameter('eu-west-1', '/web/ami'), 'ami-11111111');
  t.equal(await parameter('us-east-1', '/web/ami'), undefined);
});

t.test('what moto does not know goes to a server that reads it as EC2 would: it is set in order, and taken off if the build fails', { timeout: 120_000 }, async (t) => {
  if (!isReady) return;
  const yes = '<return>true</return>';
  const enabled = '<fastLaunchImageSet><item><state>enabled</state></item></fastLaunchImageSet>';
  const own = { EnableImageDeprecation: yes, EnableImageDeregistrationProtection: yes, DisableImageDeregistrationProtection: yes, EnableFastLaunch: yes, DisableFastLaunch: yes, DescribeFastLaunchImages: enabled, ModifyInstanceAttribute: yes };
  const { url, calls } = await startEc2Recorder(t, own, moto.url);
  const { run } = project(t, `
  enaSupport: true, imdsSupport: 'v2.0', deprecateAt: Duration.days(90), deregistrationProtection: { cooldown: true }, fastLaunch: { maxParallelLaunches: 8 },`, `new ShellLocalPostProcessor(image, 'Check', { inline: ['exit 3'] });`, { AWS_ENDPOINT_URL: url });
  t.equal((await run('run')).code, 1);
  const actions = calls.map(({ action }) => action);
  const order = ['StopInstances', 'ModifyInstanceAttribute', 'CreateImage', 'EnableFastLaunch', 'DescribeFastLaunchImages', 'EnableImageDeregistrationProtection', 'DisableImageDeregistrationProtection', 'DeregisterImage'];
  t.strictSame(actions.filter((action) => order.includes(action)), order);
  for (const [before, after] of [['EnableImageDeprecation', 'EnableImageDeregistrationProtection'], ['DisableFastLaunch', 'DeregisterImage']] as const) t.ok(actions.indexOf(before) < actions.indexOf(after), `${before} before ${after}`);
  const days = (Date.parse((calls.find(({ action }) => action === 'EnableImageDeprecation')!.input as { readonly DeprecateAt: string }).DeprecateAt) - Date.now()) / 86_400_000;
  t.ok(days > 89.9 && days <= 90, 'from now');
  t.strictSame(await ours('eu-west-1'), []);
});

t.test('what stands in the way in another region is said before anything is made', { timeout: 120_000 }, async (t) => {
  if (!isReady) return;
  const { run, change } = project(t, `amiName: 'web', copyTo: ['us-east-1'],`);
  const [any] = await awsEc2({ region: 'eu-west-1' }).images({ owners: ['137112412989'] }, signal);
  const strange = (region: string) => awsImages({ region }).copy({ clientToken: 'token', sourceId: any!.id, sourceRegion: 'eu-west-1', name: 'web', tags: {}, snapshotTags: {} }, signal);
  await strange('us-east-1');
  const taken = await run('run');
  t.match(taken, { code: 2, stderr: /AmiNameTaken[\s\S]*"web" already in us-east-1/ });
  t.notMatch(taken.stderr, /instance t3/);
  t.equal((await run('run', '--force')).code, 0);
  t.equal((await ours('us-east-1')).length, 1, 'the other one went');
  change(`amiName: 'web',`);
  t.match(await run('run', '--no-cache'), { code: 1, stderr: /AmiNameTaken[\s\S]*"web" already in eu-west-1/ });
  change(`copyTo: ['eu-west-1'],`);
  t.match(await run('run'), { code: 2, stderr: /CopyToOwnRegion/ });
});

t.test('a kill between the end of an image and that of its snapshots leaves what a scan finds', async (t) => {
  if (!isReady) return;
  const access = { region: 'eu-west-1' };
  const region = awsVolumeRegions(access);
  const { ec2, storage } = region;
  const [base] = await ec2.images({ owners: ['137112412989'] }, signal);
  const { id: instanceId } = await ec2.runInstance({ clientToken: 'a', imageId: base!.id, type: 't3.small', place: {}, securityGroupIds: [], blockDevices: [], metadata: { tokens: 'required' }, tags: { team: 'web' } }, signal);
  const id = await ec2.createImage({ instanceId, name: 'half', noReboot: true, blockDevices: [], tags: { 'bake:run': 'r1' } }, signal);
  const [{ snapshots }] = await ec2.images({ ids: [id] }, signal) as [ImageFacts];
  const killed = { ...region, ec2: Object.assign(Object.create(ec2) as Ec2Port, { tag: ec2.tag.bind(ec2), deregisterImage: (image: string) => ec2.deregisterImage(image, [], signal) }) };
  await imageCare(() => killed).release({ id, snapshots: [...snapshots], access, name: 'half', region: 'eu-west-1', token: 'r1-x', artifact: { type: 'ec2.ami', id, title: 'half', files: [], data: {} } }, stepContext(t));
  const left = await scanRegion(region, { clock: systemClock, signal } as ScanHost);
  t.match(left.map(({ kind, title }) => [kind, title]), [['snapshot', `${snapshots[0]} in eu-west-1`]]);
  for (const stray of left) await stray.remove();
  t.same(await storage.snapshots({ tags: { 'bake:run': '*' } }, signal), []);
});

t.test('moto keeps parameters as the contract says', async (t) => {
  if (isReady) await parameterContract(t, awsParameters({ region: 'eu-west-1' }), '/contract');
});

t.test('the base image can be what a parameter names, until the user looks again', { timeout: 120_000 }, async (t) => {
  if (!isReady) return;
  const [older, newer] = (await awsEc2({ region: 'eu-west-1' }).images({ owners: ['137112412989'] }, signal)).slice(-2);
  const name = (id: string) => awsParameters({ region: 'eu-west-1' }).put('/base/ami', { value: id, dataType: 'aws:ec2:image' }, signal);
  await name(older!.id);
  const { folder, run } = project(t, `baseImage: AmiLookup.fromSsmParameter('/base/ami'), skipCreateAmi: true,`);
  t.match(await run('run'), { code: 0, stderr: new RegExp(older!.id) });
  t.match(JSON.parse(readFileSync(join(folder, 'bake.lock.json'), 'utf8')), { 'ami eu-west-1 ssm /base/ami': { id: older!.id } });
  await name(newer!.id);
  t.match(await run('run', '--no-cache'), { code: 0, stderr: new RegExp(older!.id) });
  t.match(await run('run', '--update=ami eu-west-1 ssm /base/ami'), { code: 0, stderr: new RegExp(newer!.id) });
});

async function permissions(region: string, id: string): Promise<readonly string[]> {
  const { LaunchPermissions = [] } = await new EC2Client({ region }).send(new DescribeImageAttributeCommand({ ImageId: id, Attribute: 'launchPermission' }));
  return LaunchPermissions.map(({ UserId, Group }) => UserId ?? Group ?? '').sort();
}

async function snapshotUsers(region: string, id: string): Promise<readonly string[]> {
  const { CreateVolumePermissions = [] } = await new EC2Client({ region }).send(new DescribeSnapshotAttributeCommand({ SnapshotId: id, Attribute: 'createVolumePermission' }));
  return CreateVolumePermissions.map(({ UserId = '' }) => UserId);
}
