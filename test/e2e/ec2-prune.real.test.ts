// Old images of an account, retired by the built CLI.
import { AutoScalingClient, CreateLaunchConfigurationCommand } from '@aws-sdk/client-auto-scaling';
import { CreateLaunchTemplateCommand, CreateLaunchTemplateVersionCommand, DescribeImagesCommand, DescribeSnapshotsCommand, ModifyImageAttributeCommand, RunInstancesCommand } from '@aws-sdk/client-ec2';
import { PutParameterCommand, SSMClient } from '@aws-sdk/client-ssm';
import t from 'tap';
import { bake } from '../support/bake-cli.js';
import { ec2Client } from '../support/ec2-leftovers.js';
import { startMoto } from '../support/moto.js';
import { need } from '../support/need.js';
import { startSshd } from '../support/sshd.js';

t.test('what is in use stays, and the rest goes', { timeout: 120_000 }, async (t) => {
  if (!(await need(t, 'moto')) || !(await need(t, 'sshd'))) return;
  const moto = await startMoto(t);
  const client = ec2Client(moto.url);
  const sshd = await startSshd();
  t.teardown(() => sshd.stop());
  const project = t.testdir({ 'image.ts': `import { App, Image, Shell } from 'bake-sdk';
import { AmiLookup, Ec2Source, HostKey } from 'bake-sdk/ec2';
const image = new Image(new App(), 'Web');
const ssh = { user: '${sshd.user}', host: '127.0.0.1', port: ${sshd.port}, privateKeyFile: '${sshd.privateKeyFile}', hostKey: HostKey.publicKey('${sshd.hostPublicKey}') };
for (let index = 0; index < 8; index++) new Ec2Source(image, 'E' + index, { baseImage: AmiLookup.mostRecent({ owners: ['137112412989'], name: 'amzn-ami-hvm-*' }), userData: false, allowFrom: ['203.0.113.7/32'], ssh });
new Shell(image, 'One', { inline: ['echo hello'] });
` });
  t.match(await bake(project, ['run'], moto.env), { code: 0 });
  const images = async () => ((await client.send(new DescribeImagesCommand({ Owners: ['self'] }))).Images ?? []).sort((a, b) => (a.Name! < b.Name! ? -1 : 1));
  const ids = (await images()).map(({ ImageId }) => ImageId!); // in the order of their builds: their names begin with that
  t.match(await bake(project, ['run', '--no-cache'], moto.env), { code: 0 });
  const at = { endpoint: moto.url, region: 'eu-west-1', credentials: { accessKeyId: 'test', secretAccessKey: 'test' } };
  await client.send(new RunInstancesCommand({ ImageId: ids[0]!, InstanceType: 't3.small', MinCount: 1, MaxCount: 1 }));
  await client.send(new CreateLaunchTemplateCommand({ LaunchTemplateName: 'web', LaunchTemplateData: { ImageId: ids[1]! } }));
  await client.send(new CreateLaunchTemplateVersionCommand({ LaunchTemplateName: 'web', LaunchTemplateData: { ImageId: ids[2]! } }));
  await new AutoScalingClient(at).send(new CreateLaunchConfigurationCommand({ LaunchConfigurationName: 'web', ImageId: ids[3]!, InstanceType: 't3.small' }));
  await new SSMClient(at).send(new PutParameterCommand({ Name: '/web/ami', Type: 'String', Value: JSON.stringify({ image_id: ids[4] }) }));

  await client.send(new ModifyImageAttributeCommand({ ImageId: ids[5]!, LaunchPermission: { Add: [{ UserId: '210987654321' }] } }));

  const prune = (...more: readonly string[]) => bake(project, ['prune', '--platform', 'ec2', '--keep', '1', '--older-than', '0s', ...more], moto.env);
  const dry = await prune('--now', '--dry-run');
  t.equal(dry.code, 0, dry.stderr);
  for (const [index, user] of [/instance i-/, /launch template web, version 1/, /launch template web, version 2/, /launch configuration web/, /SSM parameter \/web\/ami/, /210987654321, perhaps/].entries()) t.match(dry.stdout, new RegExp(`kept: ${ids[index]} Web-E${index}-\\S+ in eu-west-1  Web/E${index}, in use by ${user.source}`));
  t.equal((await images()).length, 16);
  const done = await prune('--now');
  t.equal(done.code, 0, done.stderr);
  t.match(done.stdout, new RegExp(`removed: ${ids[6]}`));
  const left = (await images()).map(({ ImageId }) => ImageId);
  t.equal(left.length, 14);
  t.same(ids.map((id) => left.includes(id)), [true, true, true, true, true, true, false, false]);
  const { Snapshots = [] } = await client.send(new DescribeSnapshotsCommand({ OwnerIds: ['self'] }));
  t.equal(Snapshots.filter(({ Description = '' }) => /CreateImage\(i-/.test(Description)).length, 14, 'snapshots went along');
  t.match(await prune('--keep-storage', '1GB'), { code: 2, stderr: /--keep-storage is for the store/ });
  t.match(await bake(project, ['prune', '--platform', 'docker'], moto.env), { code: 2, stderr: /UnknownPlatform/ });
});
