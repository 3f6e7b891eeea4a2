import { createServer } from 'node:http';
import t from 'tap';
import { need } from '../../support/need.js';
import { freePort, startSshd } from '../../support/sshd.js';
import { connectionTo, openSsh, rejection } from './open.js';

async function webServer(text: string): Promise<{ readonly port: number; close(): void }> {
  const server = createServer((_, response) => response.end(text)).listen(0, '127.0.0.1');
  await new Promise((resolve) => { server.once('listening', resolve); });
  return { port: (server.address() as { port: number }).port, close: () => { server.closeAllConnections(); server.close(); } };
}

const page = (port: number) => fetch(`http://127.0.0.1:${port}/`).then((answer) => answer.text());

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
