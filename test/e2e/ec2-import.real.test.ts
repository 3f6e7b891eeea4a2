// A disk of this computer becomes an AMI of an EC2 that is not ours (moto), whose snapshot has the disk's bytes.
import { execFileSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { DeregisterImageCommand, DescribeImagesCommand, DescribeSnapshotsCommand } from '@aws-sdk/client-ec2';
import { EBSClient, GetSnapshotBlockCommand, ListSnapshotBlocksCommand } from '@aws-sdk/client-ebs';
import t, { type Test } from 'tap';
import { guestImage } from '../platforms/qemu/guest-image.js';
import { bake, startBake } from '../support/bake-cli.js';
import { startChaosProxy } from '../support/chaos-proxy.js';
import { ec2Client, ec2Leftovers } from '../support/ec2-leftovers.js';
import { startMoto } from '../support/moto.js';
import { need } from '../support/need.js';

const blockSize = 512 * 1024;

/** A project whose disk has a file system with what nothing compresses, made as the build runs. */
function projectOf(t: Test, props: string, { format = 'qcow2', compressed = false, mebibytes = 1 }: { readonly format?: string; readonly compressed?: boolean; readonly mebibytes?: number } = {}): string {
  return t.testdir({
    'disk.sh': `set -e
rm -rf tree plain.raw "$1"; mkdir tree; head -c $((${mebibytes} * 1048576)) /dev/urandom > tree/data; echo hello > tree/hello
truncate -s $((70 + ${mebibytes}))M plain.raw; /sbin/mke2fs -q -t ext4 -d tree plain.raw; printf end >> plain.raw
qemu-img convert -f raw -O ${format} ${compressed ? '-c' : ''} plain.raw "$1"
`,
    'image.ts': `import { App, Artifice, Image, ShellLocal, Size, Tags } from 'bake-sdk';
import { Ec2Import } from 'bake-sdk/ec2';
import { NullSource } from 'bake-sdk/null';
const image = new Image(new App(), 'Web');
Tags.of(image).add('team', 'web');
new NullSource(image, 'Disk', {});
new ShellLocal(image, 'Make', { inline: ['sh disk.sh disk.${format}'] });
const input = new Artifice(image, 'File', { files: ['disk.${format}'], keepInputArtifact: true });
new Ec2Import(image, 'Import', { input, ${props} });
`,
  });
}

/** The bytes of a snapshot, as many as its disk has. */
async function bytesOf(endpoint: string, snapshot: string, length: number): Promise<{ readonly bytes: Buffer; readonly blocks: number }> {
  const ebs = new EBSClient({ endpoint, region: 'eu-west-1', credentials: { accessKeyId: 'test', secretAccessKey: 'test' } });
  const bytes = Buffer.alloc(Math.ceil(length / blockSize) * blockSize);
  const { Blocks = [] } = await ebs.send(new ListSnapshotBlocksCommand({ SnapshotId: snapshot }));
  for (const { BlockIndex = 0, BlockToken } of Blocks) {
    const { BlockData } = await ebs.send(new GetSnapshotBlockCommand({ SnapshotId: snapshot, BlockIndex, BlockToken: BlockToken! }));
    bytes.set(await BlockData!.transformToByteArray(), BlockIndex * blockSize);
  }
  return { bytes: bytes.subarray(0, length), blocks: Blocks.length };
}

/** How many blocks of a disk are not empty. */
function usedBlocks(disk: Buffer): number {
  const empty = Buffer.alloc(blockSize);
  return Array.from({ length: Math.ceil(disk.length / blockSize) }, (_, index) => disk.subarray(index * blockSize, (index + 1) * blockSize)).filter((block) => !block.equals(empty.subarray(0, block.length))).length;
}

type Tagged = { readonly Tags?: readonly { readonly Key?: string | undefined; readonly Value?: string | undefined }[] | undefined };
const tagsOf = ({ Tags = [] }: Tagged = {}) => Object.fromEntries(Tags.map(({ Key, Value }) => [Key, Value]));

t.test('a disk becomes an AMI', { timeout: 300_000 }, async (t) => {
  if (!(await need(t, 'moto')) || !(await need(t, 'qemu'))) return;
  const moto = await startMoto(t);
  const client = ec2Client(moto.url);
  const images = async () => (await client.send(new DescribeImagesCommand({ Owners: ['self'] }))).Images ?? [];
  const snapshots = async () => (await client.send(new DescribeSnapshotsCommand({ Filters: [{ Name: 'tag-key', Values: ['bake:run'] }] }))).Snapshots ?? [];

  for (const [name, disk] of [['raw', { format: 'raw' }], ['qcow2, read where it is', {}], ['qcow2 that is compressed', { compressed: true }], ['vmdk', { format: 'vmdk' }]] as const) {
    await t.test(`its snapshot has the disk's bytes, and no block that is empty: ${name}`, async (t) => {
      await moto.reset();
      const project = projectOf(t, "amiName: 'web-1', amiDescription: 'of a disk', architecture: 'x86_64', bootMode: 'uefi', snapshotDescription: 'the root', snapshotTags: { kind: 'root' }, ssmParameter: '/web/ami', copyTo: ['us-east-1']", disk);
      const { code, stdout, stderr } = await bake(project, ['run'], moto.env);
      t.equal(code, 0, stderr);
      const [image] = await images();
      t.match(image, { Name: 'web-1', Description: 'of a disk' });
      t.match(tagsOf(image), { 'Name': 'web-1', 'team': 'web', 'bake:state': 'finished' });
      const [snapshot, ...others] = await snapshots();
      t.same(others, []);
      t.match(snapshot, { VolumeSize: 1, Description: 'the root' });
      t.match(tagsOf(snapshot), { 'team': 'web', 'kind': 'root', 'bake:state': 'finished' });
      const plain = readFileSync(join(project, 'plain.raw'));
      const { bytes, blocks } = await bytesOf(moto.url, snapshot!.SnapshotId!, plain.length);
      t.ok(bytes.equals(plain), 'the bytes are the same');
      t.equal(blocks, usedBlocks(plain));
      t.ok(blocks < 20, `${blocks} blocks`);
      t.match(stdout, new RegExp(image!.ImageId!));
      t.same(await ec2Leftovers(client), []);
    });
  }

  await t.test('what QEMU built is imported as it says it starts; then it is up to date, and told of to other programs', async (t) => {
    await moto.reset();
    const project = t.testdir({ 'image.ts': `import { Ec2Import } from 'bake-sdk/ec2';\n${await guestImage('', "new Shell(image, 'Mark', { inline: ['echo made by bake > /root/mark'] });\nnew Ec2Import(image, 'Ami', { amiName: 'tiny-1', ssmParameter: '/tiny/ami' });")}` });
    const first = await bake(project, ['run'], moto.env);
    t.equal(first.code, 0, first.stderr);
    const [image, ...others] = await images();
    t.same(others, []);
    const raw = join(project, 'again.raw');
    execFileSync('qemu-img', ['convert', '-O', 'raw', join(project, 'tiny.qcow2'), raw]);
    const plain = readFileSync(raw);
    const { bytes, blocks } = await bytesOf(moto.url, (await snapshots())[0]!.SnapshotId!, plain.length);
    t.ok(bytes.equals(plain), 'the bytes are the same');
    t.equal(blocks, usedBlocks(plain));
    t.comment(`${blocks} of ${plain.length / blockSize} blocks were sent`);
    t.match(await bake(project, ['run'], moto.env), { code: 0, stderr: /up to date/ });
    const outputs = await bake(project, ['outputs', '--format', 'tfvars'], moto.env);
    t.match(outputs.stdout, new RegExp(`eu-west-1.*${image!.ImageId!}`), outputs.stderr);
    t.match((await bake(project, ['images'], moto.env)).stdout, new RegExp(image!.ImageId!));
    await client.send(new DeregisterImageCommand({ ImageId: image!.ImageId! }));
    const again = await bake(project, ['run'], moto.env);
    t.equal(again.code, 0, again.stderr);
    t.notMatch(again.stderr, /✔ .*shut/, 'that needs no machine');
    t.equal((await images()).length, 1, 'the image is made again');
    t.same(await ec2Leftovers(client), []);
  });

  await t.test('a name that is taken, and what is no disk, are told, and nothing stays', async (t) => {
    await moto.reset();
    t.equal((await bake(projectOf(t, "amiName: 'web-1'"), ['run'], moto.env)).code, 0);
    const taken = await bake(projectOf(t, "amiName: 'web-1'"), ['run'], moto.env);
    t.match([taken.code, taken.stderr], [1, /AmiNameTaken: this account has an image "web-1"/]);
    t.notMatch(taken.stderr, /sending what is not empty/);
    t.match(await bake(projectOf(t, "amiName: 'web-1', forceDeregister: true"), ['run'], moto.env), { code: 0 });
    t.match(await bake(projectOf(t, "rootDevice: { size: Size.gibibytes(1) }, format: 'vmdk'"), ['run'], moto.env), { code: 1, stderr: /NotADisk.*vmdk/i });
    const noRegion = await bake(projectOf(t, ''), ['run'], { ...moto.env, AWS_REGION: undefined, AWS_CONFIG_FILE: '/nowhere' });
    t.match([noRegion.code, noRegion.stderr], [2, /Ec2NoRegion/]);
    t.notMatch(noRegion.stderr, /✔ shell-local/, 'before the disk is built');
    t.equal((await images()).length, 1);
    t.same(await ec2Leftovers(client), []);
  });

  await t.test('whatever happens to the calls: the bytes are right, or nothing stays', async (t) => {
    await moto.reset();
    let [good, harm] = [0, 0];
    for (const seed of [1, 2, 3, 4]) {
      const proxy = await startChaosProxy(t, moto.url, { seed, chaos: { throttled: 0.05, failed: 0.05, lost: 0.05, unanswered: 0.05, slow: 0.02 } });
      const project = projectOf(t, `amiName: 'web-${seed}'`, { mebibytes: 8 });
      const { code, stderr } = await bake(project, ['run'], { ...moto.env, AWS_ENDPOINT_URL: proxy.url });
      harm += proxy.done.length;
      if (/left behind/.test(stderr)) t.equal((await bake(project, ['clean'], moto.env)).code, 0);
      if (code === 0) {
        good++;
        const plain = readFileSync(join(project, 'plain.raw'));
        const kept = (await snapshots()).filter((one) => tagsOf(one)['Name'] === `web-${seed}`);
        t.equal(kept.length, 1);
        const { bytes, blocks } = await bytesOf(moto.url, kept[0]!.SnapshotId!, plain.length);
        t.ok(bytes.equals(plain), `seed ${seed}: the bytes are the same`);
        t.equal(blocks, usedBlocks(plain));
      } else t.match(stderr, /Ec2(Unavailable|Throttled|Refused|NotFound)/, `seed ${seed}: a clear error`);
      t.same(await ec2Leftovers(client), [], `seed ${seed}`);
    }
    t.comment(`${good} of 4 went well, ${harm} calls were harmed`);
    t.ok(good >= 2 && harm > 20, `${good} of 4, ${harm}`);
  });

  await t.test('kill -9: clean removes all, and where there is no journal, clean --scan', async (t) => {
    await moto.reset();
    // So slow that there is time to die in the middle.
    const proxy = await startChaosProxy(t, moto.url, { chaos: { throttled: 0, failed: 0, lost: 0, unanswered: 0, slow: 1, only: /^\/snapshots|RegisterImage/ } });
    const project = projectOf(t, '', { mebibytes: 16 });
    const runs = () => new Set(existsSync(join(project, '.bake/runs')) ? readdirSync(join(project, '.bake/runs')) : []);
    const written = (before: ReadonlySet<string>, name: string) => {
      const own = [...runs()].find((run) => !before.has(run));
      try { return own === undefined ? '' : readFileSync(join(project, '.bake/runs', own, name), 'utf8'); } catch { return ''; }
    };
    const moments: readonly (readonly [string, RegExp])[] = [
      ['journal.jsonl', /"resource\.begun".*Snapshot/], ['log.jsonl', /sending what is not empty/], ['log.jsonl', /"step\.progress".*sending the disk/], ['log.jsonl', / sent"/], ['journal.jsonl', /"resource\.acquired".*Snapshot/], ['journal.jsonl', /"resource\.begun".*Ami/], ['journal.jsonl', /"resource\.acquired".*Ami/],
    ];
    for (const [index, [file, moment]] of moments.flatMap((one) => [one, one]).entries()) {
      const before = runs();
      const running = startBake(project, ['run', '--no-cache'], { ...moto.env, AWS_ENDPOINT_URL: proxy.url });
      let isSeen = false;
      while (!isSeen && running.child.exitCode === null) {
        isSeen = moment.test(written(before, file));
        await new Promise((resolve) => { setTimeout(resolve, 1); });
      }
      running.child.kill('SIGKILL');
      await running.done;
      t.ok(isSeen, String(moment));
      if (index % 2 === 1) rmSync(join(project, '.bake/runs'), { recursive: true });
      const cleaned = await bake(project, index % 2 === 1 ? ['clean', '--scan'] : ['clean'], moto.env);
      t.equal(cleaned.code, 0, cleaned.stderr);
      t.same(await ec2Leftovers(client), [], `${moment} ${index % 2 === 1 ? 'scan' : 'journal'}`);
      t.same((await snapshots()).filter((one) => tagsOf(one)['bake:state'] !== 'finished'), []);
    }
  });
});
