import { readFile, symlink } from 'node:fs/promises';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import t from 'tap';
import { pack } from 'tar-stream';
import { DockerExecCommunicator } from '../../../lib/communicators/docker-exec/docker-exec-communicator.js';
import { parseDockerExecConnection } from '../../../lib/communicators/docker-exec/docker-exec-connection.js';
import { PidReader } from '../../../lib/communicators/docker-exec/remote-process.js';
import { folderFromTar } from '../../../lib/communicators/docker-exec/tar-in.js';
import { tarOfFolder } from '../../../lib/communicators/docker-exec/tar-out.js';
import { FakeDockerEngine } from '../../../lib/platforms/docker/engine/fake-docker-engine.js';
import { systemClock } from '../../../lib/toolkit/host/clock.js';

async function machine() {
  const engine = new FakeDockerEngine();
  engine.addImage('debian:12');
  const container = await engine.createContainer({ name: 'c', image: 'debian:12', argv: ['/bin/sh'], labels: {} });
  await engine.startContainer(container);
  const port = engine.container(container);
  return { engine, container, port, communicator: new DockerExecCommunicator({ port, connection: { kind: 'docker-exec', container }, clock: systemClock }) };
}

t.test('a command has its lines, input and exit code, and its process id is not among the lines', async (t) => {
  const { communicator } = await machine();
  const lines: string[] = [];
  const result = await communicator.exec({ command: 'echo out; echo err >&2; cat; exit 7', stdin: 'in\nput', onStdout: (line) => { lines.push(`out ${line}`); }, onStderr: (line) => { lines.push(`err ${line}`); } });
  t.strictSame(result, { code: 7, disconnected: false });
  t.strictSame(lines, ['out out', 'err err', 'out in', 'out put']);
});

t.test('an abort kills the command and rejects with the reason', async (t) => {
  const { communicator } = await machine();
  const abort = new AbortController();
  await t.rejects(communicator.exec({ command: 'echo started; hang', signal: abort.signal, onStdout: () => abort.abort(new Error('stop')) }), { message: 'stop' });
});

t.test('a container that goes away in the middle is a lost connection, not an exit code', async (t) => {
  const { communicator, engine, container } = await machine();
  const result = await communicator.exec({ command: 'echo started; hang', onStdout: () => void engine.removeContainer(container) });
  t.strictSame(result, { code: null, disconnected: true });
  t.strictSame(await communicator.exec({ command: 'true' }), { code: null, disconnected: true });
  await t.rejects(communicator.upload(Buffer.from('x'), '/x'), { code: 'ConnectionLost' });
});

t.test('uploads belong to root unless the connection names a user by its ids', async (t) => {
  const { port, container } = await machine();
  const owner = async (user?: string, fixUploadOwner?: boolean) => {
    const communicator = new DockerExecCommunicator({ port, connection: { kind: 'docker-exec', container, ...(user === undefined ? {} : { user }), ...(fixUploadOwner === undefined ? {} : { fixUploadOwner }) }, clock: systemClock });
    await communicator.upload(join(t.testdir({ f: 'x' }), 'f'), '/f');
    const tar = await buffer(await port.getArchive('/f'));
    return [Number.parseInt(tar.toString('latin1', 108, 115), 8), Number.parseInt(tar.toString('latin1', 116, 123), 8)];
  };
  t.strictSame(await owner(), [0, 0]);
  t.strictSame(await owner('1000:1001'), [1000, 1001]);
  t.strictSame(await owner('1000:1001', false), [process.getuid?.(), process.getgid?.()]);
});

t.test('a process id is read from pieces, and a stream without one passes through', async (t) => {
  const read = async (...pieces: string[]) => {
    let rest = '';
    const reader = new PidReader((chunk) => { rest += Buffer.from(chunk).toString(); });
    for (const piece of pieces) reader.write(Buffer.from(piece));
    reader.end();
    return [await reader.pid, rest];
  };
  t.strictSame(await read('4', '2', '\nhello'), [42, 'hello']);
  t.strictSame(await read('42\n'), [42, '']);
  t.strictSame(await read('sh: no such thing\n'), [undefined, 'sh: no such thing\n']);
  t.strictSame(await read('oops'), [undefined, 'oops']);
  t.strictSame(await read(), [undefined, '']);
});

t.test('an archive from a machine writes nothing outside the folder, not even through a link', async (t) => {
  const folder = t.testdir({ outside: { file: 'mine' }, into: {} });
  const tar = pack();
  tar.entry({ name: '../outside/file' }, 'climbed');
  tar.entry({ name: 'link', type: 'symlink', linkname: join(folder, 'outside') });
  tar.entry({ name: 'link/file' }, 'through a link');
  tar.entry({ name: '/absolute' }, 'absolute');
  tar.entry({ name: 'hard', type: 'link', linkname: '../outside/file' });
  tar.finalize();
  await t.rejects(folderFromTar(Readable.from(tar as AsyncIterable<Buffer>, { objectMode: false }), join(folder, 'into'), {}), /is a folder, and the archive has a link there/);
  t.equal(await readFile(join(folder, 'outside/file'), 'utf8'), 'mine');
  t.equal(await readFile(join(folder, 'into/absolute'), 'utf8'), 'absolute');
});

t.test('a folder that cannot be read fails its tar', async (t) => {
  await t.rejects(tarOfFolder(join(t.testdir({}), 'none'), '', { owner: undefined }), { code: 'ENOENT' });
  await t.rejects(tarOfFolder(join(t.testdir({ f: '' }), 'f'), '', { owner: undefined }), /is not a folder/);
});

t.test('a connection that is none is a bug that is named', async (t) => {
  t.throws(() => parseDockerExecConnection({ kind: 'docker-exec' }), { code: 'InvalidConnection' });
  t.throws(() => parseDockerExecConnection({ kind: 'docker-exec', container: 'c', usr: 'x' }), { code: 'InvalidConnection' });
});

t.test('a folder that was there already leads no download out through its links', async (t) => {
  const folder = t.testdir({ outside: { known: 'untouched', secret: 'of the host' }, into: { way: t.fixture('symlink', '../outside') } });
  const tar = pack();
  tar.entry({ name: 'way/known' }, 'overwritten');
  tar.entry({ name: 'stolen', type: 'link', linkname: 'other/secret' });
  tar.finalize();
  await symlink('../outside', join(folder, 'into/other'));
  await t.rejects(folderFromTar(Readable.from(tar as AsyncIterable<Buffer>, { objectMode: false }), join(folder, 'into'), {}), /leads out of the folder/);
  t.equal(await readFile(join(folder, 'outside/known'), 'utf8'), 'untouched');
  t.equal(await readFile(join(folder, 'into/way/known'), 'utf8'), 'overwritten');
  await t.rejects(readFile(join(folder, 'into/stolen')), { code: 'ENOENT' });
});
