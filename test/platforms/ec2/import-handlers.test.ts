// A disk on its way to an EC2 that is slow, forgets what was just made, refuses, and loses answers.
import { appendFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import type { Artifact } from '../../../lib/core/artifact.js';
import { BakeError } from '../../../lib/core/bake-error.js';
import { diskSnapshotHandler } from '../../../lib/platforms/ec2/engine/disk-snapshot-handler.js';
import { FakeEc2, type FakeEc2Options } from '../../../lib/platforms/ec2/engine/fake-ec2.js';
import { FakeUploads } from '../../../lib/platforms/ec2/engine/fake-uploads.js';
import { FakeVolumes, type FakeVolumesOptions } from '../../../lib/platforms/ec2/engine/fake-volumes.js';
import { importedSnapshotHandler } from '../../../lib/platforms/ec2/engine/imported-snapshot-handler.js';
import { regionsOf } from '../../../lib/platforms/ec2/engine/region.js';
import { blockSize } from '../../../lib/platforms/ec2/engine/upload-port.js';
import { uploadedDiskHandler } from '../../../lib/platforms/ec2/engine/uploaded-disk-handler.js';
import { volumeRegionsOf } from '../../../lib/platforms/ec2/engine/volume-region.js';
import { fakeClock } from '../../engine/fake-world.js';
import { stepContext, type StepContextOptions } from '../../support/step-context.js';
import { FakeBucket } from './fake-bucket.js';

function world(t: Test, options: Partial<FakeVolumesOptions & FakeEc2Options> = {}, context: StepContextOptions = {}) {
  const clock = fakeClock();
  const ec2 = new FakeEc2({ clock });
  const storage = new FakeVolumes(ec2, { clock, stateAfter: 20_000, visibleAfter: 3_000, ...options });
  const uploads = new FakeUploads(storage, options);
  const path = join(t.testdir({}), 'disk.raw');
  writeFileSync(path, Buffer.concat([Buffer.alloc(blockSize, 1), Buffer.alloc(20 * blockSize), Buffer.alloc(40 * blockSize, 2), Buffer.from('end')]));
  const artifact: Artifact = { type: 'files', id: path, title: path, files: [{ path, size: 1 }], data: {} };
  const handler = diskSnapshotHandler(volumeRegionsOf(regionsOf(() => ec2), () => storage), () => uploads);
  return { clock, ec2, storage, uploads, handler, ctx: stepContext(t, { clock, ...context }), spec: { access: {}, artifact } };
}

t.test('the snapshot has the blocks that are not empty, and is told of as it goes on', async (t) => {
  const { handler, ctx, spec, uploads, storage, clock } = world(t);
  const made = await handler.acquire(spec, ctx);
  t.match(made, { id: /^snap-/, region: /\w/, architecture: 'x86_64', bootMode: 'legacy-bios' });
  t.strictSame([...uploads.blocks(made.id).keys()].sort((a, b) => a - b), [0, ...Array.from({ length: 41 }, (_, index) => index + 21)]);
  t.match((await storage.snapshots({ ids: [made.id] }))[0], { state: 'completed', tags: { 'bake:token': ctx.token, 'bake:run': 'run-1', 'bake:state': 'temporary' } });
  const last = ctx.progressed.at(-1)!;
  t.match(last, { label: 'sending the disk', unit: 'bytes' });
  t.equal(last.current, last.total);
  t.ok(ctx.progressed.length > 10, `${ctx.progressed.length} times`);
  t.equal(await handler.holds?.(made, ctx), true);
  await handler.release(made, ctx);
  await handler.release(made, ctx);
  await clock.sleep(20_000);
  t.strictSame(storage.things, []);
  t.equal(await handler.holds?.(made, ctx), false);
});

t.test('a call that is refused for now is made again', async (t) => {
  let times = 0;
  const { handler, ctx, spec, uploads } = world(t, { boundary: async (call, when) => { if (call === 'PutSnapshotBlock' && when === 'before' && times++ < 12) throw new BakeError({ code: 'Ec2Throttled', message: 'too much', transient: true }); } });
  const { id } = await handler.acquire(spec, ctx);
  t.equal(uploads.blocks(id).size, 42);
});

t.test('what is refused for good is told at once', async (t) => {
  let times = 0;
  const { handler, ctx, spec } = world(t, { visibleAfter: 0, boundary: async (call) => { if (call === 'PutSnapshotBlock') { times++; throw new BakeError({ code: 'Ec2Denied', message: 'you may not' }); } } });
  await t.rejects(handler.acquire(spec, ctx), { code: 'Ec2Denied' });
  t.ok(times <= 16, `${times}`);
});

t.test('of a start whose answer was lost no second snapshot stays', async (t) => {
  const { handler, ctx, spec, uploads, storage, clock } = world(t);
  // One that knows client tokens makes none; of one that does not, as moto, it is found.
  const start = uploads.start.bind(uploads);
  uploads.start = async (request) => {
    await start({ ...request, clientToken: 'not known' });
    return start(request);
  };
  const made = await handler.acquire(spec, ctx);
  t.strictSame(storage.things, [made.id]);
  uploads.start = async (request) => {
    await start(request);
    throw new BakeError({ code: 'Ec2Unavailable', message: 'no answer', transient: true });
  };
  await handler.release(made, ctx);
  await t.rejects(handler.acquire(spec, ctx), { code: 'Ec2Unavailable' });
  await clock.sleep(20_000);
  const found = await handler.find(ctx.token, spec, ctx);
  t.strictSame(storage.things, [found!.id]);
  await handler.release(found!, ctx);
  t.strictSame(storage.things, []);
  t.equal(await handler.find(ctx.token, spec, ctx), undefined);
});

t.test('a second attempt makes a snapshot of its own', async (t) => {
  const { handler, ctx, spec, uploads } = world(t);
  const first = await handler.acquire(spec, ctx);
  await handler.release(first, ctx);
  const second = await handler.acquire(spec, ctx);
  t.not(second.id, first.id);
  t.equal(uploads.blocks(second.id).size, 42);
});

t.test('who interrupts it is obeyed in the middle', async (t) => {
  const abort = new AbortController();
  let puts = 0;
  const { handler, ctx, spec } = world(t, { visibleAfter: 0, boundary: async (call) => { if (call === 'PutSnapshotBlock' && ++puts === 5) abort.abort(new Error('enough')); } }, { signal: abort.signal });
  await t.rejects(handler.acquire(spec, ctx), /enough/);
  t.ok(puts < 40, `${puts}`);
});

const ofBucket = { access: {}, bucket: 'imports', key: 'one', format: 'raw', architecture: 'x86_64', bootMode: 'uefi' } as const;

function bucketWorld(t: Test, options: { readonly importFailure?: string } = {}, context: StepContextOptions = {}) {
  const { clock, ec2, storage } = world(t);
  const bucket = new FakeBucket({ clock, volumes: storage, ...options });
  bucket.objects.set('one', 'whole');
  const handler = importedSnapshotHandler(volumeRegionsOf(regionsOf(() => ec2), () => storage), () => bucket);
  return { clock, storage, bucket, handler, ctx: stepContext(t, { clock, ...context }) };
}

t.test('what EC2 imports gets its tags, and is told of as it goes on', async (t) => {
  const { handler, ctx, storage, clock } = bucketWorld(t);
  const made = await handler.acquire(ofBucket, ctx);
  t.match(made, { id: /^snap-/, architecture: 'x86_64', bootMode: 'uefi' });
  t.match((await storage.snapshots({ ids: [made.id] }))[0], { state: 'completed', tags: { 'bake:token': ctx.token, 'bake:state': 'temporary' } });
  t.match(ctx.progressed.at(-1), { label: /EC2 imports/, total: 100 });
  t.same((await handler.find(ctx.token, ofBucket, ctx))?.id, made.id);
  await handler.release(made, ctx);
  await handler.release(made, ctx);
  await clock.sleep(20_000);
  t.strictSame(storage.things, []);
  t.equal(await handler.find(ctx.token, ofBucket, ctx), undefined, 'though EC2 still tells of the import');
});

t.test('an import that fails is told, and leaves nothing', async (t) => {
  const { handler, ctx, storage, bucket } = bucketWorld(t, { importFailure: 'ClientError: Disk validation failed' });
  await t.rejects(handler.acquire(ofBucket, ctx), { code: 'ImportFailed', message: /Disk validation failed/, hint: /vmimport/ });
  t.strictSame([...storage.things, ...bucket.things], ['one']);
  t.equal(await handler.find(ctx.token, ofBucket, ctx), undefined);
});

t.test('an import that nobody wants any more is cancelled, and its end waited for', async (t) => {
  const { handler, ctx, storage, bucket } = bucketWorld(t);
  await bucket.start({ ...ofBucket, clientToken: 'one', tags: { 'bake:token': ctx.token } });
  const found = await handler.find(ctx.token, ofBucket, ctx);
  t.equal(found?.id, '');
  await handler.release(found!, ctx);
  t.strictSame([...storage.things, ...bucket.things], ['one']);
});

t.test('a snapshot that fails is told', async (t) => {
  const { handler, ctx, spec } = world(t, { snapshotFailure: 'Client.InvalidKMSKey' });
  await t.rejects(handler.acquire(spec, ctx), { code: 'SnapshotFailed', message: /InvalidKMSKey/ });
});

t.test('a disk that somebody writes to while it goes to a bucket is refused', async (t) => {
  const { clock, storage } = bucketWorld(t);
  const path = join(t.testdir({ 'disk.raw': Buffer.alloc(1024).toString() }), 'disk.raw');
  const bucket = new FakeBucket({ clock, volumes: storage, boundary: async (call) => { if (call === 'CompleteMultipartUpload') appendFileSync(path, 'more'); } });
  const spec = { access: {}, artifact: { type: 'files', id: path, title: path, files: [{ path, size: 1024 }], data: {} }, bucket: 'imports', prefix: 'bake/', sent: 'raw', architecture: 'x86_64', bootMode: 'uefi' } as const;
  await t.rejects(uploadedDiskHandler(() => bucket).acquire(spec, stepContext(t, { clock })), { code: 'FileChanged' });
});
