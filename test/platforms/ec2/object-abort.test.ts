import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import t from 'tap';
import { awsObjects } from '../../../lib/platforms/ec2/engine/aws-objects.js';

t.test('what was on its way to a bucket at an abort is waited for, and removed', async (t) => {
  const objects = new Set<string>();
  const abort = new AbortController();
  const server = createServer((incoming, response) => {
    const path = new URL(incoming.url ?? '/', 'http://s3').pathname;
    incoming.resume().on('end', () => {
      if (incoming.method === 'GET') return void response.end('<ListMultipartUploadsResult/>');
      if (incoming.method === 'HEAD') return void response.writeHead(objects.has(path) ? 200 : 404).end();
      if (incoming.method === 'DELETE') return void response.writeHead(objects.delete(path) ? 204 : 404).end();
      abort.abort(new Error('enough'));
      setTimeout(() => { objects.add(path); response.end(); made(); }, 100);
    });
  });
  let made = () => {};
  const all = new Promise<void>((resolve) => { made = resolve; });
  await new Promise<void>((resolve) => { server.listen(0, '127.0.0.1', resolve); });
  t.teardown(() => { server.closeAllConnections(); server.close(); });
  t.intercept(process, 'env', { value: { ...process.env, AWS_ENDPOINT_URL: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, AWS_ACCESS_KEY_ID: 'test', AWS_SECRET_ACCESS_KEY: 'test' } });
  const port = awsObjects({ region: 'eu-north-1' });
  const place = { bucket: 'imports', key: 'disks/one.raw' };
  await t.rejects(port.upload(place, { file: join(t.testdir({ file: 'a disk' }), 'file') }, () => {}, abort.signal), /enough/);
  await port.remove(place, new AbortController().signal);
  await all;
  t.same([...objects], []);
});
