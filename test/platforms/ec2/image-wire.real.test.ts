// moto answers HTTP 500 to deprecation, protection and fast launch, and drops most of CopyImage. What these calls
// are on the wire is held against the vendor's own description of them; what EC2 does then, nothing here can show.
import t, { type Test } from 'tap';
import { awsImages } from '../../../lib/platforms/ec2/engine/aws-images.js';
import { type Answers, startEc2Recorder } from '../../support/ec2-recorder.js';
import { need } from '../../support/need.js';

process.env['AWS_ACCESS_KEY_ID'] = 'test';
process.env['AWS_SECRET_ACCESS_KEY'] = 'test';

const { signal } = new AbortController();
const id = 'ami-0123456789abcdef0';

async function start(t: Test, answers: Answers = {}) {
  const recorder = await startEc2Recorder(t, answers);
  return { calls: recorder.calls, images: awsImages({ region: 'us-east-1', endpoint: recorder.url }) };
}

t.test('a copy carries its stamp and key from the start, and its snapshots do', async (t) => {
  if (!(await need(t, 'moto'))) return;
  const { calls, images } = await start(t, { CopyImage: '<imageId>ami-2</imageId>' });
  t.equal(await images.copy({ clientToken: 'token', sourceId: id, sourceRegion: 'eu-west-1', name: 'web', description: 'a web server', encrypted: true, kmsKeyId: 'alias/web', completionMinutes: 30, tags: { a: '1' }, snapshotTags: { b: '2' } }, signal), 'ami-2');
  t.match(calls, [{ action: 'CopyImage', input: {
    SourceImageId: id, SourceRegion: 'eu-west-1', Name: 'web', Description: 'a web server', Encrypted: true, KmsKeyId: 'alias/web', SnapshotCopyCompletionDurationMinutes: 30,
    TagSpecifications: [{ ResourceType: 'image', Tags: [{ Key: 'a', Value: '1' }] }, { ResourceType: 'snapshot', Tags: [{ Key: 'b', Value: '2' }] }],
  } }]);
  await images.copy({ clientToken: 'other', sourceId: id, sourceRegion: 'eu-west-1', name: 'web', tags: {}, snapshotTags: {} }, signal);
  t.notOk('Encrypted' in (calls[1]!.input as object), 'what is not asked for is not sent');
});

t.test('who may use an image, and nobody any more', async (t) => {
  if (!(await need(t, 'moto'))) return;
  const { calls, images } = await start(t, {
    DescribeImageAttribute: `<imageId>${id}</imageId><launchPermission><item><userId>123456789012</userId></item><item><group>all</group></item></launchPermission>`,
    DescribeSnapshotAttribute: '<snapshotId>snap-1</snapshotId><createVolumePermission><item><userId>123456789012</userId></item></createVolumePermission>',
  });
  const organization = 'arn:aws:organizations::123456789012:organization/o-123example00';
  const unit = 'arn:aws:organizations::123456789012:ou/o-123example00/ou-1234-5example0';
  await images.share(id, { users: ['123456789012', '210987654321'], groups: ['all'], organizations: [organization], organizationalUnits: [unit] }, signal);
  await images.shareSnapshot('snap-1', { users: ['123456789012'], groups: ['all'] }, signal);
  await images.makePrivate(id, ['snap-1'], signal);
  t.strictSame(calls.slice(0, 2), [
    { action: 'ModifyImageAttribute', input: { ImageId: id, LaunchPermission: { Add: [{ UserId: '123456789012' }, { UserId: '210987654321' }, { Group: 'all' }, { OrganizationArn: organization }, { OrganizationalUnitArn: unit }] } } },
    { action: 'ModifySnapshotAttribute', input: { SnapshotId: 'snap-1', Attribute: 'createVolumePermission', OperationType: 'add', UserIds: ['123456789012'], GroupNames: ['all'] } },
  ]);
  t.strictSame(calls.slice(2).sort((a, b) => (a.action < b.action ? -1 : 1)), [
    { action: 'DescribeImageAttribute', input: { ImageId: id, Attribute: 'launchPermission' } },
    { action: 'DescribeSnapshotAttribute', input: { SnapshotId: 'snap-1', Attribute: 'createVolumePermission' } },
    { action: 'ModifyImageAttribute', input: { ImageId: id, LaunchPermission: { Remove: [{ UserId: '123456789012' }, { Group: 'all' }] } } },
    { action: 'ModifySnapshotAttribute', input: { SnapshotId: 'snap-1', Attribute: 'createVolumePermission', OperationType: 'remove', UserIds: ['123456789012'] } },
  ]);
});

t.test('until when an image is found, and that it stays', async (t) => {
  if (!(await need(t, 'moto'))) return;
  const { calls, images } = await start(t, { DescribeImages: `<imagesSet><item><imageId>${id}</imageId><deprecationTime>2027-06-30T12:00:00.000Z</deprecationTime><deregistrationProtection>enabled-with-cooldown</deregistrationProtection></item></imagesSet>` });
  await images.deprecate(id, new Date('2027-06-30T12:00:00Z'), signal);
  await images.undeprecate(id, signal);
  await images.protect(id, true, signal);
  await images.unprotect(id, signal);
  t.equal(await images.isProtected(id, signal), true);
  await images.requireTokens(id, signal);
  t.strictSame(calls, [
    { action: 'EnableImageDeprecation', input: { ImageId: id, DeprecateAt: '2027-06-30T12:00:00Z' } },
    { action: 'DescribeImages', input: { ImageIds: [id], IncludeDeprecated: true } },
    { action: 'DisableImageDeprecation', input: { ImageId: id } },
    { action: 'EnableImageDeregistrationProtection', input: { ImageId: id, WithCooldown: true } },
    { action: 'DisableImageDeregistrationProtection', input: { ImageId: id } },
    { action: 'DescribeImages', input: { ImageIds: [id], IncludeDeprecated: true } },
    { action: 'ModifyImageAttribute', input: { ImageId: id, ImdsSupport: { Value: 'v2.0' } } },
  ]);
});

t.test('fast launches of Windows', async (t) => {
  if (!(await need(t, 'moto'))) return;
  const states = ['enabling', 'enabled', 'enabling-failed'].map((state, index) => `<item><imageId>ami-${index}</imageId><state>${state}</state><stateTransitionReason>because</stateTransitionReason></item>`).join('');
  const { calls, images } = await start(t, { DescribeFastLaunchImages: `<fastLaunchImageSet>${states}</fastLaunchImageSet>` });
  await images.enableFastLaunch(id, { launchTemplate: { name: 'windows' }, maxParallelLaunches: 6, targetResourceCount: 10 }, signal);
  await images.enableFastLaunch(id, {}, signal);
  await images.disableFastLaunch(id, signal);
  t.strictSame((await images.fastLaunches([id], signal)).map(({ state }) => state), ['enabling', 'enabled', 'failed']);
  t.strictSame(calls, [
    { action: 'EnableFastLaunch', input: { ImageId: id, ResourceType: 'snapshot', MaxParallelLaunches: 6, SnapshotConfiguration: { TargetResourceCount: 10 }, LaunchTemplate: { LaunchTemplateName: 'windows', Version: '$Default' } } },
    { action: 'EnableFastLaunch', input: { ImageId: id, ResourceType: 'snapshot' } },
    { action: 'DisableFastLaunch', input: { ImageId: id } },
    { action: 'DescribeFastLaunchImages', input: { ImageIds: [id] } },
  ]);
});

t.test('network drivers go one by one, as EC2 takes them', async (t) => {
  if (!(await need(t, 'moto'))) return;
  const { calls, images } = await start(t);
  await images.setNetworkDrivers('i-1', { ena: true, sriov: true }, signal);
  t.strictSame(calls.map(({ input }) => input), [{ InstanceId: 'i-1', EnaSupport: { Value: true } }, { InstanceId: 'i-1', SriovNetSupport: { Value: 'simple' } }]);
});
