import { connect, createServer, type Socket } from 'node:net';
import t, { type Test } from 'tap';
import { need } from '../../support/need.js';
import { freePort, startSshd } from '../../support/sshd.js';
import { connectionTo, openSsh, rejection } from './open.js';

const closed = (port: number, more: object = {}) => ({ kind: 'ssh', host: '127.0.0.1', port, user: 'root', hostKey: { policy: 'insecureAcceptAny' }, timeout: 1_500, ...more });

t.test('a machine that comes up later is let in to as soon as it is there', async (t) => {
  if (!(await need(t, 'sshd'))) return;
  const first = await startSshd();
  t.teardown(() => first.stop());
  const port = await freePort();
  let said: (line: string) => void = () => {};
  const waiting = new Promise<string>((resolve) => { said = resolve; });
  const opening = openSsh(t, connectionTo(first, { port, timeout: 30_000, hostKey: { policy: 'insecureAcceptAny' } }), { log: said });
  t.equal(await waiting, `waiting for ssh on [127.0.0.1]:${port}: connection refused`);
  const late = await startSshd({ port, authorizedKeys: [first.hostPublicKey], config: [`AuthorizedKeysFile ${first.folder}/authorized_keys`] });
  t.teardown(() => late.stop());
  const started = Date.now();
  await opening;
  t.ok(Date.now() - started < 4_000, `${Date.now() - started} ms after it listened`);
});

t.test('a forward that accepts before the machine listens costs short attempts, few at a time', async (t) => {
  if (!(await need(t, 'sshd'))) return;
  const sshd = await startSshd();
  t.teardown(() => sshd.stop());
  let silent = 3;
  let mostAtOnce = 0;
  const open = new Set<Socket>();
  const port = await listen(t, (socket) => {
    open.add(socket);
    mostAtOnce = Math.max(mostAtOnce, open.size);
    socket.on('close', () => { open.delete(socket); });
    if (silent-- > 0) return;
    const through = connect(sshd.port, '127.0.0.1');
    socket.pipe(through).pipe(socket);
    through.on('error', () => socket.destroy());
  });
  const started = Date.now();
  const ssh = await openSsh(t, connectionTo(sshd, { port, timeout: 30_000 }));
  t.ok(Date.now() - started < 15_000, `${Date.now() - started} ms`);
  t.ok(mostAtOnce <= 8, `${mostAtOnce} at once`);
  t.equal((await ssh.exec({ command: 'true' })).code, 0);
});

t.test('what a server says before its banner is passed over, in however many pieces it all comes', async (t) => {
  if (!(await need(t, 'sshd'))) return;
  const sshd = await startSshd();
  t.teardown(() => sshd.stop());
  const port = await listen(t, (socket) => {
    const through = connect(sshd.port, '127.0.0.1').on('error', () => socket.destroy());
    socket.setNoDelay().on('close', () => through.destroy()).pipe(through);
    socket.write('Welcome\r\n');
    through.once('data', (banner: Buffer) => {
      socket.write(banner.subarray(0, 2));
      setImmediate(() => {
        socket.write(banner.subarray(2));
        through.pipe(socket);
      });
    });
  });
  const ssh = await openSsh(t, connectionTo(sshd, { port, timeout: 5_000 }));
  t.equal((await ssh.exec({ command: 'true' })).code, 0);
});

t.test('when the time is over, the error says what was tried, how often, and how it ended', async (t) => {
  const refused = await rejection(openSsh(t, closed(await freePort())));
  t.match(refused, { code: 'CommunicatorTimeout', message: /within 1\.5s: \d+ attempts, the last one ended with: connection refused/ });

  const silent = await rejection(openSsh(t, closed(await listen(t, () => {}))));
  t.match(silent, { code: 'CommunicatorTimeout', message: /accepts connections, but no ssh server says hello/ });

  const web = await rejection(openSsh(t, closed(await listen(t, (socket) => socket.end('HTTP/1.1 400 Bad Request\r\n\r\n')))));
  t.match(web, { code: 'CommunicatorTimeout', message: /it answers "HTTP\/1\.1 400 Bad Request" instead of speaking ssh/ });

  const full = await rejection(openSsh(t, closed(await listen(t, (socket) => socket.end()))));
  t.match(full, { code: 'CommunicatorTimeout', message: /closed the connection without a word/ });

  const hung = await rejection(openSsh(t, closed(await listen(t, (socket) => socket.write('SSH-2.0-Hung\r\n')), { handshakeTimeout: 300 })));
  t.match(hung, { code: 'CommunicatorTimeout', message: /\d+ attempts, .*handshake/ });
});

t.test('an abort ends the waiting at once', async (t) => {
  const abort = new AbortController();
  const opening = openSsh(t, closed(await freePort(), { timeout: 60_000 }), { signal: abort.signal, log: () => abort.abort(new Error('enough')) });
  t.equal((await rejection(opening)).message, 'enough');

  const atBanner = new AbortController();
  const port = await listen(t, () => atBanner.abort(new Error('enough')));
  t.equal((await rejection(openSsh(t, closed(port, { timeout: 60_000 }), { signal: atBanner.signal }))).message, 'enough');
});

function listen(t: Test, onSocket: (socket: Socket) => void): Promise<number> {
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on('error', () => {}); // the other side may go at any time
    onSocket(socket);
  });
  t.teardown(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  return new Promise((resolve) => { server.listen(0, '127.0.0.1', () => resolve((server.address() as { port: number }).port)); });
}
