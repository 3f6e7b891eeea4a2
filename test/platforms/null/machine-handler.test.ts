import { homedir } from 'node:os';
import t from 'tap';
import type { Connection } from '../../../lib/core/communicator.js';
import type { StepContext } from '../../../lib/engine/handler.js';
import { FakeLoginFiles } from '../../../lib/platforms/null/engine/fake-login-files.js';
import { artifactHandler } from '../../../lib/platforms/null/engine/artifact-handler.js';
import { machineHandler } from '../../../lib/platforms/null/engine/machine-handler.js';
import { nowhereHandler } from '../../../lib/platforms/null/engine/nowhere-handler.js';
import { nullExtension } from '../../../lib/platforms/null/platform.js';

const ctx = { run: { project: '/project' } } as StepContext; // all that the handler may look at
const ssh = (more: object): Connection => ({ kind: 'ssh', host: 'a', user: 'b', ...more });

t.test('the handle has absolute paths, and secrets still as references', async (t) => {
  const password = { $secret: { from: 'env', name: 'P' } };
  const handler = machineHandler(new FakeLoginFiles());
  const connection = ssh({ password, privateKeyFile: 'keys/id', hostKey: { policy: 'knownHosts', file: '~/known' }, bastion: { host: 'c', user: 'd', privateKeyFile: '/abs' } });
  t.strictSame(await handler.acquire({ connection }, ctx), {
    connection: ssh({ password, privateKeyFile: '/project/keys/id', hostKey: { policy: 'knownHosts', file: `${homedir()}/known` }, bastion: { host: 'c', user: 'd', privateKeyFile: '/abs' } }),
    sshPrivateKeyFile: '/project/keys/id',
  });
  t.strictSame(await handler.acquire({ connection: { kind: 'local' } }, ctx), { connection: { kind: 'local', cwd: '/project' } });
});

t.test('nothing is made, so nothing is found and nothing is released', async (t) => {
  const handler = machineHandler(new FakeLoginFiles());
  t.equal(await handler.find('token', { connection: ssh({}) }, ctx), undefined);
  await handler.release({ connection: ssh({}) }, ctx);
  await handler.release({ connection: ssh({}) }, ctx);
});

t.test('the check names a key file that is missing, open to others or a folder', async (t) => {
  const files = new FakeLoginFiles();
  files.put('/project/good', 0o600);
  files.put('/project/open', 0o644);
  files.put('/project/folder');
  files.put('/project/known', 0o644);
  const check = (more: object) => machineHandler(files).check!({ connection: ssh(more) }, ctx);
  await check({ privateKeyFile: 'good', hostKey: { policy: 'knownHosts', file: 'known' } });
  await check({ privateKeyFile: { $ref: 'Other#path' } });
  await t.rejects(check({ privateKeyFile: 'gone' }), { code: 'KeyFileUnreadable', message: 'the key file /project/gone does not exist' });
  await t.rejects(check({ privateKeyFile: 'open' }), { code: 'KeyFileTooOpen', hint: 'chmod 600 /project/open' });
  await t.rejects(check({ privateKeyFile: 'folder' }), { code: 'KeyFileUnreadable' });
  await t.rejects(check({ hostKey: { policy: 'knownHosts', file: 'gone' } }), { code: 'KnownHostsUnreadable' });
  await t.rejects(check({ bastion: { host: 'c', user: 'd', privateKeyFile: 'gone' } }), { code: 'KeyFileUnreadable' });
});

t.test('a build without a machine makes nothing, and its artifact is none', async (t) => {
  t.strictSame(await nowhereHandler.run({}, ctx), {});
  t.match(await artifactHandler.run({}, ctx), { artifact: { type: 'none', id: 'null', files: [] } });
  for (const step of nullExtension.steps) t.ok(await step.load());
});
