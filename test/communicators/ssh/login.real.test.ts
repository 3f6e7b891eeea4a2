import { execFileSync, spawn } from 'node:child_process';
import { chmod, copyFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { generateKeyPairSync } from 'node:crypto';
import t from 'tap';
import { need } from '../../support/need.js';
import { makeKey, startSshd } from '../../support/sshd.js';
import { connectionTo, openSsh, rejection, scratch } from './open.js';

t.test('keys of all kinds log in', async (t) => {
  if (!(await need(t, 'sshd'))) return;
  const folder = await scratch(t);
  const keys = await Promise.all([
    makeKey(join(folder, 'ed25519'), 'ed25519'), makeKey(join(folder, 'ecdsa'), 'ecdsa'), makeKey(join(folder, 'rsa'), 'rsa'),
    makeKey(join(folder, 'locked'), 'ed25519', 'open sesame'), makeKey(join(folder, 'locked-rsa'), 'rsa', 'open sesame'),
  ]);
  const sshd = await startSshd({ authorizedKeys: keys.map((key) => key.publicKey) });
  t.teardown(() => sshd.stop());
  for (const name of ['ed25519', 'ecdsa', 'rsa']) {
    const ssh = await openSsh(t, connectionTo(sshd, { privateKeyFile: join(folder, name) }));
    t.equal((await ssh.exec({ command: 'true' })).code, 0, name);
  }
  for (const name of ['locked', 'locked-rsa']) {
    await openSsh(t, connectionTo(sshd, { privateKeyFile: join(folder, name), passphrase: 'open sesame' }));
    await t.rejects(openSsh(t, connectionTo(sshd, { privateKeyFile: join(folder, name) })), { code: 'KeyEncrypted' });
    await t.rejects(openSsh(t, connectionTo(sshd, { privateKeyFile: join(folder, name), passphrase: 'wrong' })), { code: 'KeyPassphraseWrong' });
  }
  const inMemory = execFileSync('cat', [join(folder, 'ecdsa')], { encoding: 'utf8' }).trim();
  const { privateKeyFile: _, ...connection } = connectionTo(sshd, { privateKey: inMemory });
  await openSsh(t, connection as ReturnType<typeof connectionTo>);

  execFileSync('ssh-keygen', ['-q', '-p', '-m', 'PEM', '-N', '', '-f', join(folder, 'rsa')]);
  await openSsh(t, connectionTo(sshd, { privateKeyFile: join(folder, 'rsa') }));
});

t.test('a key file that cannot be used is named, with the reason', async (t) => {
  if (!(await need(t, 'sshd'))) return;
  const folder = await scratch(t);
  const sshd = await startSshd();
  t.teardown(() => sshd.stop());
  const open = (privateKeyFile: string) => openSsh(t, connectionTo(sshd, { privateKeyFile }));
  await t.rejects(open(join(folder, 'none')), { code: 'KeyFileUnreadable' });
  await copyFile(sshd.privateKeyFile, join(folder, 'loose'));
  await chmod(join(folder, 'loose'), 0o644);
  await t.rejects(open(join(folder, 'loose')), { code: 'KeyFileTooOpen', hint: /chmod 600/ });
  await copyFile(`${sshd.privateKeyFile}.pub`, join(folder, 'pub'));
  await chmod(join(folder, 'pub'), 0o600);
  await t.rejects(open(join(folder, 'pub')), { code: 'KeyInvalid', message: /is a public key/ });
  await writeFile(join(folder, 'junk'), 'not a key', { mode: 0o600 });
  await t.rejects(open(join(folder, 'junk')), { code: 'KeyInvalid' });
  await writeFile(join(folder, 'pkcs8'), generateKeyPairSync('ed25519').privateKey.export({ type: 'pkcs8', format: 'pem' }), { mode: 0o600 });
  await t.rejects(open(join(folder, 'pkcs8')), { code: 'KeyInvalid', hint: /ssh-keygen -p/ });
});

t.test('a refused login is final at once, and says what was tried', async (t) => {
  if (!(await need(t, 'sshd'))) return;
  const folder = await scratch(t);
  const stranger = await makeKey(join(folder, 'stranger'), 'ed25519');
  const sshd = await startSshd();
  t.teardown(() => sshd.stop());
  const started = Date.now();
  const error = await rejection(openSsh(t, connectionTo(sshd, { privateKeyFile: stranger.file, password: 'hunter2', timeout: 60_000 })));
  t.match(error, { code: 'AuthenticationFailed', message: /tried publickey \(.*stranger\); it takes publickey/ });
  t.notMatch(error.message, /hunter2/);
  t.ok(Date.now() - started < 5_000);
  const { privateKeyFile: _, ...bare } = connectionTo(sshd);
  await t.rejects(openSsh(t, bare as ReturnType<typeof connectionTo>), { code: 'AuthenticationFailed', hint: /privateKeyFile/ });
});

t.test('more attempts wait for a key that is installed late', async (t) => {
  if (!(await need(t, 'sshd'))) return;
  const folder = await scratch(t);
  const late = await makeKey(join(folder, 'late'), 'ed25519');
  const sshd = await startSshd({ config: ['LogLevel VERBOSE'] });
  t.teardown(() => sshd.stop());
  const opening = openSsh(t, connectionTo(sshd, { privateKeyFile: late.file, handshakeAttempts: 40 }));
  await t.rejects(openSsh(t, connectionTo(sshd, { privateKeyFile: late.file })), { code: 'AuthenticationFailed' });
  await writeFile(join(sshd.folder, 'authorized_keys'), `${late.publicKey}\n`);
  await opening;
});

t.test('the agent logs in and may be forwarded', async (t) => {
  if (!(await need(t, 'sshd'))) return;
  const sshd = await startSshd();
  t.teardown(() => sshd.stop());
  const socket = join(sshd.folder, 'agent.sock');
  const agent = spawn('ssh-agent', ['-D', '-a', socket], { stdio: ['ignore', 'pipe', 'ignore'] });
  t.teardown(() => { agent.kill(); });
  await new Promise((resolve) => { agent.stdout.once('data', resolve); });
  execFileSync('ssh-add', ['-q', sshd.privateKeyFile], { env: { ...process.env, SSH_AUTH_SOCK: socket } });

  const { privateKeyFile: _, ...connection } = connectionTo(sshd, { agent: socket, agentForwarding: true });
  const ssh = await openSsh(t, connection as ReturnType<typeof connectionTo>);
  const lines: string[] = [];
  t.equal((await ssh.exec({ command: 'ssh-add -L', onStdout: (line) => { lines.push(line); } })).code, 0);
  t.equal(lines.length, 1, 'the machine sees the key of the agent');

  const nobody = join(sshd.folder, 'none.sock');
  await t.rejects(openSsh(t, { ...connection, agent: nobody, agentForwarding: false } as ReturnType<typeof connectionTo>), { code: 'AuthenticationFailed' });
});

t.test('algorithms that the two sides do not share are final at once', async (t) => {
  if (!(await need(t, 'sshd'))) return;
  const sshd = await startSshd({ config: ['Ciphers aes256-cbc'] });
  t.teardown(() => sshd.stop());
  await t.rejects(openSsh(t, connectionTo(sshd, { timeout: 60_000 })), { code: 'SshAlgorithms', message: /no matching/ });
  await openSsh(t, connectionTo(sshd, { ciphers: ['aes256-cbc'] }));
  await t.rejects(openSsh(t, connectionTo(sshd, { ciphers: ['rot13'] })), { code: 'SshAlgorithms', message: /rot13/ });
});
