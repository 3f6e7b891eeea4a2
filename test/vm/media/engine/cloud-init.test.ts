import t from 'tap';
import type { JsonObject } from '../../../../lib/core/json.js';
import { loginConfig } from '../../../../lib/vm/media/engine/cloud-init/login-config.js';
import { metaDataOf } from '../../../../lib/vm/media/engine/cloud-init/meta-data.js';
import { combineUserData } from '../../../../lib/vm/media/engine/cloud-init/user-data.js';
import { cloudConfigOf } from '../../../../lib/vm/media/engine/cloud-init/yaml-of.js';
import { compileCloudInitSeed } from '../../../../lib/vm/media/cloud-init/seed.js';
import { cloudInitSeed } from '../../../../lib/vm/media/steps.js';
import { Secret } from '../../../../lib/core/secret.js';

const key = 'ssh-ed25519 AAAAkey run-1';
const noWarning = () => { throw new Error('no warning is due'); };
const configOf = (text: string | Uint8Array): JsonObject => JSON.parse(String(text).replace(/^#cloud-config\n/, '')) as JsonObject;

t.test('without user-data of the user there is what lets bake in', async (t) => {
  const login = loginConfig({ authorizedKeys: [key], hostKey: { privateKey: 'PRIVATE\n', publicKey: 'ssh-ed25519 AAAAhost x' } });
  t.same(configOf(combineUserData(undefined, login, noWarning)), {
    users: ['default', { name: 'root', lock_passwd: false, ssh_authorized_keys: [key] }],
    disable_root: false, ssh_keys: { ed25519_private: 'PRIVATE\n', ed25519_public: 'ssh-ed25519 AAAAhost x' },
  });
  t.same(configOf(combineUserData(undefined, loginConfig({}), noWarning)), {});
});

t.test("an object's lists get longer, and where both say something the user's counts", async (t) => {
  const login = loginConfig({ user: 'me', authorizedKeys: [key], password: 'pass' });
  const given = { users: [{ name: 'other' }], ssh_pwauth: false, chpasswd: { expire: true, list: ['other:x'] }, packages: ['nginx'] };
  t.same(configOf(combineUserData(given, login, noWarning)), {
    users: [{ name: 'other' }, { name: 'me', sudo: ['ALL=(ALL) NOPASSWD:ALL'], lock_passwd: false, ssh_authorized_keys: [key] }],
    ssh_pwauth: false, chpasswd: { expire: true, list: ['other:x', 'me:pass'] }, packages: ['nginx'],
  });
  t.throws(() => combineUserData({ users: 'me' }, login, noWarning), { code: 'InvalidUserData' });
});

t.test('a user whom the object makes himself is given the key as well', async (t) => {
  const login = loginConfig({ user: 'me', authorizedKeys: [key] });
  t.match(configOf(combineUserData({ users: [{ name: 'me', shell: '/bin/zsh', ssh_authorized_keys: ['mine'] }] }, login, noWarning)), { users: [{ name: 'me', shell: '/bin/zsh', ssh_authorized_keys: ['mine', key] }] });
});

t.test('a text that makes the ssh user himself is warned of, unless the key is in it', async (t) => {
  const login = loginConfig({ user: 'me', authorizedKeys: [key] });
  const codes: string[] = [];
  const text = (keys: string) => Buffer.from(`#cloud-config\nusers:\n  - name: "me"\n    ssh_authorized_keys: [${keys}]\n`);
  combineUserData(text('mine'), login, ({ code }) => { codes.push(code); });
  t.same(codes, ['UserTwice']);
  combineUserData(text(key), login, noWarning);
});

t.test('a text stays as it is if nothing has to be added, and one that cloud-init would pass over is refused', async (t) => {
  const script = Buffer.from('#!/bin/sh\necho hi\n');
  t.equal(combineUserData(script, loginConfig({}), noWarning), script);
  t.throws(() => combineUserData(Buffer.from('packages: [nginx]'), loginConfig({}), noWarning), { code: 'InvalidUserData', hint: /#cloud-config/ });
});

t.test('what JSON lets stand and YAML does not is escaped', async (t) => {
  const text = cloudConfigOf({ a: 'x\u007f\u0085\u2028ü😀' });
  t.match(text, 'x\\u007f\\u0085\\u2028ü😀');
  t.match(text, /^#cloud-config\n\{\n/);
});

t.test('an instance id is made for every run, unless the user gives one', async (t) => {
  const ownId = 'bake-run-1-abc';
  const metaOf = (text: string) => JSON.parse(text) as JsonObject;
  t.same(metaOf(metaDataOf(undefined, { ownId, hostname: 'web' })), { 'instance-id': ownId, 'local-hostname': 'web' });
  t.same(metaOf(metaDataOf({ 'instance-id': 'mine', x: 1 }, { ownId })), { 'instance-id': 'mine', x: 1 });
  t.same(metaOf(metaDataOf(Buffer.from('{"instance-id": "mine"}'), { ownId, instanceId: 'prop' })), { 'instance-id': 'prop' });
  t.equal(metaDataOf(Buffer.from('instance-id: mine\nlocal-hostname: a\n'), { ownId, hostname: 'b' }), 'instance-id: mine\nlocal-hostname: "b"\n');
  t.equal(metaDataOf(Buffer.from('local-hostname: a'), { ownId }), `local-hostname: a\ninstance-id: "${ownId}"\n`);
});

t.test('the step takes objects with late values, and a text that cloud-init knows', async (t) => {
  const step = compileCloudInitSeed({ userData: { a: Secret.env('A') }, hostname: 'web' }, { authorizedKeys: [key] });
  t.match(step, { kind: cloudInitSeed, title: 'CD for cloud-init', spec: { hostname: 'web', authorizedKeys: [key] } });
  const problem = (spec: object) => cloudInitSeed.spec.safeParse(spec).error?.issues.map(({ path, message }) => `${path.join('.')}: ${message}`).join('; ');
  t.equal(problem({ userData: { a: { $secret: { from: 'env', name: 'A' } } }, metaData: 'a: b', networkConfig: { version: 2 }, hostKey: { privateKeyFile: { $ref: 'a#b' }, publicKey: { $ref: 'a#c' } } }), undefined);
  t.equal(problem({ userData: '#!/bin/sh\n' }), undefined);
  t.ok(problem({ userData: 'packages: []' }));
  t.ok(problem({ hostname: '' }));
  t.ok(problem({ vendorData: '' }));
});
