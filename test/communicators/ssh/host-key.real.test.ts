import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { copyFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import t from 'tap';
import { fingerprintOf } from '../../../lib/communicators/ssh/engine/host-trust.js';
import type { JsonObject } from '../../../lib/core/json.js';
import { need } from '../../support/need.js';
import { makeKey, startSshd } from '../../support/sshd.js';
import { connectionTo, openSsh, scratch } from './open.js';

const blobOf = (publicKey: string) => Buffer.from(publicKey.split(' ')[1]!, 'base64');

t.test('a fingerprint is the one that ssh-keygen prints, and lets the right machine in', async (t) => {
  if (!(await need(t, 'sshd'))) return;
  const sshd = await startSshd({ hostKeyTypes: ['ed25519', 'ecdsa', 'rsa'] });
  t.teardown(() => sshd.stop());
  for (const [index, type] of ['ed25519', 'ecdsa', 'rsa'].entries()) {
    const printed = execFileSync('ssh-keygen', ['-lf', join(sshd.folder, `host_${type}.pub`)], { encoding: 'utf8' }).split(' ')[1]!;
    t.equal(fingerprintOf(blobOf(sshd.hostPublicKeys[index]!)), printed);
    const ssh = await openSsh(t, connectionTo(sshd, { hostKey: { policy: 'fingerprint', fingerprints: [printed] } }));
    t.equal((await ssh.exec({ command: 'true' })).code, 0, `with the ${type} fingerprint alone`);
  }
  for (const publicKey of sshd.hostPublicKeys) await openSsh(t, connectionTo(sshd, { hostKey: { policy: 'publicKey', keys: [publicKey] } }));
});

t.test('another machine on the same port is refused, with both fingerprints, before anything is sent', async (t) => {
  if (!(await need(t, 'sshd'))) return;
  const real = await startSshd({ hostKeyTypes: ['ed25519', 'rsa'] });
  const port = real.port;
  await real.stop();
  const fake = await startSshd({ port, hostKeyTypes: ['ed25519', 'rsa'] });
  t.teardown(() => fake.stop());
  const expected = real.hostPublicKeys.map((key) => fingerprintOf(blobOf(key)));
  const shown = fake.hostPublicKeys.map((key) => fingerprintOf(blobOf(key)));
  const connection = connectionTo(fake);
  const known = join(fake.folder, 'known_hosts');
  await writeFile(known, real.hostPublicKeys.map((key) => `[127.0.0.1]:${port} ${key}\n`).join(''));

  const policies: readonly JsonObject[] = [{ policy: 'publicKey', keys: real.hostPublicKeys }, { policy: 'knownHosts', file: known }];
  for (const hostKey of policies) {
    await t.rejects(openSsh(t, { ...connection, hostKey }), { code: 'HostKeyMismatch', message: new RegExp(`shows ${escape(shown[0]!)}.*expected was ${escape(expected[0]!)}`) });
  }
  const refused = openSsh(t, { ...connection, hostKey: { policy: 'fingerprint', fingerprints: [expected[1]!] } });
  await t.rejects(refused, { code: 'HostKeyMismatch', message: new RegExp(`${escape(shown[0]!)}.*${escape(shown[1]!)}.*expected was ${escape(expected[1]!)}`) }, 'all its keys were asked for');
});

t.test('a machine with a wrong key is offered no key of ours', async (t) => {
  if (!(await need(t, 'sshd'))) return;
  const offered = join(await scratch(t), 'offered');
  // Run by the server for each key that is offered to it.
  const sshd = await startSshd({ config: [`AuthorizedKeysCommand /usr/bin/touch ${offered}`, 'AuthorizedKeysCommandUser root', 'AuthorizedKeysFile none'] });
  t.teardown(() => sshd.stop());
  const other = await makeKey(join(sshd.folder, 'other'), 'ed25519');
  await t.rejects(openSsh(t, connectionTo(sshd, { hostKey: { policy: 'publicKey', keys: [other.publicKey] } })), { code: 'HostKeyMismatch' });
  t.notOk(existsSync(offered));
  await t.rejects(openSsh(t, connectionTo(sshd)), { code: 'AuthenticationFailed' });
  t.ok(existsSync(offered), 'the right machine is offered it');
});

t.test('a machine whose key is another one after a reboot is refused', async (t) => {
  if (!(await need(t, 'sshd'))) return;
  const before = await startSshd();
  t.teardown(() => before.stop());
  const { port, hostPublicKey } = before;
  const login = join(await scratch(t), 'login');
  await copyFile(before.privateKeyFile, login);
  const ssh = await openSsh(t, connectionTo(before, { privateKeyFile: login }));
  t.equal((await ssh.exec({ command: 'true' })).code, 0);
  await before.stop();
  const after = await startSshd({ port });
  t.teardown(() => after.stop());
  const [shown, expected] = [after.hostPublicKey, hostPublicKey].map((key) => escape(fingerprintOf(blobOf(key))));
  await t.rejects(ssh.exec({ command: 'true' }), { code: 'HostKeyMismatch', message: new RegExp(`shows ${shown}.*expected was ${expected}`) });
});

t.test('a machine that known_hosts does not know is refused, with the line to add', async (t) => {
  if (!(await need(t, 'sshd'))) return;
  const sshd = await startSshd();
  t.teardown(() => sshd.stop());
  const known = join(sshd.folder, 'known_hosts');
  const connection = connectionTo(sshd, { hostKey: { policy: 'knownHosts', file: known } });
  await t.rejects(openSsh(t, connection), { code: 'KnownHostsUnreadable' });
  await writeFile(known, `other.example.org ${sshd.hostPublicKey}\n`);
  const error = await openSsh(t, connection).then(() => undefined, (error: { code: string; hint: string }) => error);
  t.equal(error?.code, 'HostKeyUnknown');
  const [, line] = /: (\[127.*)$/.exec(error!.hint)!;

  await writeFile(known, `${line}\n`);
  await openSsh(t, connection);
  execFileSync('ssh-keygen', ['-q', '-H', '-f', known], { stdio: 'ignore' });
  await openSsh(t, connection);
  await writeFile(known, `${line}\n@revoked * ${sshd.hostPublicKey}\n`);
  await t.rejects(openSsh(t, connection), { code: 'HostKeyMismatch', message: /revoked/ });
});

t.test('only who asks for it by name trusts blindly', async (t) => {
  if (!(await need(t, 'sshd'))) return;
  const sshd = await startSshd();
  t.teardown(() => sshd.stop());
  await openSsh(t, connectionTo(sshd, { hostKey: { policy: 'insecureAcceptAny' } }));
  const { hostKey: _, ...without } = connectionTo(sshd);
  await t.rejects(openSsh(t, without as ReturnType<typeof connectionTo>), { code: 'HostKeyUnknown' }, 'the default is known_hosts');
});

function escape(text: string): string {
  return text.replace(/[.*+?^${}()|[\]\\/]/g, '\\$&');
}
