import { execFileSync } from 'node:child_process';
import { createConnection, createServer, type Socket } from 'node:net';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { DockerExecCommunicator } from '../../../lib/communicators/docker-exec/docker-exec-communicator.js';
import { containerHandler } from '../../../lib/platforms/docker/engine/container.js';
import { DockerodeEngine } from '../../../lib/platforms/docker/engine/dockerode-engine.js';
import { dockerDoctor } from '../../../lib/platforms/docker/engine/doctor.js';
import { imageHandler } from '../../../lib/platforms/docker/engine/image.js';
import { scanDocker } from '../../../lib/platforms/docker/engine/scan.js';
import { systemClock } from '../../../lib/toolkit/host/clock.js';
import { systemExec } from '../../../lib/toolkit/host/exec.js';
import { systemIds } from '../../../lib/toolkit/host/ids.js';
import { need } from '../../support/need.js';
import { baseImage } from './base-image.js';
import { contextsOf } from './step-context.js';

/** A daemon that can go away: a socket of its own in front of the real one. */
async function doorway(t: Test) {
  const folder = mkdtempSync(join(tmpdir(), 'bake-test-door-'));
  const socketPath = join(folder, 'docker.sock');
  const open = new Set<Socket>();
  const server = createServer({ allowHalfOpen: true }, (socket) => {
    const daemon = createConnection({ path: '/var/run/docker.sock', allowHalfOpen: true });
    for (const [from, to] of [[socket, daemon], [daemon, socket]] as const) {
      open.add(from);
      from.on('error', () => to.destroy());
      from.on('close', () => { open.delete(from); to.destroy(); });
      from.pipe(to);
    }
  });
  await new Promise<void>((resolve) => { server.listen(socketPath, resolve); });
  const shut = () => { server.close(); for (const socket of open) socket.destroy(); };
  t.teardown(() => { shut(); rmSync(folder, { recursive: true, force: true }); });
  return { socketPath, shut };
}

const scanHost = { exec: systemExec(), clock: systemClock, ids: systemIds, signal: new AbortController().signal, project: '/' };
const doctorHost = { exec: systemExec(), os: 'linux', hasApt: true, isRoot: true } as const;

t.test('without a daemon every call says how to start one, and doctor gives the commands', async (t) => {
  const engine = new DockerodeEngine({ socketPath: join(t.testdir({}), 'none.sock') });
  await t.rejects(engine.version(), { code: 'DockerUnavailable', transient: true, hint: /systemctl start docker/ });
  await t.rejects(engine.inspectImage('x'), { code: 'DockerUnavailable' });
  await t.rejects(engine.pull({ reference: 'x' }), { code: 'DockerUnavailable' });
  await t.rejects(engine.removeContainer('x'), { code: 'DockerUnavailable' });
  await t.rejects(engine.container('x').run({ argv: ['true'] }), { code: 'ConnectionLost' });
  t.strictSame(await scanDocker(engine, scanHost), [], 'where no daemon ever was there is nothing of ours');
  t.match(await dockerDoctor(engine, doctorHost), [{ name: 'docker daemon', ok: false, required: true, detail: /does not answer/ }]);
  const [check] = await dockerDoctor(engine, { ...doctorHost, exec: { run: async () => ({ code: 1, signal: null, stdout: '', stderr: '' }) } });
  t.match(check?.install, [['apt-get', 'install', '-y', 'docker.io'], ['sh', '-c', /dockerd/]]);
});

t.test('a DOCKER_HOST that is none is named', async (t) => {
  const { DOCKER_HOST: host } = process.env;
  t.teardown(() => { if (host === undefined) delete process.env['DOCKER_HOST']; else process.env['DOCKER_HOST'] = host; });
  process.env['DOCKER_HOST'] = 'tcp://:::';
  t.throws(() => new DockerodeEngine(), { code: 'DockerHostInvalid', hint: /unix:\/\// });
});

if (await need(t, 'docker')) {
  const base = await baseImage();
  const context = contextsOf(t);

  await t.test('a daemon that goes away while a command runs is a lost connection; so is all after it', async (t) => {
    const { socketPath, shut } = await doorway(t);
    const engine = new DockerodeEngine({ socketPath });
    t.match(await dockerDoctor(engine, doctorHost), [{ ok: true, detail: /^Docker \d/ }]);
    const machine = await containerHandler(engine).acquire({ image: base }, context());
    t.teardown(() => { execFileSync('docker', ['rm', '-f', '-v', machine.id]); });
    const communicator = new DockerExecCommunicator({ port: engine.container(machine.id), connection: machine.connection, clock: systemClock });
    t.strictSame(await communicator.exec({ command: 'echo started; sleep 100', onStdout: shut }), { code: null, disconnected: true });
    await t.rejects(communicator.upload(Buffer.from('x'), '/x'), { code: 'ConnectionLost', transient: true });
    await t.rejects(communicator.download('/etc/hostname', join(t.testdir({}), 'x')), { code: 'ConnectionLost' });
    await t.rejects(containerHandler(engine).release(machine, context()), { code: 'DockerUnavailable' });
    await t.rejects(imageHandler(engine).acquire({ container: machine.id }, context()), { code: 'DockerUnavailable' });
  });

  await t.test('a container that is removed under a command is a lost connection', async (t) => {
    const engine = new DockerodeEngine();
    const machine = await containerHandler(engine).acquire({ image: base }, context());
    const communicator = new DockerExecCommunicator({ port: engine.container(machine.id), connection: machine.connection, clock: systemClock });
    t.strictSame(await communicator.exec({ command: 'echo started; sleep 100', onStdout: () => void engine.removeContainer(machine.id) }), { code: null, disconnected: true });
    await containerHandler(engine).release(machine, context());
  });

  await t.test('an image without a shell, and a user that is none, say so', async (t) => {
    const engine = new DockerodeEngine();
    const machine = await containerHandler(engine).acquire({ image: base }, context());
    t.teardown(() => engine.removeContainer(machine.id));
    const communicator = new DockerExecCommunicator({ port: engine.container(machine.id), connection: { ...machine.connection, user: 'nobody-here' }, clock: systemClock });
    await t.rejects(communicator.exec({ command: 'true' }), { code: 'CommandNotStarted', message: /unable to find user nobody-here/ });
  });
}
