// Whole builds of images on a second volume, and of volumes, on an EC2 that is not ours (moto), in a machine that is a real sshd.
import { existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { DeleteVolumeCommand, DescribeImagesCommand, DescribeSnapshotAttributeCommand, DescribeSnapshotsCommand, DescribeVolumesCommand } from '@aws-sdk/client-ec2';
import t, { type Test } from 'tap';
import { bake, startBake } from '../support/bake-cli.js';
import { ec2Client, ec2Leftovers } from '../support/ec2-leftovers.js';
import { startMoto } from '../support/moto.js';
import { need } from '../support/need.js';
import { startSshd } from '../support/sshd.js';

/** A project whose source reaches this computer's own sshd, which the tests let in as if it were the instance. */
async function projectOn(t: Test, source: string): Promise<string> {
  const sshd = await startSshd();
  t.teardown(() => sshd.stop());
  return t.testdir({ 'image.ts': `import { App, Image, Shell, Size, Tags } from 'bake-sdk';
import { AmiLookup, Ec2SurrogateSource, Ec2VolumeSource, HostKey } from 'bake-sdk/ec2';
const image = new Image(new App(), 'Web');
const machine = { baseImage: AmiLookup.mostRecent({ owners: ['137112412989'], name: 'amzn-ami-hvm-*' }), userData: false, allowFrom: ['203.0.113.7/32'],
  ssh: { user: '${sshd.user}', host: '127.0.0.1', port: ${sshd.port}, privateKeyFile: '${sshd.privateKeyFile}', hostKey: HostKey.publicKey('${sshd.hostPublicKey}') } } as const;
const disk = { deviceName: '/dev/sdf', size: Size.gibibytes(4) };
${source}
Tags.of(image).add('team', 'web');
new Shell(image, 'One', { inline: ['echo hello'] });
` });
}

type Tagged = { readonly Tags?: readonly { readonly Key?: string | undefined; readonly Value?: string | undefined }[] | undefined };
const tagsOf = ({ Tags = [] }: Tagged = {}) => Object.fromEntries(Tags.map(({ Key, Value }) => [Key, Value]));

const surrogate = (props = '') => `new Ec2SurrogateSource(image, 'Ec2', { ...machine, blockDevices: [disk, { deviceName: '/dev/xvda', size: Size.gibibytes(9), omitFromArtifact: true }], amiRootDevice: { sourceDeviceName: '/dev/sdf' }, ${props} });`;
const volumes = "new Ec2VolumeSource(image, 'Ec2', { ...machine, volumes: [{ ...disk, tags: { role: 'data' }, snapshot: { tags: { role: 'backup' }, users: ['123456789012'] } }, { deviceName: '/dev/sdg', size: Size.gibibytes(1), keep: false, snapshot: true }] });";

t.test('volumes of Amazon EC2', { timeout: 300_000 }, async (t) => {
  if (!(await need(t, 'moto')) || !(await need(t, 'sshd'))) return;
  const moto = await startMoto(t);
  const client = ec2Client(moto.url);
  const run = (project: string, ...more: readonly string[]) => bake(project, ['run', ...more], moto.env);
  const images = async () => (await client.send(new DescribeImagesCommand({ Owners: ['self'] }))).Images ?? [];
  const ours = { Filters: [{ Name: 'tag-key', Values: ['bake:run'] }] };
  const snapshots = async () => (await client.send(new DescribeSnapshotsCommand(ours))).Snapshots ?? [];
  const kept = async () => (await client.send(new DescribeVolumesCommand(ours))).Volumes ?? [];

  await t.test('an image is registered of a snapshot of the second volume, and is then up to date', async (t) => {
    const project = await projectOn(t, surrogate("amiName: 'web-1', amiDescription: 'on a second volume', bootMode: 'uefi', snapshotTags: { kind: 'root' }, snapshotDescription: 'the root'"));
    const first = await run(project);
    t.equal(first.code, 0, first.stderr);
    t.match(await images(), [{ Name: 'web-1', Description: 'on a second volume' }]);
    t.match(tagsOf((await images())[0]), { 'Name': 'web-1', 'team': 'web', 'bake:state': 'finished' });
    const [snapshot, ...others] = await snapshots();
    t.same(others, [], 'the other volume is only for building');
    t.match(snapshot, { VolumeSize: 4, Description: 'the root' });
    t.match(tagsOf(snapshot), { 'team': 'web', 'kind': 'root', 'bake:state': 'finished' });
    t.same(await ec2Leftovers(client), []);
    t.match(await run(project), { code: 0, stderr: /up to date/ });
    writeFileSync(join(project, 'image.ts'), readFileSync(join(project, 'image.ts'), 'utf8').replace("bootMode: 'uefi'", "bootMode: 'uefi-preferred', forceDeregister: true"));
    const other = await run(project);
    t.equal(other.code, 0, other.stderr);
    t.equal((await images()).length, 1, 'the old one was replaced');
    // moto does not know which snapshots a registered image has: there the old one's stays.
    t.same((await snapshots()).filter(({ SnapshotId }) => SnapshotId !== snapshot?.SnapshotId).length, 1, 'an image has a snapshot of its own');
    t.same(await ec2Leftovers(client), []);
  });

  await t.test('an image is made of the instance itself, once the second volume is its root', async (t) => {
    await moto.reset();
    const project = await projectOn(t, surrogate('useCreateImage: true'));
    const { code, stderr } = await run(project);
    t.equal(code, 0, stderr);
    t.match(stderr, /vol-\w+ is the root volume of i-/);
    t.match(await images(), [{ Name: /^Web-Ec2-/ }]);
    t.same(await ec2Leftovers(client), []);
    t.same(await kept(), []);
  });

  await t.test('volumes and snapshots stay, shared and with their tags; when one is gone, all is made again', async (t) => {
    await moto.reset();
    const project = await projectOn(t, volumes);
    const first = await run(project);
    t.equal(first.code, 0, first.stderr);
    const [volume, ...others] = await kept();
    t.same(others, []);
    t.match(volume, { Size: 4, State: 'available' });
    t.match(tagsOf(volume), { 'team': 'web', 'role': 'data', 'bake:state': 'finished' });
    const made = await snapshots();
    t.same(made.map(({ VolumeSize }) => VolumeSize).sort(), [1, 4]);
    const backup = made.find(({ VolumeSize }) => VolumeSize === 4);
    t.match(tagsOf(backup), { 'role': 'backup', 'bake:state': 'finished' });
    const users = async () => (await client.send(new DescribeSnapshotAttributeCommand({ SnapshotId: backup!.SnapshotId!, Attribute: 'createVolumePermission' }))).CreateVolumePermissions?.map(({ UserId }) => UserId);
    t.same(await users(), ['123456789012']);
    t.match(first.stdout, new RegExp(`${volume!.VolumeId} \\(/dev/sdf\\)`));
    t.same(await ec2Leftovers(client), []);

    t.match(await run(project), { code: 0, stderr: /up to date/ });
    const tfvars = await bake(project, ['outputs', '--format', 'tfvars'], moto.env);
    t.match(tfvars.stdout, volume!.VolumeId!, tfvars.stderr);
    writeFileSync(join(project, 'image.ts'), readFileSync(join(project, 'image.ts'), 'utf8').replace('123456789012', '210987654321'));
    const other = await run(project);
    t.equal(other.code, 0, other.stderr);
    t.notMatch(other.stderr, /✔ instance/, 'that needs no machine');
    t.same(await users(), ['210987654321']);
    await client.send(new DeleteVolumeCommand({ VolumeId: volume!.VolumeId! }));
    t.equal((await run(project)).code, 0);
    t.equal((await kept()).length, 1);
    t.same(await ec2Leftovers(client), []);
  });

  await t.test('a build that fails after its volumes are there leaves none', async (t) => {
    await moto.reset();
    const project = await projectOn(t, volumes.replace('volumes: [', "volumes: [{ deviceName: '/dev/sdh', size: Size.gibibytes(1) }, ") + "\nnew Shell(image, 'Bad', { inline: ['exit 3'] });");
    t.equal((await run(project)).code, 1);
    t.same(await ec2Leftovers(client), []);
    t.same([...await kept(), ...await snapshots()], []);
  });

  for (const [name, source, moments] of [
    ['an image of snapshots', surrogate(), [/"action\.done".*Stop/, /"resource\.begun".*Snapshot/, /"resource\.acquired".*Snapshot/, /"resource\.begun".*Ami/, /"resource\.acquired".*Ami/]],
    ['an image of the instance', surrogate('useCreateImage: true'), [/"resource\.begun".*SwapRoot/, /"resource\.acquired".*SwapRoot/, /"resource\.begun".*Ami/]],
    ['volumes', volumes, [/"resource\.begun".*Volume/, /"resource\.acquired".*Volume-sdf/, /"resource\.acquired".*Snapshot/, /"action\.done".*Sharing/, /"resource\.begun".*:?Volumes"/]],
  ] as const) {
    await t.test(`kill -9: clean removes all, and where there is no journal, clean --scan: ${name}`, async (t) => {
      await moto.reset();
      const project = await projectOn(t, source);
      const runs = () => new Set(existsSync(join(project, '.bake/runs')) ? readdirSync(join(project, '.bake/runs')) : []);
      for (const [index, moment] of moments.flatMap((one) => [one, one]).entries()) {
        const before = runs();
        const running = startBake(project, ['run', '--no-cache'], moto.env);
        let isSeen = false;
        while (!isSeen && running.child.exitCode === null) {
          const own = [...runs()].find((run) => !before.has(run));
          const journal = own === undefined ? '' : (() => { try { return readFileSync(join(project, '.bake/runs', own, 'journal.jsonl'), 'utf8'); } catch { return ''; } })();
          isSeen = moment.test(journal);
          await new Promise((resolve) => { setTimeout(resolve, 1); });
        }
        running.child.kill('SIGKILL');
        await running.done;
        t.ok(isSeen, String(moment));
        if (index % 2 === 1) rmSync(join(project, '.bake/runs'), { recursive: true });
        const cleaned = await bake(project, index % 2 === 1 ? ['clean', '--scan'] : ['clean'], moto.env);
        t.equal(cleaned.code, 0, cleaned.stderr);
        t.same(await ec2Leftovers(client), [], `${moment} ${index % 2 === 1 ? 'scan' : 'journal'}`);
      }
    });
  }
});
