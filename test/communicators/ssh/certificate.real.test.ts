import { execFileSync, spawn } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import type { JsonObject } from '../../../lib/core/json.js';
import { need } from '../../support/need.js';
import { makeKey, startSshd } from '../../support/sshd.js';
import { connectionTo, openSsh, rejection, scratch } from './open.js';

/** A server that trusts one authority and no bare key. */
async function certifying(t: Test) {
  const folder = await scratch(t);
  const authority = await makeKey(join(folder, 'authority'), 'ed25519');
  const sshd = await startSshd({ config: [`TrustedUserCAKeys ${authority.file}.pub`, 'AuthorizedKeysFile none'] });
  t.teardown(() => sshd.stop());
  const sign = (key: { readonly file: string }, ...options: readonly string[]) => {
    execFileSync('ssh-keygen', ['-q', '-s', authority.file, '-I', 'somebody', ...options, `${key.file}.pub`], { stdio: 'ignore' });
    return `${key.file}-cert.pub`;
  };
  const open = (key: { readonly file: string }, certificateFile: string, more: JsonObject = {}) => openSsh(t, connectionTo(sshd, { privateKeyFile: key.file, certificateFile, ...more }));
  return { folder, sshd, sign, open };
}

t.test('a certificate of each kind of key lets its key in', async (t) => {
  if (!(await need(t, 'sshd'))) return;
  const { folder, sshd, sign, open } = await certifying(t);
  for (const type of ['ed25519', 'ecdsa', 'rsa'] as const) {
    const key = await makeKey(join(folder, type), type);
    const ssh = await open(key, sign(key, '-n', sshd.user));
    t.equal((await ssh.exec({ command: 'exit 3' })).code, 3, type);
    t.match(await rejection(openSsh(t, connectionTo(sshd, { privateKeyFile: key.file }))), { code: 'AuthenticationFailed' }, `${type}: not the key alone`);
  }
  const other = await makeKey(join(folder, 'p521'), 'ecdsa');
  execFileSync('sh', ['-c', `rm ${other.file} && ssh-keygen -q -t ecdsa -b 521 -N '' -f ${other.file}`]);
  await open(other, sign(other, '-n', sshd.user));
});

t.test('the agent signs for a certificate, and a bastion is shown its own', async (t) => {
  if (!(await need(t, 'sshd'))) return;
  const { folder, sshd, sign, open } = await certifying(t);
  const socket = join(folder, 'agent.sock');
  const agent = spawn('ssh-agent', ['-D', '-a', socket], { stdio: ['ignore', 'pipe', 'ignore'] });
  t.teardown(() => { agent.kill(); });
  await new Promise((resolve) => { agent.stdout.once('data', resolve); });
  for (const type of ['ed25519', 'ecdsa', 'rsa'] as const) {
    const key = await makeKey(join(folder, type), type);
    execFileSync('ssh-add', ['-q', key.file], { env: { ...process.env, SSH_AUTH_SOCK: socket }, stdio: 'ignore' });
    const { privateKeyFile: _, ...bare } = connectionTo(sshd, { agent: socket, certificateFile: sign(key, '-n', sshd.user) });
    await openSsh(t, bare as ReturnType<typeof connectionTo>);
  }
  const key = await makeKey(join(folder, 'through'), 'ed25519');
  const certificateFile = sign(key, '-n', sshd.user);
  const { kind: _, timeout: __, ...through } = connectionTo(sshd, { privateKeyFile: key.file, certificateFile });
  await open(key, certificateFile, { bastion: through });
});

t.test('a certificate that cannot be of use is named, with the reason', async (t) => {
  if (!(await need(t, 'sshd'))) return;
  const { folder, sshd, sign, open } = await certifying(t);
  const [key, other] = await Promise.all([makeKey(join(folder, 'one'), 'ed25519'), makeKey(join(folder, 'other'), 'ed25519')]);
  const expectInvalid = async (certificateFile: string, message: RegExp) => t.match(await rejection(open(key, certificateFile)), { code: 'CertificateInvalid', message });
  t.match(await rejection(open(key, join(folder, 'none'))), { code: 'CertificateUnreadable' });
  await expectInvalid(`${key.file}.pub`, /not an OpenSSH certificate/);
  await expectInvalid(sign(other, '-n', sshd.user), /not for the key of/);
  await expectInvalid(sign(key, '-h', '-n', 'host'), /certificate of a host/);
  await expectInvalid(sign(key, '-n', sshd.user, '-V', '20200101:20200201'), /valid until 2020-0/);
  const whole = execFileSync('cat', [sign(key, '-n', sshd.user)], { encoding: 'utf8' });
  await writeFile(join(folder, 'cut'), whole.slice(0, 200));
  await expectInvalid(join(folder, 'cut'), /cut short/);

  t.match(await rejection(open(key, sign(key, '-n', 'another-user'))), { code: 'AuthenticationFailed', message: /tried publickey \(certificate .*\), publickey \(.*\)/ });
  await writeFile(join(sshd.folder, 'authorized_keys'), '');
});
