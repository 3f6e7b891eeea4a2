import { once } from 'node:events';
import { createServer } from 'node:http';
import { connect } from 'node:net';
import t from 'tap';
import { sleepers, uniqueSeconds } from '../../support/communicator-contract.js';
import { need } from '../../support/need.js';
import { freePort, startSshd } from '../../support/sshd.js';
import { connectionTo, openSsh, rejection } from './open.js';

async function webServer(text: string): Promise<{ readonly port: number; close(): void }> {
  const server = createServer((_, response) => response.end(text)).listen(0, '127.0.0.1');
  await new Promise((resolve) => { server.once('listening', resolve); });
  return { port: (server.address() as { port: number }).port, close: () => { server.closeAllConnections(); server.close(); } };
}

const page = (port: number, address = '127.0.0.1') => fetch(`http://${address}:${port}/`).then((answer) => answer.text());

t.test('local and remote ports lead through the connection, also after it was lost, and end with it', async (t) => {
  if (!(await need(t, 'sshd'))) return;
  const [sshd, web] = [await startSshd(), await webServer('through the machine')];
  t.teardown(() => { web.close(); return sshd.stop(); });
  const [local, remote] = [await freePort(), await freePort()];
  const forward = (port: number) => ({ port, host: '127.0.0.1', hostPort: web.port });
  const ssh = await openSsh(t, connectionTo(sshd, { localForwards: [forward(local)], remoteForwards: [forward(remote)] }));
  t.equal(await page(local), 'through the machine');
  t.equal(await page(remote), 'through the machine');
  for (const pid of sshd.connections()) process.kill(pid, 'SIGKILL');
  await ssh.exec({ command: 'true' });
  t.equal(await page(local), 'through the machine');
  await ssh.close();
  await t.rejects(page(local));
});

t.test('a port that is taken, or that the machine may not open, is an error that names it', async (t) => {
  if (!(await need(t, 'sshd'))) return;
  const [sshd, closed, web] = [await startSshd(), await startSshd({ config: ['AllowTcpForwarding no'] }), await webServer('x')];
  t.teardown(() => { web.close(); return Promise.all([sshd.stop(), closed.stop()]); });
  const forward = { port: web.port, host: '127.0.0.1', hostPort: 1 };
  t.match(await rejection(openSsh(t, connectionTo(sshd, { localForwards: [forward] }))), { code: 'PortInUse', message: new RegExp(String(web.port)) });
  t.match(await rejection(openSsh(t, connectionTo(closed, { remoteForwards: [{ ...forward, port: await freePort() }] }))), { code: 'ForwardRefused' });
});

t.test('who hangs up before the machine has answered takes nothing along', async (t) => {
  if (!(await need(t, 'sshd'))) return;
  const [sshd, web] = [await startSshd(), await webServer('still there')];
  t.teardown(() => { web.close(); return sshd.stop(); });
  const local = await freePort();
  const ssh = await openSsh(t, connectionTo(sshd, { localForwards: [{ port: local, host: '127.0.0.1', hostPort: web.port }] }));
  const pids = sshd.connections();
  for (const pid of pids) process.kill(pid, 'SIGSTOP');
  const visitor = connect(local, '127.0.0.1');
  await once(visitor, 'connect');
  visitor.resetAndDestroy();
  await once(visitor, 'close');
  // Whoever comes after it is asked for later, so the reset has been seen by then.
  const next = page(local);
  await new Promise((resolve) => { setImmediate(resolve); });
  for (const pid of pids) process.kill(pid, 'SIGCONT');
  t.equal(await next, 'still there');
  t.equal((await ssh.exec({ command: 'exit 7' })).code, 7);
});

t.test('a port is forwarded for each address of the machine on its own', async (t) => {
  if (!(await need(t, 'sshd'))) return;
  const [sshd, one, two] = [await startSshd({ config: ['GatewayPorts clientspecified'] }), await webServer('one'), await webServer('two')];
  t.teardown(() => { one.close(); two.close(); return sshd.stop(); });
  const port = await freePort();
  await openSsh(t, connectionTo(sshd, { remoteForwards: [
    { bindAddress: '127.0.0.2', port, host: '127.0.0.1', hostPort: one.port },
    { bindAddress: '127.0.0.3', port, host: '127.0.0.1', hostPort: two.port },
  ] }));
  t.strictSame(await Promise.all(['127.0.0.2', '127.0.0.3'].map((address) => page(port, address))), ['one', 'two']);
});

t.test('a command is ended by an abort also where a second login is needed for that, while ports are forwarded', async (t) => {
  if (!(await need(t, 'sshd'))) return;
  const sshd = await startSshd({ config: ['MaxSessions 1'] });
  t.teardown(() => sshd.stop());
  const forward = async () => ({ port: await freePort(), host: '127.0.0.1', hostPort: 1 });
  const lines: string[] = [];
  const ssh = await openSsh(t, connectionTo(sshd, { localForwards: [await forward()], remoteForwards: [await forward()] }), { log: (line) => { lines.push(line); } });
  const abort = new AbortController();
  const mark = uniqueSeconds();
  // What left the command's session and does not listen to TERM is only found by who looks for it.
  const command = `setsid sh -c 'trap "" TERM HUP; echo started; sleep ${mark}; :'`;
  const result = await rejection(ssh.exec({ command, signal: abort.signal, onStdout: () => abort.abort(new Error('enough')) }));
  t.equal(result.message, 'enough');
  t.strictSame(await sleepers(ssh, mark), []);
  t.equal(lines.filter((line) => /leads to/.test(line)).length, 2, 'the ports are opened once');
});

t.test('pauseBeforeConnecting leaves the machine alone for a while once it has let us in', async (t) => {
  if (!(await need(t, 'sshd'))) return;
  const sshd = await startSshd();
  t.teardown(() => sshd.stop());
  const lines: string[] = [];
  const at = Date.now();
  const ssh = await openSsh(t, connectionTo(sshd, { pauseBeforeConnecting: 600 }), { log: (line) => { lines.push(line); } });
  t.ok(Date.now() - at >= 600);
  t.match(lines.join(), /waiting 0.6 s before connecting/);
  t.equal(sshd.connections().length, 1, 'the first connection is closed');
  t.equal((await ssh.exec({ command: 'exit 6' })).code, 6);
});

t.test('readWriteTimeout gives a connection up on which nothing comes', async (t) => {
  if (!(await need(t, 'sshd'))) return;
  const sshd = await startSshd();
  t.teardown(() => sshd.stop());
  const ssh = await openSsh(t, connectionTo(sshd, { keepaliveInterval: 0, readWriteTimeout: 400 }));
  t.match(await ssh.exec({ command: 'for i in 1 2 3 4 5 6; do echo $i; sleep 0.2; done' }), { code: 0 }, 'what talks is left alone');
  t.match(await ssh.exec({ command: 'sleep 5' }), { disconnected: true });
});
