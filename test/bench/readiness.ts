// How long after a guest's sshd listens are we in? `node --import tsx test/bench/readiness.ts [runs]`. In front of the sshd stands what
// QEMU's port forward is to a guest that boots: it accepts connections, and those from before are never answered.
import { connect, createServer, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { performance } from 'node:perf_hooks';
import { sshExtension } from '../../lib/communicators/ssh/communicator.js';
import { systemClock } from '../../lib/toolkit/host/clock.js';
import { systemExec } from '../../lib/toolkit/host/exec.js';
import { startSshd } from '../support/sshd.js';
import { median } from './measure.js';

const runs = Number(process.argv[2] ?? 10);
const sshd = await startSshd();
const open = await sshExtension.communicators!['ssh']!();
const delays: number[] = [];
try {
  for (let run = 0; run < runs; run++) delays.push(await connectAfter(5_000 + run * 730));
} finally {
  await sshd.stop();
}
console.log(`from sshd listening to connected: median ${median(delays).toFixed(0)} ms of ${runs} runs (${delays.map((delay) => delay.toFixed(0)).join(', ')})`);

/** Milliseconds from the moment at which the guest listens, this long after the first attempt. */
async function connectAfter(boot: number): Promise<number> {
  let listens = Infinity;
  const sockets: Socket[] = [];
  const forward = createServer((socket) => {
    sockets.push(socket);
    socket.on('error', () => {});
    if (performance.now() < listens) return;
    const guest = connect(sshd.port, sshd.host).on('error', () => {});
    socket.pipe(guest).pipe(socket);
  }).listen(0, '127.0.0.1');
  await new Promise((resolve) => { forward.once('listening', resolve); });
  const { port } = forward.address() as { readonly port: number };
  listens = performance.now() + boot;
  const communicator = await open(
    { kind: 'ssh', host: sshd.host, port, user: sshd.user, privateKeyFile: sshd.privateKeyFile, hostKey: { policy: 'publicKey', keys: [sshd.hostPublicKey] } },
    { exec: systemExec(), clock: systemClock, signal: new AbortController().signal, tmp: tmpdir(), log: () => {} },
  );
  const delay = performance.now() - listens;
  await communicator.close();
  for (const socket of sockets) socket.destroy();
  forward.close();
  return delay;
}
