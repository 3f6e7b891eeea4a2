// Proxies of other makes in front of a real sshd: OpenSSH's own SOCKS server, and tinyproxy.
import { spawn } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { need } from '../../support/need.js';
import { freePort, type Sshd, startSshd } from '../../support/sshd.js';
import { connectionTo, openSsh, rejection, scratch } from './open.js';

/** Resolves when somebody listens. */
async function listening(port: number): Promise<void> {
  for (let attempt = 0; attempt < 200; attempt++) {
    const there = await new Promise<boolean>((resolve) => {
      const socket = connect(port, '127.0.0.1').once('connect', () => { socket.destroy(); resolve(true); }).once('error', () => resolve(false));
    });
    if (there) return;
    await new Promise((resolve) => { setTimeout(resolve, 25); });
  }
  throw new Error(`nobody listens on ${port}`);
}

async function startProxy(t: Test, command: string, args: (port: number) => readonly string[]): Promise<number> {
  const port = await freePort();
  const child = spawn(command, args(port), { stdio: 'ignore' });
  t.teardown(() => { child.kill('SIGKILL'); });
  await listening(port);
  return port;
}

const socksThrough = (t: Test, sshd: Sshd) => startProxy(t, 'ssh', (port) => ['-F', '/dev/null', '-N', '-D', `127.0.0.1:${port}`, '-i', sshd.privateKeyFile, '-p', String(sshd.port), '-o', 'StrictHostKeyChecking=no', '-o', 'UserKnownHostsFile=/dev/null', `${sshd.user}@${sshd.host}`]);

t.test('through a SOCKS 5 proxy, which looks names up, and again after the connection was lost', async (t) => {
  if (!(await need(t, 'sshd'))) return;
  const [way, machine] = await Promise.all([startSshd(), startSshd()]);
  t.teardown(() => Promise.all([way.stop(), machine.stop()]));
  const port = await socksThrough(t, way);
  const ssh = await openSsh(t, { ...connectionTo(machine), host: 'localhost', proxy: { type: 'socks5', host: '127.0.0.1', port } });
  t.equal((await ssh.exec({ command: 'exit 3' })).code, 3);
  for (const pid of machine.connections()) process.kill(pid, 'SIGKILL');
  t.equal((await ssh.exec({ command: 'exit 4' })).code, 4);
});

t.test('through an HTTP proxy, with a login', async (t) => {
  if (!(await need(t, 'sshd')) || !(await need(t, 'tinyproxy'))) return;
  const machine = await startSshd();
  t.teardown(() => machine.stop());
  const folder = await scratch(t);
  const port = await startProxy(t, 'tinyproxy', (free) => {
    writeFileSync(join(folder, 'tinyproxy.conf'), `Port ${free}\nListen 127.0.0.1\nTimeout 60\nAllow 127.0.0.1\nBasicAuth me secret\n`);
    return ['-d', '-c', join(folder, 'tinyproxy.conf')];
  });
  const proxy = { type: 'http', host: '127.0.0.1', port, user: 'me' };
  const ssh = await openSsh(t, connectionTo(machine, { proxy: { ...proxy, password: 'secret' } }));
  t.equal((await ssh.exec({ command: 'exit 5' })).code, 5);
  t.match(await rejection(openSsh(t, connectionTo(machine, { timeout: 60_000, proxy: { ...proxy, password: 'wrong' } }))), { code: 'ProxyForbids', hint: /user and password/ });
});

t.test('a proxy that is not there, or reaches no machine, is waited for and then named', async (t) => {
  if (!(await need(t, 'sshd'))) return;
  const way = await startSshd();
  t.teardown(() => way.stop());
  const port = await socksThrough(t, way);
  const nowhere = await freePort();
  t.match(await rejection(openSsh(t, connectionTo(way, { port: nowhere, timeout: 800, proxy: { type: 'socks5', host: '127.0.0.1', port } }))), { code: 'CommunicatorTimeout', message: /proxy/i });
  for (const type of ['socks5', 'http']) t.match(await rejection(openSsh(t, connectionTo(way, { timeout: 800, proxy: { type, host: '127.0.0.1', port: nowhere } }))), { code: 'CommunicatorTimeout' }, type);
});

t.test('a proxy that accepts and never answers is left as soon as an attempt is over', async (t) => {
  for (const type of ['socks5', 'http']) {
    const open = new Set<Socket>();
    let all = 0;
    let empty: () => void = () => {};
    const allLeft = new Promise<void>((resolve) => { empty = resolve; });
    const server = createServer((socket) => {
      all++;
      open.add(socket);
      socket.on('error', () => {}).on('close', () => {
        open.delete(socket);
        if (open.size === 0) empty();
      }).resume();
    }).listen(0, '127.0.0.1');
    t.teardown(() => { for (const socket of open) socket.destroy(); server.close(); });
    await new Promise((resolve) => { server.once('listening', resolve); });
    const { port } = server.address() as AddressInfo;
    const connection = { kind: 'ssh', host: '127.0.0.1', user: 'root', hostKey: { policy: 'insecureAcceptAny' }, timeout: 700, proxy: { type, host: '127.0.0.1', port } };
    t.match(await rejection(openSsh(t, connection)), { code: 'CommunicatorTimeout' }, type);
    await Promise.race([allLeft, new Promise((resolve) => { setTimeout(resolve, 2_000).unref(); })]);
    t.ok(all > 1, `${type}: ${all} attempts`);
    t.equal(open.size, 0, `${type}: none is left open`);
  }
});

t.test('any 2xx of an HTTP proxy opens the way, with the first bytes of the machine in the same packet', async (t) => {
  if (!(await need(t, 'sshd'))) return;
  const machine = await startSshd();
  t.teardown(() => machine.stop());
  const server = createServer((socket) => {
    socket.on('error', () => {}).once('data', () => {
      const there = connect(machine.port, machine.host).on('error', () => socket.destroy());
      there.once('data', (banner) => {
        socket.write(Buffer.concat([Buffer.from('HTTP/1.1 201 Opened\r\n\r\n'), banner]));
        socket.pipe(there).pipe(socket);
      });
    });
  }).listen(0, '127.0.0.1');
  t.teardown(() => { server.close(); });
  await new Promise((resolve) => { server.once('listening', resolve); });
  const ssh = await openSsh(t, connectionTo(machine, { proxy: { type: 'http', host: '127.0.0.1', port: (server.address() as AddressInfo).port } }));
  t.equal((await ssh.exec({ command: 'exit 8' })).code, 8);
});

t.test('a SOCKS proxy may hand on the first bytes of the machine together with its own answer', async (t) => {
  if (!(await need(t, 'sshd'))) return;
  const machine = await startSshd();
  t.teardown(() => machine.stop());
  const server = createServer((socket) => {
    socket.on('error', () => {}).once('data', () => {
      socket.write(Buffer.from([5, 0])); // RFC 1928, 3: no login is asked for
      socket.once('data', () => {
        const there = connect(machine.port, machine.host).on('error', () => socket.destroy());
        there.once('data', (banner) => {
          socket.write(Buffer.concat([Buffer.from([5, 0, 0, 1, 0, 0, 0, 0, 0, 0]), banner]));
          socket.pipe(there).pipe(socket);
        });
      });
    });
  }).listen(0, '127.0.0.1');
  t.teardown(() => { server.close(); });
  await new Promise((resolve) => { server.once('listening', resolve); });
  const started = Date.now();
  const ssh = await openSsh(t, connectionTo(machine, { handshakeTimeout: 2_000, proxy: { type: 'socks5', host: '127.0.0.1', port: (server.address() as AddressInfo).port } }));
  t.equal((await ssh.exec({ command: 'exit 9' })).code, 9);
  t.ok(Date.now() - started < 2_000, `${Date.now() - started} ms`);
});
