// A machine that fills this computer's disk: QEMU lets it stand still, and nobody may wait for it.
import { truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { machineHandler } from '../../../lib/platforms/qemu/engine/machine-handler.js';
import { readyHandler } from '../../../lib/platforms/qemu/engine/ready-handler.js';
import { shutdownHandler } from '../../../lib/platforms/qemu/engine/shutdown-handler.js';
import type { MachineSpec } from '../../../lib/platforms/qemu/steps.js';
import { need } from '../../support/need.js';
import { smallDisk } from '../../support/small-disk.js';
import { stepContext } from '../../support/step-context.js';

/** Writes one stretch of 32 KiB after the other by the BIOS, for ever. */
const program = Buffer.from(
  '31c08ed8be197c' // the segment 0, and where the request is
  + 'b80043b280cd13' // again: write to the first disk
  + '668106217c40000000' // 64 sectors further
  + 'ebee' // jump to again
  + '10004000000000100008000000000000', 'hex', // the request: 64 sectors from 1000:0000 to sector 2048
);

t.test('a machine that has no room left to write is not waited for', { timeout: 60_000 }, async (t) => {
  if (!(await need(t, 'qemu')) || !(await need(t, 'tmpfs'))) return;
  const ctx = stepContext(t);
  const file = join(await smallDisk(t, 2048), 'disk.raw');
  const sector = Buffer.alloc(512);
  program.copy(sector);
  sector.writeUInt16LE(0xaa55, 510);
  writeFileSync(file, sector);
  truncateSync(file, 64 * 1024 ** 2);
  const spec: MachineSpec = {
    binary: 'qemu-system-x86_64', accelerator: 'tcg', architecture: 'x86_64', cpus: 1, memory: 32 * 1024 ** 2, firmware: { type: 'bios' }, diskCache: 'unsafe', diskDiscard: 'unmap',
    diskDetectZeroes: 'off', guestPort: 22, disks: [{ file, format: 'raw' }],
  };
  const handle = await machineHandler.acquire(spec, ctx);
  const { qmp, folder, serialLog } = handle;
  try {
    await t.rejects(shutdownHandler.run({ qmp, folder, serialLog, powerButton: false, timeout: 20_000 }, ctx), { code: 'DiskFull', message: /disk0/ });
    const forEver = { ...ctx, connect: (_: unknown, signal?: AbortSignal) => new Promise<never>((__, reject) => { signal?.addEventListener('abort', () => reject(signal.reason as Error)); }) };
    await t.rejects(readyHandler.run({ connection: { kind: 'ssh' }, qmp, serialLog }, forEver), { code: 'DiskFull' }, 'also by whoever comes later');
  } finally {
    await machineHandler.release(handle, ctx);
  }
});
