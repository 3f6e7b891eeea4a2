import { execFile } from 'node:child_process';
import { access, mkdir, readFile, stat, symlink, writeFile } from 'node:fs/promises';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import t from 'tap';
import type { Communicator } from '../../../lib/core/communicator.js';
import { openChroot } from '../../../lib/communicators/chroot/engine/open-chroot.js';
import { markedProcesses, namespaceMembers } from '../../../lib/communicators/chroot/linux-processes.js';
import { systemClock } from '../../../lib/toolkit/host/clock.js';
import { systemExec } from '../../../lib/toolkit/host/exec.js';
import { communicatorContract, uniqueSeconds } from '../../support/communicator-contract.js';
import { need } from '../../support/need.js';
import { debianMachine } from './machine.js';

async function output(communicator: Communicator, command: string): Promise<string> {
  const lines: string[] = [];
  const keep = (line: string) => { lines.push(line); };
  await communicator.exec({ command, onStdout: keep, onStderr: keep });
  return lines.join('\n');
}

const exists = (path: string) => access(path).then(() => true, () => false);

t.test('a communicator into a tree', async (t) => {
  if (!(await need(t, 'namespaces')) || !(await need(t, 'mmdebstrap'))) return;

  await t.test('keeps the contract', async (t) => {
    await communicatorContract(t, {
      open: async (t) => {
        const { communicator } = await debianMachine(t);
        await communicator.exec({ command: 'mkdir /srv/contract' });
        return { communicator, folder: '/srv/contract' };
      },
    });
  });

  const { communicator, machine, tree, project, kill } = await debianMachine(t);

  await t.test('a command sees the machine and nothing of this computer', async (t) => {
    t.equal(await output(communicator, 'hostname'), 'bake-test');
    t.not(hostname(), 'bake-test');
    t.notMatch(await output(communicator, 'cat /proc/mounts'), project);
    const processes = (await output(communicator, 'ls /proc')).split('\n').filter((name) => /^\d+$/.test(name));
    t.ok(processes.length < 8, processes.join(' '));
    const variables = await output(communicator, 'env');
    t.match(variables, /^PATH=\/usr\/local\/sbin/m);
    t.match(variables, /^SOURCE_DATE_EPOCH=946684800$/m);
    t.notMatch(variables, /npm_|NODE|TAP/, 'the variables of this process stay here');
    t.equal(await output(communicator, 'umask'), '0022');
  });

  await t.test('devices are the few that programs need, and the kernel is out of reach', async (t) => {
    t.same((await output(communicator, 'ls /dev')).split('\n'), ['fd', 'full', 'null', 'ptmx', 'pts', 'random', 'shm', 'stderr', 'stdin', 'stdout', 'tty', 'urandom', 'zero']);
    t.equal(await output(communicator, 'echo gone > /dev/null; head -c 4 /dev/zero | wc -c'), '4');
    t.match(await output(communicator, 'echo 1 > /proc/sys/kernel/panic'), /Read-only/);
    t.match(await output(communicator, 'echo h > /proc/sysrq-trigger'), /Read-only|nonexistent/);
    t.match(await output(communicator, 'mkdir /sys/x'), /Read-only|not permitted/);
  });

  await t.test('what is written to resolv.conf in there does not reach this computer', async (t) => {
    const before = await readFile('/etc/resolv.conf', 'utf8');
    t.match(await output(communicator, 'cat /etc/resolv.conf'), before.trim());
    await communicator.exec({ command: 'echo nameserver 192.0.2.1 > /etc/resolv.conf' });
    t.equal(await readFile('/etc/resolv.conf', 'utf8'), before);
  });

  await t.test('packages start no services', async (t) => {
    t.equal(await output(communicator, 'policy-rc.d; echo $?'), '101');
  });

  await t.test('no link in the tree leads a transfer out of it', async (t) => {
    const outside = join(project, 'outside');
    await mkdir(outside);
    await writeFile(join(outside, 'secret'), 'of this computer');
    await symlink(outside, join(tree, 'srv/absolute'));
    await symlink('../../../../../../../../../../../../tmp', join(tree, 'srv/relative'));
    await t.rejects(communicator.upload(Buffer.from('x'), '/srv/absolute/planted'), { code: 'UploadFailed' });
    t.notOk(await exists(join(outside, 'planted')));
    await t.rejects(communicator.download('/srv/absolute/secret', join(project, 'stolen')), { code: 'DownloadFailed' });
    t.notOk(await exists(join(project, 'stolen')));
    await communicator.upload(Buffer.from('x'), '/srv/relative/bake-planted');
    t.notOk(await exists('/tmp/bake-planted'));
    t.ok(await exists(join(tree, 'tmp/bake-planted')), 'the link is followed inside');

    const local = join(project, 'up');
    await mkdir(join(local, 'absolute'), { recursive: true });
    await writeFile(join(local, 'absolute/dir-planted'), 'x');
    await communicator.uploadDirectory(local, '/srv').catch(() => {});
    t.notOk(await exists(join(outside, 'dir-planted')));
  });

  await t.test('a hostile archive from the machine stays in its folder', async (t) => {
    // A tar of the machine's own making, which sends links out of the folder, names with .., and a device.
    await communicator.upload(Buffer.from(`#!/bin/sh
d=$(mktemp -d); cd $d
ln -s ${project} way-out; tar.real -c -f a.tar way-out; rm way-out; mkdir way-out; echo x > way-out/escaped
tar.real -r -f a.tar way-out/escaped
echo x > dotdot; tar.real -r -f a.tar --transform 's,dotdot,../dotdot,' -P dotdot
cat a.tar
`), '/usr/local/sbin/tar', { mode: 0o755 });
    await communicator.exec({ command: 'cp /bin/tar /usr/local/sbin/tar.real' });
    await t.rejects(communicator.downloadDirectory('/srv', join(project, 'down')), { code: 'DownloadFailed' });
    t.notOk(await exists(join(project, 'escaped')));
    t.notOk(await exists(join(project, 'dotdot')));
    await communicator.exec({ command: 'rm /usr/local/sbin/tar*' });
  });

  await t.test('bits that lend the owner\'s rights do not come out', async (t) => {
    await communicator.exec({ command: 'cp /bin/true /srv/lender; chmod 4755 /srv/lender' });
    await communicator.download('/srv/lender', join(project, 'lender'));
    t.equal((await stat(join(project, 'lender'))).mode & 0o7777, 0o755);
  });

  await t.test('what a command leaves running stays until it is ended, and daemons are ended by an abort', async (t) => {
    const mark = uniqueSeconds();
    await communicator.exec({ command: `setsid sleep ${mark} > /dev/null 2>&1 < /dev/null &` });
    t.match(await output(communicator, 'cat /proc/*/cmdline 2>/dev/null | tr "\\0" " "'), `sleep ${mark}`);
    const other = uniqueSeconds();
    const abort = new AbortController();
    const aborted = communicator.exec({ command: `setsid sh -c 'env -i sleep ${other}' & setsid sleep ${other} & echo started; wait`, signal: abort.signal, onStdout: () => abort.abort(new Error('stop it')) });
    await t.rejects(aborted, { message: 'stop it' });
    const { stdout } = await promisify(execFile)('sh', ['-c', 'cat /proc/*/cmdline 2>/dev/null | tr "\\0" " "']);
    t.notMatch(stdout, `sleep ${other}`);
    t.match(stdout, `sleep ${mark}`, 'those of other commands live on');
    await communicator.exec({ command: `kill $(cat /proc/[0-9]*/stat 2>/dev/null | sed -n 's/^\\([0-9]*\\) (sleep).*/\\1/p')` });
  });

  await t.test('orphans are reaped by the first process', async (t) => {
    await communicator.exec({ command: 'for i in 1 2 3 4 5; do (sleep 0.01 &) ; done; sleep 0.2' });
    t.notMatch(await output(communicator, 'cat /proc/[0-9]*/stat'), /\(sleep\) Z/);
  });

  await t.test('a command costs little', async (t) => {
    const times: number[] = [];
    for (let turn = 0; turn < 20; turn++) {
      const start = performance.now();
      await communicator.exec({ command: 'true' });
      times.push(performance.now() - start);
    }
    const median = times.sort((a, b) => a - b)[10]!;
    t.comment(`median of 20: ${median.toFixed(1)} ms`);
    t.ok(median < 100, `${median.toFixed(1)} ms`);
  });

  await t.test('a machine that dies is a lost connection, at once and ever after', async (t) => {
    let killed: Promise<void> | undefined;
    const running = communicator.exec({ command: 'echo started; sleep 1000', onStdout: () => { killed = kill(); } });
    t.match(await running, { code: null, disconnected: true });
    t.same(await communicator.exec({ command: 'true' }), { code: null, disconnected: true });
    await t.rejects(communicator.upload(Buffer.from('x'), '/srv/x'), { code: 'ConnectionLost', transient: true });
    await t.rejects(openChroot(machine.connection, { exec: systemExec(), clock: systemClock, signal: new AbortController().signal, tmp: project, log: () => {} }), { code: 'ConnectionLost' });
    await killed;
    t.same(await markedProcesses('BAKE_STEP', machine.id), []);
    t.same(await namespaceMembers(machine.init), []);
  });
});
