// Machines of all sorts, started and ended by their handler alone.
import { readdirSync, readFileSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { machineHandler, type MachineHandle } from '../../../lib/platforms/qemu/engine/machine-handler.js';
import { Qmp } from '../../../lib/platforms/qemu/engine/qmp.js';
import type { MachineSpec } from '../../../lib/platforms/qemu/steps.js';
import { need } from '../../support/need.js';
import { stepContext } from '../../support/step-context.js';
import { writeTypingDisk } from './typing-disk.js';

const commandLines = () => readdirSync('/proc').filter((name) => /^\d+$/.test(name)).map((pid) => {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8');
  } catch {
    return '';
  }
});

/** Starts a machine with the typing disk, hands it on, and ends it; nothing of it is left then. */
async function withMachine(t: Test, more: Partial<MachineSpec>, use: (handle: MachineHandle) => Promise<void>): Promise<void> {
  const ctx = stepContext(t);
  const file = join(t.testdir(), 'typing.raw');
  writeTypingDisk(file);
  const spec: MachineSpec = {
    binary: 'qemu-system-x86_64', accelerator: 'tcg', architecture: 'x86_64', cpus: 1, memory: 256 * 1024 ** 2, firmware: { type: 'bios' }, diskCache: 'unsafe', diskDiscard: 'unmap',
    diskDetectZeroes: 'off', guestPort: 22, disks: [{ file, format: 'raw' }], ...more,
  };
  const handle = await machineHandler.acquire(spec, ctx);
  try {
    await use(handle);
    t.same((await machineHandler.find(ctx.token, spec, ctx))?.folder, handle.folder, 'it is found by its token');
  } finally {
    await machineHandler.release(handle, ctx);
    await machineHandler.release(handle, ctx);
  }
  t.same(commandLines().filter((line) => line.includes(handle.folder)), [], 'no process of it is left');
  t.equal(await machineHandler.find(ctx.token, spec, ctx), undefined);
}

/** The ways of logging in that a VNC server offers: RFC 6143, 7.1.2. */
function vncSecurity(port: number): Promise<readonly number[]> {
  return new Promise((resolve, reject) => {
    const socket = connect(port, '127.0.0.1').on('error', reject);
    let greeted = false;
    socket.on('data', (data) => {
      if (!greeted) {
        greeted = true;
        socket.write(data); // the same version
        return;
      }
      socket.destroy();
      resolve([...data.subarray(1, 1 + data[0]!)]);
    });
  });
}

t.test('a screen by VNC asks for its password, which is in no argument', async (t) => {
  if (!(await need(t, 'qemu'))) return;
  await withMachine(t, { vnc: { portMin: 5_950, portMax: 5_999, password: 'hunter2' } }, async ({ vnc }) => {
    t.match(vnc, /^127\.0\.0\.1:59[5-9]\d$/);
    t.same(await vncSecurity(Number(vnc.split(':')[1])), [2], 'VNC authentication only');
    t.notOk(commandLines().some((line) => line.includes('hunter2')));
  });
  await withMachine(t, { vnc: {} }, async ({ vnc }) => { t.same(await vncSecurity(Number(vnc.split(':')[1])), [1], 'without a password nobody is asked'); });
});

t.test('UEFI with secure boot and a TPM; every disk interface; several CPUs with a topology; published ports', async (t) => {
  if (!(await need(t, 'qemu'))) return;
  await withMachine(t, { firmware: { type: 'uefi', secureBoot: true }, tpm: '2.0' }, async ({ qmp, efiVars, folder }) => {
    t.ok(efiVars.startsWith(folder), 'it has variables of its own');
    const control = await Qmp.connect(qmp);
    t.match(await control.execute('query-tpm'), [{ model: 'tpm-tis' }]);
    control.close();
  });
  for (const diskInterface of ['virtio-scsi', 'ide', 'sata', 'nvme', 'usb'] as const) {
    const machine = diskInterface === 'ide' ? 'pc' : 'q35';
    await withMachine(t, { diskInterface, machine, cpus: 4, topology: { sockets: 1, cores: 2, threads: 2 }, publish: [80, 443], netDevice: 'e1000e' }, async ({ qmp, ports }) => {
      t.same(Object.keys(ports), ['80', '443']);
      const control = await Qmp.connect(qmp);
      t.equal((await control.execute('query-cpus-fast') as readonly unknown[]).length, 4, diskInterface);
      control.close();
    });
  }
});
