import { mkdtempSync, rmSync } from 'node:fs';
import { createServer, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import type { Communicator, RemoteCommand } from '../../../lib/core/communicator.js';
import { shutdownHandler } from '../../../lib/platforms/qemu/engine/shutdown-handler.js';
import { stepContext } from '../../support/step-context.js';

interface FakeQemu {
  readonly qmp: string;
  readonly asked: readonly string[];
  /** Sends an event to whoever is connected. */
  readonly say: (event: object) => void;
  readonly end: () => void;
}

/** Speaks as much of QMP as a shutdown needs: a greeting, an empty answer to each command, the state "running", events. */
async function fakeQemu(t: Test, onCommand: (command: string, qemu: FakeQemu) => void = () => {}): Promise<FakeQemu> {
  const asked: string[] = [];
  const sockets = new Set<Socket>();
  const folder = mkdtempSync(join(tmpdir(), 'bake-test-qmp-')); // short, as the path of a socket must be
  const qmp = join(folder, 'qmp');
  const qemu: FakeQemu = {
    qmp, asked,
    say: (event) => { for (const socket of sockets) socket.write(`${JSON.stringify(event)}\n`); },
    end: () => { for (const socket of sockets) socket.end(); },
  };
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on('error', () => {});
    socket.write('{"QMP":{}}\n');
    socket.on('data', (chunk) => {
      for (const line of chunk.toString().split('\n').filter((text) => text !== '')) {
        const { execute, id } = JSON.parse(line) as { readonly execute: string; readonly id: number };
        asked.push(execute);
        socket.write(`${JSON.stringify({ id, return: execute === 'query-status' ? { status: 'running' } : {} })}\n`);
        onCommand(execute, qemu);
      }
    });
  });
  await new Promise<void>((resolve) => { server.listen(qmp, resolve); });
  t.teardown(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
    rmSync(folder, { recursive: true, force: true });
  });
  return qemu;
}

const specOf = ({ qmp }: FakeQemu) => ({ qmp, folder: '/tmp/no-machine-has-this-folder', serialLog: '/nowhere.log', powerButton: true, timeout: 300 });
const off = { event: 'SHUTDOWN', data: { guest: true, reason: 'guest-shutdown' } };

t.test('the guest switches itself off after the power button was pressed', async (t) => {
  const qemu = await fakeQemu(t, (command, { say }) => { if (command === 'system_powerdown') say(off); });
  await shutdownHandler.run(specOf(qemu), stepContext(t));
  t.ok(qemu.asked.includes('quit'));
});

t.test('the time counts for the shutdown command as well', async (t) => {
  const qemu = await fakeQemu(t);
  const exec = ({ command }: RemoteCommand) => {
    t.equal(command, 'hangs');
    return new Promise<never>(() => {});
  };
  const ctx = stepContext(t, { connect: () => ({ exec }) as Partial<Communicator> as Communicator });
  await t.rejects(shutdownHandler.run({ ...specOf(qemu), connection: { kind: 'fake' }, command: 'hangs' }, ctx), { code: 'ShutdownTimeout', message: /0\.3 s after it was told/ });
});

t.test('QEMU that is ended from outside is no machine that was shut down', async (t) => {
  const qemu = await fakeQemu(t, (command, { say, end }) => {
    if (command !== 'system_powerdown') return;
    say({ event: 'SHUTDOWN', data: { guest: false, reason: 'host-signal' } });
    end();
  });
  await t.rejects(shutdownHandler.run(specOf(qemu), stepContext(t)), { code: 'MachineGone', hint: /its disk may not be whole/ });
});
