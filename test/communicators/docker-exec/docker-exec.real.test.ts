import { execFileSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import t from 'tap';
import { openDockerExec } from '../../../lib/communicators/docker-exec/open-docker-exec.js';
import { DockerodeEngine } from '../../../lib/platforms/docker/engine/dockerode-engine.js';
import { systemClock } from '../../../lib/toolkit/host/clock.js';
import { systemExec } from '../../../lib/toolkit/host/exec.js';
import { communicatorContract } from '../../support/communicator-contract.js';
import { need } from '../../support/need.js';
import { baseImage } from '../../platforms/docker/base-image.js';

if (await need(t, 'docker')) {
  const image = await baseImage();
  const engine = new DockerodeEngine();
  const host = { exec: systemExec(), clock: systemClock, signal: new AbortController().signal, tmp: t.testdir({}), log: () => {} };
  const start = (...flags: string[]) => {
    const id = execFileSync('docker', ['run', '-d', '-i', '-t', '--name', `bake-test-${randomBytes(4).toString('hex')}`, ...flags, '--entrypoint', '/bin/sh', image]).toString().trim();
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
    const container = start('--tmpfs', '/quick:exec,mode=1777');
    const communicator = await open({ kind: 'docker-exec', container, tmpfs: ['/quick'] }, host);
    await communicatorContract(t, { open: async () => ({ communicator, folder: '/quick' }) });
  });
}
