import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import t, { type Test } from 'tap';
import { BakeError } from '../../../lib/core/bake-error.js';
import { awsUploads } from '../../../lib/platforms/ec2/engine/aws-uploads.js';

/** What becomes of a CompleteSnapshot whose first try fares so, and whose second one is refused. */
async function complete(t: Test, region: string, first: 'throttled' | 'lost'): Promise<string> {
  let calls = 0;
  const server = createServer((incoming, response) => {
    const refuse = (code: string, message: string) => { response.writeHead(400, { 'content-type': 'application/json', 'x-amzn-errortype': code }).end(JSON.stringify({ Message: message })); };
    incoming.resume().on('end', () => {
      if (++calls > 1) refuse('ValidationException', 'the checksum is another one');
      else if (first === 'lost') incoming.socket.destroy();
      else refuse('RequestThrottledException', 'slow down');
    });
  });
  await new Promise<void>((resolve) => { server.listen(0, '127.0.0.1', resolve); });
  t.teardown(() => { server.closeAllConnections(); server.close(); });
  t.intercept(process, 'env', { value: { ...process.env, AWS_ENDPOINT_URL: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, AWS_ACCESS_KEY_ID: 'test', AWS_SECRET_ACCESS_KEY: 'test' } });
  const told = await awsUploads({ region }).complete('snap-1', { blocks: 1, sha256: Buffer.alloc(32) }, new AbortController().signal).then(() => 'ok', (error: unknown) => BakeError.from(error).message);
  t.equal(calls, 2);
  return told;
}

t.test('a snapshot that is refused after a try that was refused too is an error: nobody has completed it', async (t) => {
  t.match(await complete(t, 'eu-west-1', 'throttled'), /the checksum is another one/);
});

t.test('one that is refused after a try whose answer was lost may be completed', async (t) => {
  t.equal(await complete(t, 'eu-west-2', 'lost'), 'ok');
});
