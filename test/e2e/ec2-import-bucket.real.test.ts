// A disk of this computer becomes an AMI by way of a bucket, of an EC2 that is not ours (moto, and a stand-in for what it does not know).
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { DescribeImagesCommand, DescribeSnapshotsCommand } from '@aws-sdk/client-ec2';
import { EBSClient, GetSnapshotBlockCommand, ListSnapshotBlocksCommand } from '@aws-sdk/client-ebs';
import { CreateBucketCommand, ListMultipartUploadsCommand, ListObjectsV2Command, PutObjectCommand, S3Client } from '@aws-sdk/client-s3';
import t, { type Test } from 'tap';
import { bake, startBake } from '../support/bake-cli.js';
import { startChaosProxy } from '../support/chaos-proxy.js';
import { ec2Client, ec2Leftovers } from '../support/ec2-leftovers.js';
import { startImportStandIn } from '../support/import-stand-in.js';
import { startMoto } from '../support/moto.js';
import { need } from '../support/need.js';

const blockSize = 512 * 1024;

function projectOf(t: Test, props: string, { mebibytes = 1, format = 'qcow2' }: { readonly mebibytes?: number; readonly format?: string } = {}): string {
  return t.testdir({
    'disk.sh': `set -e
rm -rf tree plain.raw "$1"; mkdir tree; head -c $((${mebibytes} * 1048576)) /dev/urandom > tree/data
truncate -s $((70 + ${mebibytes}))M plain.raw; /sbin/mke2fs -q -t ext4 -d tree plain.raw
qemu-img convert -f raw -O ${format} plain.raw "$1"
`,
    'image.ts': `import { App, Artifice, Image, ShellLocal } from 'bake-sdk';
import { Ec2Import } from 'bake-sdk/ec2';
import { NullSource } from 'bake-sdk/null';
const image = new Image(new App(), 'Web');
new NullSource(image, 'Disk', {});
new ShellLocal(image, 'Make', { inline: ['sh disk.sh disk.${format}'] });
const input = new Artifice(image, 'File', { files: ['disk.${format}'], keepInputArtifact: true });
new Ec2Import(image, 'Import', { input, ${props} });
`,
  });
}

async function bytesOf(endpoint: string, snapshot: string, length: number): Promise<Buffer> {
  const ebs = new EBSClient({ endpoint, region: 'eu-west-1', credentials: { accessKeyId: 'test', secretAccessKey: 'test' } });
  const bytes = Buffer.alloc(Math.ceil(length / blockSize) * blockSize);
  const { Blocks = [] } = await ebs.send(new ListSnapshotBlocksCommand({ SnapshotId: snapshot }));
  for (const { BlockIndex = 0, BlockToken } of Blocks) {
    const { BlockData } = await ebs.send(new GetSnapshotBlockCommand({ SnapshotId: snapshot, BlockIndex, BlockToken: BlockToken! }));
    bytes.set(await BlockData!.transformToByteArray(), BlockIndex * blockSize);
  }
  return bytes.subarray(0, length);
}

type Tagged = { readonly Tags?: readonly { readonly Key?: string | undefined; readonly Value?: string | undefined }[] | undefined };
const tagsOf = ({ Tags = [] }: Tagged = {}) => Object.fromEntries(Tags.map(({ Key, Value }) => [Key, Value]));

t.test('a disk becomes an AMI by way of a bucket', { timeout: 300_000 }, async (t) => {
  if (!(await need(t, 'moto')) || !(await need(t, 'qemu'))) return;
  const moto = await startMoto(t);
  const client = ec2Client(moto.url);
  const s3 = new S3Client({ endpoint: moto.url, region: 'eu-west-1', forcePathStyle: true, credentials: { accessKeyId: 'test', secretAccessKey: 'test' } });
  const images = async () => (await client.send(new DescribeImagesCommand({ Owners: ['self'] }))).Images ?? [];
  // Those that somebody has made here: moto has some of its own, and makes others for images that are registered.
  const imported = async () => (await client.send(new DescribeSnapshotsCommand({ OwnerIds: ['self'] }))).Snapshots?.filter(({ SnapshotId, Description = '' }) => !own.has(SnapshotId) && !Description.startsWith('Auto-created snapshot for AMI')) ?? [];
  let own: ReadonlySet<string | undefined> = new Set();
  const fresh = async () => {
    await moto.reset();
    own = new Set();
    own = new Set((await imported()).map(({ SnapshotId }) => SnapshotId));
    await s3.send(new CreateBucketCommand({ Bucket: 'imports', CreateBucketConfiguration: { LocationConstraint: 'eu-west-1' } }));
  };
  const inBucket = async () => {
    const [{ Contents = [] }, { Uploads = [] }] = await Promise.all([s3.send(new ListObjectsV2Command({ Bucket: 'imports' })), s3.send(new ListMultipartUploadsCommand({ Bucket: 'imports' }))]);
    return [...Contents.map(({ Key }) => Key), ...Uploads.map(({ Key }) => `part of ${Key}`)];
  };

  for (const format of ['vmdk', 'vhd', 'raw'] as const) {
    await t.test(`the snapshot has the disk's bytes, and the bucket nothing any more: ${format}`, async (t) => {
      await fresh();
      const standIn = await startImportStandIn(t, moto.url);
      // More than one part of what is sent.
      const project = projectOf(t, `amiName: 'web-1', bootMode: 'uefi', snapshotTags: { kind: 'root' }, bucket: { name: 'imports', prefix: 'disks/', format: '${format}' }`, { mebibytes: 20, format: format === 'raw' ? 'raw' : 'qcow2' });
      const { code, stderr } = await bake(project, ['run'], { ...moto.env, AWS_ENDPOINT_URL: standIn.url });
      t.equal(code, 0, stderr);
      t.match(standIn.read, [new RegExp(`^imports/disks/.*\\.${format}$`)]);
      t.match(await images(), [{ Name: 'web-1' }]);
      const [snapshot, ...others] = await imported();
      t.same(others, []);
      t.match(tagsOf(snapshot), { 'bake:state': 'finished', 'kind': 'root' });
      const plain = readFileSync(join(project, 'plain.raw'));
      t.ok((await bytesOf(moto.url, snapshot!.SnapshotId!, plain.length)).equals(plain), 'the bytes are the same');
      t.same(await inBucket(), []);
      t.same(await ec2Leftovers(client), []);
      t.ok(stderr.includes('removing: disk in the bucket') && stderr.indexOf('removing: disk in the bucket') < stderr.indexOf('✔ finish the image'), 'the object goes as soon as it is read');
    });
  }

  await t.test('a bucket that is not there is told before the disk is built, and what EC2 cannot read when it says so', async (t) => {
    await fresh();
    const standIn = await startImportStandIn(t, moto.url);
    const env = { ...moto.env, AWS_ENDPOINT_URL: standIn.url };
    const none = await bake(projectOf(t, "bucket: { name: 'not-there' }"), ['run'], env);
    t.match([none.code, none.stderr], [2, /NoSuchBucket: there is no bucket "not-there"/]);
    t.notMatch(none.stderr, /✔ shell-local/);
    const spoiling = await startImportStandIn(t, moto.url, { before: async (action) => {
      if (action !== 'ImportSnapshot') return;
      for (const Key of await inBucket()) await s3.send(new PutObjectCommand({ Bucket: 'imports', Key: Key!, Body: 'no disk' }));
    } });
    const bad = await bake(projectOf(t, "bucket: { name: 'imports' }"), ['run'], { ...moto.env, AWS_ENDPOINT_URL: spoiling.url });
    t.match([bad.code, bad.stderr], [1, /ImportFailed: .*Disk validation failed[^]*vmimport/]);
    t.same(await inBucket(), []);
    t.same(await ec2Leftovers(client), []);
    t.same(await imported(), []);
  });

  await t.test('kill -9: clean removes the object, its parts, the import and its snapshot', async (t) => {
    await fresh();
    let isSlow = true;
    const standIn = await startImportStandIn(t, moto.url, { looks: 8, before: async (action) => { if (isSlow && /partNumber|uploads|uploadId/.test(action)) await new Promise((resolve) => { setTimeout(resolve, 400); }); } });
    const env = { ...moto.env, AWS_ENDPOINT_URL: standIn.url };
    const project = projectOf(t, "bucket: { name: 'imports' }", { mebibytes: 40 });
    const runs = () => new Set(existsSync(join(project, '.bake/runs')) ? readdirSync(join(project, '.bake/runs')) : []);
    for (const [file, moment] of [
      ['journal.jsonl', /"resource\.begun".*Upload/], ['log.jsonl', /s3:\/\/imports/], ['log.jsonl', /"step\.progress".*sending the disk/], ['journal.jsonl', /"resource\.acquired".*Upload/], ['journal.jsonl', /"resource\.begun".*Snapshot/],
      ['log.jsonl', /EC2 reads s3/], ['log.jsonl', /"step\.progress".*EC2 imports/], ['journal.jsonl', /"resource\.acquired".*Snapshot/], ['journal.jsonl', /"resource\.acquired".*Ami/],
    ] as const) {
      const before = runs();
      const running = startBake(project, ['run', '--no-cache'], env);
      let isSeen = false;
      while (!isSeen && running.child.exitCode === null) {
        const run = [...runs()].find((one) => !before.has(one));
        try { isSeen = run !== undefined && moment.test(readFileSync(join(project, '.bake/runs', run, file), 'utf8')); } catch { /* it is not there yet */ }
        await new Promise((resolve) => { setTimeout(resolve, 1); });
      }
      running.child.kill('SIGKILL');
      await running.done;
      t.ok(isSeen, String(moment));
      isSlow = false;
      const cleaned = await bake(project, ['clean'], env);
      isSlow = true;
      t.equal(cleaned.code, 0, cleaned.stderr);
      t.same(await inBucket(), [], `${moment}: bucket`);
      t.same(await ec2Leftovers(client), [], `${moment}: EC2`);
      t.same((await imported()).filter((one) => tagsOf(one)['bake:state'] !== 'finished').map(({ SnapshotId }) => SnapshotId), [], `${moment}: snapshots`);
      t.notOk(standIn.statuses().some((status) => status === 'active' || status === 'deleting'), `${moment}: imports`);
    }
  });

  await t.test('whatever happens to the calls: the bytes are right, or nothing stays', async (t) => {
    await fresh();
    const standIn = await startImportStandIn(t, moto.url);
    let good = 0;
    for (const seed of [1, 2, 3]) {
      const proxy = await startChaosProxy(t, standIn.url, { seed, chaos: { throttled: 0.06, failed: 0.06, lost: 0.06, unanswered: 0.06, slow: 0.02 } });
      const project = projectOf(t, `amiName: 'web-${seed}', bucket: { name: 'imports' }`, { mebibytes: 40 });
      const { code, stderr } = await bake(project, ['run'], { ...moto.env, AWS_ENDPOINT_URL: proxy.url });
      if (/left behind/.test(stderr)) t.equal((await bake(project, ['clean'], { ...moto.env, AWS_ENDPOINT_URL: standIn.url })).code, 0);
      if (code === 0) {
        good++;
        const plain = readFileSync(join(project, 'plain.raw'));
        const [snapshot] = (await imported()).filter((one) => tagsOf(one)['Name'] === `web-${seed}`);
        t.ok((await bytesOf(moto.url, snapshot!.SnapshotId!, plain.length)).equals(plain), `seed ${seed}: the bytes are the same`);
      } else t.match(stderr, /Ec2(Unavailable|Throttled|Refused|NotFound)/, `seed ${seed}: a clear error`);
      t.same([...await inBucket(), ...await ec2Leftovers(client)], [], `seed ${seed}`);
      t.ok(proxy.done.length > 2, `seed ${seed}: ${proxy.done.length} calls were harmed`);
    }
    t.ok(good >= 2, `${good} of 3`);
  });

  await t.test('who interrupts it in the middle finds nothing left', async (t) => {
    await fresh();
    const standIn = await startImportStandIn(t, moto.url, { before: async (action) => { if (/partNumber/.test(action)) await new Promise((resolve) => { setTimeout(resolve, 1_000); }); } });
    const project = projectOf(t, "bucket: { name: 'imports' }", { mebibytes: 40 });
    const running = startBake(project, ['run'], { ...moto.env, AWS_ENDPOINT_URL: standIn.url });
    await running.saw(/s3:\/\/imports/);
    running.child.kill('SIGINT');
    t.equal((await running.done).code, 130);
    t.same([...await inBucket(), ...await imported(), ...await ec2Leftovers(client)], []);
  });
});
