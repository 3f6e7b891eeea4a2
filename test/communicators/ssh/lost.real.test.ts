import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import t from 'tap';
import { need } from '../../support/need.js';
import { type Sshd, startSshd } from '../../support/sshd.js';
import { connectionTo, openSsh, rejection, scratch } from './open.js';

t.test('a command whose connection dies reports it, and the next one dials again', async (t) => {
  if (!(await need(t, 'sshd'))) return;
  const sshd = await startSshd();
  t.teardown(() => sshd.stop());
  const ssh = await openSsh(t, connectionTo(sshd));
  const dropAll = () => drop(sshd);
  t.strictSame(await ssh.exec({ command: 'echo up; read nothing', stdin: endless(), onStdout: dropAll }), { code: null, disconnected: true });
  const both = await Promise.all([ssh.exec({ command: 'exit 4' }), ssh.exec({ command: 'exit 5' })]);
  t.strictSame(both.map(({ code }) => code), [4, 5]);
  t.equal(sshd.connections().length, 1, 'over one connection');
});

t.test('a machine that falls silent counts as lost after its signs of life fail to come', async (t) => {
  if (!(await need(t, 'sshd'))) return;
  const sshd = await startSshd();
  t.teardown(() => sshd.stop());
  const ssh = await openSsh(t, connectionTo(sshd, { keepaliveInterval: 100, keepaliveCountMax: 3 }));
  const started = Date.now();
  const result = await ssh.exec({ command: 'echo up; read nothing', stdin: endless(), onStdout: () => { for (const pid of sshd.connections()) process.kill(pid, 'SIGSTOP'); } });
  t.strictSame(result, { code: null, disconnected: true });
  t.ok(Date.now() - started < 6_000, `${Date.now() - started} ms`);
  t.equal((await ssh.exec({ command: 'true' })).code, 0);
});

t.test('a machine that answers its signs of life may be quiet for long', async (t) => {
  if (!(await need(t, 'sshd'))) return;
  const sshd = await startSshd();
  t.teardown(() => sshd.stop());
  const ssh = await openSsh(t, connectionTo(sshd, { keepaliveInterval: 300, keepaliveCountMax: 3 }));
  t.strictSame(await ssh.exec({ command: 'sleep 2' }), { code: 0, disconnected: false });
});

t.test('after a reboot the next command waits until the machine is back', async (t) => {
  if (!(await need(t, 'sshd'))) return;
  const folder = await scratch(t);
  const before = await startSshd();
  const { port } = before;
  await writeFile(join(folder, 'key'), await readFile(before.privateKeyFile), { mode: 0o600 });
  const publicKey = (await readFile(`${before.privateKeyFile}.pub`, 'utf8')).trim();
  let said: () => void = () => {};
  const waiting = new Promise<void>((resolve) => { said = resolve; });
  const ssh = await openSsh(t, connectionTo(before, { privateKeyFile: join(folder, 'key'), hostKey: { policy: 'insecureAcceptAny' }, timeout: 30_000 }), { log: said });
  await before.stop();
  const next = ssh.exec({ command: 'exit 6' });
  await waiting;
  const after = await startSshd({ port, authorizedKeys: [publicKey] });
  t.teardown(() => after.stop());
  t.strictSame(await next, { code: 6, disconnected: false });
});

t.test('a transfer whose connection dies fails as one that may be tried again', async (t) => {
  if (!(await need(t, 'sshd'))) return;
  const folder = await scratch(t);
  const sshd = await startSshd();
  t.teardown(() => sshd.stop());
  for (const fileTransfer of ['tar', 'sftp']) {
    const ssh = await openSsh(t, connectionTo(sshd, { fileTransfer }));
    t.match(await rejection(ssh.upload(endless(Buffer.alloc(65_536)), join(folder, 'x'), { onProgress: (bytes) => { if (bytes > 1_000_000) drop(sshd); } })), { code: 'ConnectionLost', transient: true }, fileTransfer);
    await writeFile(join(folder, 'big'), Buffer.alloc(30_000_000));
    t.match(await rejection(ssh.download(join(folder, 'big'), join(folder, 'y'), { onProgress: () => drop(sshd) })), { code: 'ConnectionLost', transient: true }, fileTransfer);
    await ssh.close();
  }
});

t.test('a place here that cannot be written to fails the download', async (t) => {
  if (!(await need(t, 'sshd'))) return;
  const folder = await scratch(t);
  const sshd = await startSshd();
  t.teardown(() => sshd.stop());
  await writeFile(join(folder, 'file'), 'x');
  for (const fileTransfer of ['tar', 'sftp']) {
    const ssh = await openSsh(t, connectionTo(sshd, { fileTransfer }));
    t.match(await rejection(ssh.download(join(folder, 'file'), join(folder, 'no/such/folder'))), { code: 'DownloadFailed', message: /ENOENT/ });
    t.match(await rejection(ssh.downloadDirectory(folder, join(folder, 'file/below'))), { code: 'DownloadFailed' });
    t.equal((await ssh.exec({ command: 'true' })).code, 0);
  }
});

t.test('a closed communicator says so', async (t) => {
  if (!(await need(t, 'sshd'))) return;
  const sshd = await startSshd();
  t.teardown(() => sshd.stop());
  const ssh = await openSsh(t, connectionTo(sshd));
  await ssh.close();
  t.match(await rejection(ssh.exec({ command: 'true' })), { code: 'ConnectionLost' });
});

function drop(sshd: Sshd): void {
  for (const pid of sshd.connections()) {
    try {
      process.kill(pid, 'SIGKILL');
    } catch { /* it ended meanwhile */ }
  }
}

/** Input that never ends: nothing at all, or the same bytes again and again. */
function endless(bytes?: Buffer): Readable {
  return new Readable({ read() { if (bytes !== undefined) this.push(bytes); } });
}
