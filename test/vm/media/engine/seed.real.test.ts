import { execFile } from 'node:child_process';
import { existsSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { gzipSync } from 'node:zlib';
import t, { type Test } from 'tap';
import { seedHandler } from '../../../../lib/vm/media/engine/seed-handler.js';
import type { CloudInitSeedSpec } from '../../../../lib/vm/media/steps.js';
import { need } from '../../../support/need.js';
import { stagedFile } from '../../../support/staged-file.js';
import { stepContext } from '../../../support/step-context.js';

const run = promisify(execFile);
const key = 'ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIHZlcnkgcmFuZG9tIGtleSBvZiBhIHRlc3QgYWdhaW4h run-1';
const privateKey = '-----BEGIN OPENSSH PRIVATE KEY-----\nsecret\n-----END OPENSSH PRIVATE KEY-----\n';

/** Makes the CD, and gives the folder with what is on it. */
async function seed(t: Test, spec: CloudInitSeedSpec) {
  const ctx = stepContext(t);
  const handle = await seedHandler.acquire(spec, ctx);
  const folder = join(ctx.run.project, 'out');
  await run('xorriso', ['-osirrox', 'on', '-indev', handle.file, '-extract', '/', folder]);
  return { ctx, handle, folder, read: (name: string) => readFileSync(join(folder, name), 'utf8') };
}

/** What cloud-init makes of the user-data. */
async function asCloudInitSeesIt(folder: string) {
  const { stdout } = await run('/usr/bin/python3', [join(import.meta.dirname, 'merge-user-data.py'), join(folder, 'user-data')]);
  return JSON.parse(stdout) as { readonly config: Record<string, unknown>; readonly scripts: readonly (readonly [string, string])[] };
}

/** A host key as a step of the run leaves it. */
function hostKeyIn(folder: string) {
  const privateKeyFile = join(folder, 'key');
  writeFileSync(privateKeyFile, privateKey, { mode: 0o600 });
  return { privateKeyFile, publicKey: key };
}

t.test('the CD has the label and the three files that NoCloud wants, and a new instance id', async (t) => {
  if (!(await need(t, 'xorriso'))) return;
  const { ctx, handle, read, folder } = await seed(t, { userData: { packages: ['nginx'] }, hostname: 'web', networkConfig: { version: 2 }, hostKey: hostKeyIn(t.testdir({})), authorizedKeys: [key] });
  t.match((await run('xorriso', ['-indev', handle.file, '-pvd_info'])).stdout, /Volume Id\s*: cidata/);
  t.same(JSON.parse(read('meta-data')), { 'instance-id': `bake-${ctx.token}`, 'local-hostname': 'web' });
  t.same(JSON.parse(read('network-config')), { version: 2 });
  t.equal(statSync(handle.file).mode & 0o777, 0o600);
  t.notMatch(JSON.stringify(handle), 'secret');
  await seedHandler.release(handle, ctx);
  t.notOk(existsSync(handle.file));
  if (!(await need(t, 'cloud-init'))) return;
  const { stdout } = await run('cloud-init', ['schema', '--config-file', join(folder, 'user-data')]);
  t.match(stdout, /Valid cloud-config/);
});

t.test("cloud-init does both what the user's text says and what bake adds", async (t) => {
  if (!(await need(t, 'xorriso')) || !(await need(t, 'cloud-init'))) return;
  const text = '#cloud-config\nusers:\n  - name: other\n    groups: [adm]\nssh_keys:\n  rsa_private: mine\npackages: [nginx]\ntimezone: Europe/Zürich\n';
  const { folder } = await seed(t, { userData: text, user: 'me', authorizedKeys: [key], hostKey: hostKeyIn(t.testdir({})) });
  const { config } = await asCloudInitSeesIt(folder);
  t.same(config['users'], [{ name: 'other', groups: ['adm'] }, { name: 'me', sudo: ['ALL=(ALL) NOPASSWD:ALL'], lock_passwd: false, ssh_authorized_keys: [key] }]);
  t.same(config['ssh_keys'], { rsa_private: 'mine', ed25519_private: privateKey, ed25519_public: key });
  t.match(config, { packages: ['nginx'], timezone: 'Europe/Zürich' });
});

t.test('a script, a MIME archive, a packed file: each is kept beside what bake adds', async (t) => {
  if (!(await need(t, 'xorriso')) || !(await need(t, 'cloud-init'))) return;
  const folder = t.testdir({ 'script.sh': '#!/bin/sh\necho "Grüße"\n' });
  writeFileSync(join(folder, 'packed'), gzipSync('#cloud-config\npackages: [nginx]\n'));
  const archive = 'From nobody Fri Jan 11 07:00:00 1980\nContent-Type: multipart/mixed; boundary="==b=="\nMIME-Version: 1.0\n\n--==b==\nContent-Type: text/x-shellscript\n\n#!/bin/sh\necho inner\n\n--==b==\nContent-Type: text/cloud-config\n\n#cloud-config\npackages: [vim]\n\n--==b==--\n';
  const login = { authorizedKeys: [key] };
  const bakes = { disable_root: false, users: ['default', { name: 'root', ssh_authorized_keys: [key] }] };

  const script = await asCloudInitSeesIt((await seed(t, { ...login, userData: await stagedFile(join(folder, 'script.sh')) })).folder);
  t.match(script, { config: bakes, scripts: [['text/x-shellscript', '#!/bin/sh\necho "Grüße"\n']] });
  t.match(await asCloudInitSeesIt((await seed(t, { ...login, userData: archive })).folder), { config: { ...bakes, packages: ['vim'] }, scripts: [['text/x-shellscript', /echo inner/]] });
  t.match(await asCloudInitSeesIt((await seed(t, { ...login, userData: await stagedFile(join(folder, 'packed')) })).folder), { config: { ...bakes, packages: ['nginx'] } });
});

t.test('a host key that is gone and user-data that nobody reads are errors, and nothing is left', async (t) => {
  const ctx = stepContext(t);
  await t.rejects(seedHandler.acquire({ hostKey: { privateKeyFile: '/nowhere/key', publicKey: key } }, ctx), { code: 'HostKeyNotReadable' });
  await t.rejects(seedHandler.acquire({ userData: 'hello' }, ctx), { code: 'InvalidUserData' });
  t.equal(await seedHandler.find(ctx.token, {}, ctx), undefined);
});
