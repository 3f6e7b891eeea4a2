import { chmod, mkdir, readFile, stat, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import t from 'tap';
import { sleepers, uniqueSeconds } from '../../support/communicator-contract.js';
import { sshExtension } from '../../../lib/communicators/ssh/communicator.js';
import type { Exec } from '../../../lib/core/ports.js';
import { systemClock } from '../../../lib/toolkit/host/clock.js';
import { systemExec } from '../../../lib/toolkit/host/exec.js';
import { need } from '../../support/need.js';
import { startSshd } from '../../support/sshd.js';
import { connectionTo, openSsh, rejection, scratch } from './open.js';

t.test('an abort also ends what left the session of its command', async (t) => {
  if (!(await need(t, 'sshd'))) return;
  const sshd = await startSshd();
  t.teardown(() => sshd.stop());
  const ssh = await openSsh(t, connectionTo(sshd));
  const mark = uniqueSeconds();
  const abort = new AbortController();
  const command = `setsid sh -c 'trap "" TERM; setsid sleep ${mark} & sleep ${mark}' & sleep ${mark} & while [ "$(cat /proc/[0-9]*/cmdline 2>/dev/null | tr '\\0' ' ' | grep -o 'sleep ${mark}' | wc -l)" -lt 3 ]; do :; done; echo started; wait`;
  t.equal((await rejection(ssh.exec({ command, signal: abort.signal, onStdout: () => abort.abort(new Error('stop it')) }))).message, 'stop it');
  t.strictSame(await sleepers(ssh, mark), []);
});

t.test('a server that allows one session at a time still has its command ended by an abort', async (t) => {
  if (!(await need(t, 'sshd'))) return;
  const sshd = await startSshd({ config: ['MaxSessions 1'] });
  t.teardown(() => sshd.stop());
  const ssh = await openSsh(t, connectionTo(sshd));
  const mark = uniqueSeconds();
  const abort = new AbortController();
  t.equal((await rejection(ssh.exec({ command: `sleep ${mark} & echo started; wait`, signal: abort.signal, onStdout: () => abort.abort(new Error('stop it')) }))).message, 'stop it');
  t.strictSame(await sleepers(ssh, mark), []);
});

t.test('an abort of a script of shell built-ins ends it', async (t) => {
  if (!(await need(t, 'sshd'))) return;
  const sshd = await startSshd();
  t.teardown(() => sshd.stop());
  const ssh = await openSsh(t, connectionTo(sshd));
  const abort = new AbortController();
  const started = Date.now();
  await rejection(ssh.exec({ command: 'exec /bin/sh -s', stdin: 'echo started; while :; do :; done', signal: abort.signal, onStdout: () => abort.abort(new Error('stop it')) }));
  t.ok(Date.now() - started < 3_000, `${Date.now() - started} ms`);
});

t.test('more commands than the server has sessions wait for each other', async (t) => {
  if (!(await need(t, 'sshd'))) return;
  const sshd = await startSshd({ config: ['MaxSessions 2'] });
  t.teardown(() => sshd.stop());
  const folder = await scratch(t);
  const ssh = await openSsh(t, connectionTo(sshd));
  const codes = await Promise.all(Array.from({ length: 20 }, async (_, index) => (await ssh.exec({ command: `exit ${index}` })).code));
  t.strictSame(codes, Array.from({ length: 20 }, (_, index) => index));
  await Promise.all([1, 2, 3, 4, 5].map((index) => ssh.upload(Buffer.from(String(index)), join(folder, String(index)))));
  t.equal(await readFile(join(folder, '5'), 'utf8'), '5');

  const abort = new AbortController();
  const holding = [1, 2].map(() => ssh.exec({ command: 'read nothing', stdin: new Readable({ read() {} }), signal: abort.signal }));
  const waiting = ssh.exec({ command: 'true', signal: AbortSignal.timeout(200) });
  await rejection(waiting);
  abort.abort(new Error('stop it'));
  await Promise.all(holding.map(rejection));
  t.equal((await ssh.exec({ command: 'true' })).code, 0);
});

t.test('a machine without tar gets its folders over sftp', async (t) => {
  if (!(await need(t, 'sshd'))) return;
  const folder = await scratch(t);
  await mkdir(join(folder, 'bin'));
  for (const name of ['cat', 'chmod', 'mkdir', 'stat', 'sh']) await symlink(`/bin/${name}`, join(folder, 'bin', name)).catch(() => {});
  const sshd = await startSshd({ config: [`SetEnv PATH=${join(folder, 'bin')} HOME=${folder}`] });
  t.teardown(() => sshd.stop());
  const ssh = await openSsh(t, connectionTo(sshd));
  t.not((await ssh.exec({ command: 'command -v tar' })).code, 0);
  await mkdir(join(folder, 'from/deep'), { recursive: true });
  await writeFile(join(folder, 'from/deep/file'), 'hello', { mode: 0o640 });
  await ssh.uploadDirectory(join(folder, 'from'), join(folder, 'to'));
  await ssh.downloadDirectory(join(folder, 'to'), join(folder, 'back'));
  t.equal(await readFile(join(folder, 'back/deep/file'), 'utf8'), 'hello');
  t.equal((await stat(join(folder, 'back/deep/file'))).mode & 0o777, 0o640);
});

t.test('what comes from a machine gets no set-id bit here', async (t) => {
  if (!(await need(t, 'sshd'))) return;
  const folder = await scratch(t);
  const sshd = await startSshd();
  t.teardown(() => sshd.stop());
  await mkdir(join(folder, 'from'));
  await writeFile(join(folder, 'from/tool'), '');
  await chmod(join(folder, 'from/tool'), 0o6775);
  for (const fileTransfer of ['tar', 'sftp']) {
    const ssh = await openSsh(t, connectionTo(sshd, { fileTransfer }));
    await ssh.downloadDirectory(join(folder, 'from'), join(folder, fileTransfer));
    t.equal((await stat(join(folder, fileTransfer, 'tool'))).mode & 0o7777, 0o775, fileTransfer);
    await ssh.download(join(folder, 'from/tool'), join(folder, 'one'));
    t.equal((await stat(join(folder, 'one'))).mode & 0o7777, 0o775, fileTransfer);
  }
});

t.test('a terminal is given to commands where it was asked for, not to transfers', async (t) => {
  if (!(await need(t, 'sshd'))) return;
  const folder = await scratch(t);
  const sshd = await startSshd();
  t.teardown(() => sshd.stop());
  const ssh = await openSsh(t, connectionTo(sshd, { pty: true }));
  const lines: string[] = [];
  t.equal((await ssh.exec({ command: 'tty; echo problem >&2; cat; exit 3', onStdout: (line) => { lines.push(line); } })).code, 3);
  t.match(lines, [/^\/dev\/pts\/\d+$/, 'problem']);
  await ssh.upload(Buffer.from('\x04\r\n'), join(folder, 'raw'));
  t.equal(await readFile(join(folder, 'raw'), 'latin1'), '\x04\r\n');
});

t.test('a start-up file that talks does not disturb', async (t) => {
  if (!(await need(t, 'sshd'))) return;
  const sshd = await startSshd();
  t.teardown(() => sshd.stop());
  await writeFile(join(sshd.folder, 'home/.bashrc'), 'echo "welcome" >&2\n');
  const ssh = await openSsh(t, connectionTo(sshd));
  const stderr: string[] = [];
  await ssh.exec({ command: 'echo oops >&2', onStderr: (line) => { stderr.push(line); } });
  t.equal(stderr.at(-1), 'oops');
  t.notMatch(stderr.join(), /bake-/);
});

t.test('an input that fails ends its command, also if it failed before there was a channel', async (t) => {
  if (!(await need(t, 'sshd'))) return;
  const sshd = await startSshd();
  t.teardown(() => sshd.stop());
  const ssh = await openSsh(t, connectionTo(sshd));
  const failed = new Readable({ read() {} });
  failed.destroy(new Error('gone before'));
  t.equal((await rejection(ssh.exec({ command: 'cat', stdin: failed }))).message, 'gone before');
  const failing = new Readable({ read() {} });
  t.equal((await rejection(ssh.exec({ command: 'echo up; cat', stdin: failing, onStdout: () => failing.destroy(new Error('gone while')) }))).message, 'gone while');
  const cut = new Readable({ read() {} });
  t.match((await rejection(ssh.exec({ command: 'echo up; cat', stdin: cut, onStdout: () => cut.destroy() }))).message, /before its end/);
});

t.test('a folder that cannot be packed fails the upload with what tar says', async (t) => {
  if (!(await need(t, 'sshd'))) return;
  const folder = await scratch(t);
  const sshd = await startSshd();
  t.teardown(() => sshd.stop());
  await mkdir(join(folder, 'from'));
  await writeFile(join(folder, 'from/file'), 'x');
  const open = await sshExtension.communicators!['ssh']!();
  const exec: Exec = { run: (request) => systemExec().run({ ...request, command: 'no-such-tar' }) };
  const ssh = await open(connectionTo(sshd), { exec, clock: systemClock, signal: new AbortController().signal, tmp: folder, log: () => {} });
  t.teardown(() => ssh.close());
  t.match(await rejection(ssh.uploadDirectory(join(folder, 'from'), join(folder, 'to'))), { code: 'CommandNotFound' });
  t.equal((await ssh.exec({ command: 'true' })).code, 0);
});
