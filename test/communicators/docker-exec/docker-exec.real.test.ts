import { execFileSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import t from 'tap';
import { openDockerExec } from '../../../lib/communicators/docker-exec/open-docker-exec.js';
import { DockerodeEngine } from '../../../lib/platforms/docker/engine/dockerode-engine.js';
import { systemClock } from '../../../lib/toolkit/host/clock.js';
import { systemExec } from '../../../lib/toolkit/host/exec.js';
import { communicatorContract } from '../../support/communicator-contract.js';
import { need } from '../../support/need.js';
import { baseImage } from '../../platforms/docker/base-image.js';
import { busyboxImage } from '../../platforms/docker/busybox-image.js';

if (await need(t, 'docker') && await need(t, 'busybox')) {
  const image = await baseImage();
  const busybox = await busyboxImage();
  const engine = new DockerodeEngine();
  const host = { exec: systemExec(), clock: systemClock, signal: new AbortController().signal, tmp: t.testdir({}), log: () => {} };
  const start = (flags: readonly string[] = [], of = image) => {
    const id = execFileSync('docker', ['run', '-d', '-i', '-t', '--name', `bake-test-${randomBytes(4).toString('hex')}`, ...flags, '--entrypoint', '/bin/sh', of]).toString().trim();
    t.teardown(() => { execFileSync('docker', ['rm', '-f', '-v', id]); });
    return id;
  };
  const open = openDockerExec(async (id) => engine.container(id));

  await t.test('docker-exec keeps the contract of communicators', async (t) => {
    const container = start();
    const communicator = await open({ kind: 'docker-exec', container }, host);
    await communicator.exec({ command: 'mkdir /work' });
    await communicatorContract(t, { open: async () => ({ communicator, folder: '/work' }) });
  });

  await t.test('docker-exec keeps the contract as a user that is not root', async (t) => {
    const container = start();
    execFileSync('docker', ['exec', container, 'sh', '-c', 'useradd -m app && mkdir /work && chown app:app /work']);
    const communicator = await open({ kind: 'docker-exec', container, user: 'app' }, host);
    await communicatorContract(t, { open: async () => ({ communicator, folder: '/work' }) });
  });

  await t.test('docker-exec keeps the contract in a memory file system', async (t) => {
    const container = start(['--tmpfs', '/quick:exec,mode=1777']);
    const communicator = await open({ kind: 'docker-exec', container, tmpfs: ['/quick'] }, host);
    await communicatorContract(t, { open: async () => ({ communicator, folder: '/quick' }) });
  });

  await t.test('what is sent into memory is seen there and never gets into the image, links on the way included', async (t) => {
    const container = start(['--tmpfs', '/run']);
    const communicator = await open({ kind: 'docker-exec', container, tmpfs: ['/run/'] }, host);
    const folder = t.testdir({ tree: { inside: 'of a folder' } });
    await communicator.upload(Buffer.from('quiet'), '/dev/shm/key');
    await communicator.uploadDirectory(join(folder, 'tree'), '/dev/shm/tree');
    await communicator.exec({ command: 'ln -s run/deeper /way && mkdir /run/deeper' });
    await communicator.upload(Buffer.from('linked'), '/var/run/key');
    await communicator.upload(Buffer.from('twice'), '/way/key');
    const lines: string[] = [];
    await communicator.exec({ command: 'for file in /dev/shm/key /dev/shm/tree/inside /run/key /run/deeper/key; do cat "$file"; echo; done', onStdout: (line) => { lines.push(line); } });
    t.strictSame(lines, ['quiet', 'of a folder', 'linked', 'twice']);
    await communicator.download('/dev/shm/key', join(folder, 'back'));
    t.equal(await readFile(join(folder, 'back'), 'utf8'), 'quiet');
    const changes = execFileSync('docker', ['diff', container]).toString();
    t.notMatch(changes, /key|inside/);
  });

  await t.test('docker-exec keeps the contract with busybox', async (t) => {
    const communicator = await open({ kind: 'docker-exec', container: start([], busybox) }, host);
    await communicator.exec({ command: 'mkdir /work' });
    await communicatorContract(t, { open: async () => ({ communicator, folder: '/work' }) });
  });

  await t.test('a terminal is given to commands without input', async (t) => {
    const communicator = await open({ kind: 'docker-exec', container: start([], busybox), pty: true }, host);
    const lines: string[] = [];
    const onStdout = (line: string) => { lines.push(line); };
    t.equal((await communicator.exec({ command: 'test -t 1 && echo terminal; echo err >&2; exit 3', onStdout })).code, 3);
    t.equal((await communicator.exec({ command: 'test -t 0 || cat', stdin: 'input', onStdout })).code, 0);
    t.strictSame(lines, ['terminal', 'err', 'input']);
    const abort = new AbortController();
    await t.rejects(communicator.exec({ command: 'echo started; sleep 1000', signal: abort.signal, onStdout: () => abort.abort(new Error('stop')) }), { message: 'stop' });
    await communicator.exec({ command: 'ps', stdin: '', onStdout });
    t.notOk(lines.some((line) => line.includes('sleep 1000')));
  });

  await t.test('environment and folder of the connection are those of every command', async (t) => {
    const communicator = await open({ kind: 'docker-exec', container: start([], busybox), env: { WORD: 'a "b" $c' }, workdir: '/tmp' }, host);
    const lines: string[] = [];
    await communicator.upload(Buffer.from('x'), 'relative');
    await communicator.exec({ command: 'echo "$WORD"; pwd; ls', onStdout: (line) => { lines.push(line); } });
    t.strictSame(lines, ['a "b" $c', '/tmp', 'relative']);
  });
}
