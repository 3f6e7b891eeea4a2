import { writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { CreateBucketCommand, CreateMultipartUploadCommand, GetObjectCommand, HeadObjectCommand, ListMultipartUploadsCommand, ListObjectVersionsCommand, PutBucketVersioningCommand, S3Client } from '@aws-sdk/client-s3';
import t from 'tap';
import { awsObjects } from '../../../lib/platforms/ec2/engine/aws-objects.js';
import { startChaosProxy } from '../../support/chaos-proxy.js';
import { startMoto } from '../../support/moto.js';
import { need } from '../../support/need.js';
import { objectContract } from './object-contract.js';

t.test('objects by the SDK on moto keep the contract', { timeout: 60_000 }, async (t) => {
  if (!(await need(t, 'moto'))) return;
  const { url, env } = await startMoto(t);
  const s3 = new S3Client({ endpoint: url, region: 'eu-west-1', forcePathStyle: true, credentials: { accessKeyId: 'test', secretAccessKey: 'test' } });
  await s3.send(new CreateBucketCommand({ Bucket: 'imports', CreateBucketConfiguration: { LocationConstraint: 'eu-west-1' } }));
  const signal = new AbortController().signal;
  const file = join(t.testdir({}), 'file');
  writeFileSync(file, Buffer.concat(Array.from({ length: 40 }, (_, index) => Buffer.alloc(1024 ** 2, index))));
  const unfinished = async () => (await s3.send(new ListMultipartUploadsCommand({ Bucket: 'imports' }))).Uploads?.length ?? 0;
  t.intercept(process, 'env', { value: { ...process.env, ...env } });
  const objects = awsObjects({ region: 'eu-west-1' });
  await objectContract(t, objects);
  t.equal(await unfinished(), 0);

  const place = { bucket: 'imports', key: 'disks/two.raw' };
  const told: number[] = [];
  await objects.upload(place, { file }, (bytes) => told.push(bytes), signal);
  t.equal(told.reduce((sum, bytes) => sum + bytes, 0), 40 * 1024 ** 2, 'all bytes are told of');
  t.ok(told.length >= 3, 'part by part');
  const { Body } = await s3.send(new GetObjectCommand({ Bucket: 'imports', Key: place.key }));
  t.match([...await Body!.transformToByteArray()].filter((_, index) => index % 1024 ** 2 === 5), Array.from({ length: 40 }, (_, index) => index), 'as they were in the file');

  await objects.upload(place, { file, kmsKeyId: 'alias/imports' }, () => {}, signal);
  t.match(await s3.send(new HeadObjectCommand({ Bucket: 'imports', Key: place.key })), { ServerSideEncryption: 'aws:kms', SSEKMSKeyId: /alias\/imports/ });
  await objects.remove(place, signal);

  // What a process that died has left.
  await s3.send(new CreateMultipartUploadCommand({ Bucket: 'imports', Key: 'disks/three.raw' }));
  t.equal(await objects.isThere({ bucket: 'imports', key: 'disks/three.raw' }, signal), true);
  await objects.remove({ bucket: 'imports', key: 'disks/three.raw' }, signal);
  t.equal(await unfinished(), 0);

  const abort = new AbortController();
  const proxy = await startChaosProxy(t, url, { chaos: { throttled: 0, failed: 0, lost: 0, unanswered: 0, slow: 1 }, onCall: (action) => { if (action.includes('partNumber')) abort.abort(new Error('enough')); } });
  t.intercept(process, 'env', { value: { ...process.env, ...env, AWS_ENDPOINT_URL: proxy.url } });
  const slow = awsObjects({ region: 'eu-west-2' }); // another one, so it has its own client
  await t.rejects(slow.upload(place, { file }, () => {}, abort.signal), /enough/);
  await slow.remove(place, signal);
  t.equal(await unfinished(), 0);
  t.equal(await objects.isThere(place, signal), false);
});

t.test('of an object in a bucket that keeps versions nothing is left', { timeout: 60_000 }, async (t) => {
  if (!(await need(t, 'moto'))) return;
  const { url, env } = await startMoto(t);
  const s3 = new S3Client({ endpoint: url, region: 'eu-west-1', forcePathStyle: true, credentials: { accessKeyId: 'test', secretAccessKey: 'test' } });
  await s3.send(new CreateBucketCommand({ Bucket: 'kept', CreateBucketConfiguration: { LocationConstraint: 'eu-west-1' } }));
  await s3.send(new PutBucketVersioningCommand({ Bucket: 'kept', VersioningConfiguration: { Status: 'Enabled' } }));
  const file = join(t.testdir({ file: 'a disk' }), 'file');
  t.intercept(process, 'env', { value: { ...process.env, ...env } });
  const objects = awsObjects({ region: 'eu-central-1' }); // another one, so it has its own client
  const { signal } = new AbortController();
  const place = { bucket: 'kept', key: 'disks/one.raw' };
  for (const _ of [1, 2]) await objects.upload(place, { file }, () => {}, signal);
  await objects.remove(place, signal);
  await objects.remove(place, signal);
  const { Versions = [], DeleteMarkers = [] } = await s3.send(new ListObjectVersionsCommand({ Bucket: 'kept' }));
  t.same([Versions.length, DeleteMarkers.length], [0, 0]);
});

t.test('a bucket that cannot be used is told in our words, though S3 answers without a word', async (t) => {
  const server = createServer((incoming, response) => { response.writeHead(incoming.url?.includes('moved') === true ? 301 : 403).end(); });
  await new Promise<void>((resolve) => { server.listen(0, '127.0.0.1', resolve); });
  t.teardown(() => { server.closeAllConnections(); server.close(); });
  t.intercept(process, 'env', { value: { ...process.env, AWS_ENDPOINT_URL: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, AWS_ACCESS_KEY_ID: 'test', AWS_SECRET_ACCESS_KEY: 'test' } });
  const objects = awsObjects({ region: 'eu-west-3' });
  const { signal } = new AbortController();
  await t.rejects(objects.checkBucket('moved', signal), { code: 'BucketElsewhere', message: /"moved" is in another region/ });
  await t.rejects(objects.checkBucket('closed', signal), { code: 'Ec2Denied', hint: /s3:ListBucket/ });
});
