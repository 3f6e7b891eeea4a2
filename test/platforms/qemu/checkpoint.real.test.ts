// Checkpoints that are not kept: another run has saved the same one, or the disk was full. QEMU without a guest.
import { execFileSync } from 'node:child_process';
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { wholeDisk } from '../../../lib/platforms/qemu/engine/disk-layers.js';
import { machineHandler } from '../../../lib/platforms/qemu/engine/machine-handler.js';
import type { MachineSpec } from '../../../lib/platforms/qemu/steps.js';
import { need } from '../../support/need.js';
import { stepContext } from '../../support/step-context.js';

/** A qcow2 full of one letter. */
function diskOf(file: string, letter: string): void {
  writeFileSync(`${file}.raw`, Buffer.alloc(1024 * 1024, letter));
  execFileSync('qemu-img', ['convert', '-f', 'raw', '-O', 'qcow2', `${file}.raw`, file]);
  rmSync(`${file}.raw`);
}

/** Starts a machine with the disk, saves it under `homes`, and ends it. Each folder is left where it was filled, under another name than its own. */
async function saved(t: Test, file: string, homes: readonly string[]): Promise<readonly boolean[]> {
  const ctx = stepContext(t);
  const spec: MachineSpec = {
    binary: 'qemu-system-x86_64', accelerator: 'tcg', architecture: 'x86_64', cpus: 1, memory: 32 * 1024 ** 2, firmware: { type: 'bios' }, diskCache: 'unsafe', diskDiscard: 'unmap',
    diskDetectZeroes: 'off', guestPort: 22, disks: [{ file, format: 'qcow2' }],
  };
  const handle = await machineHandler.acquire(spec, ctx);
  const results = [];
  try {
    for (const home of homes) {
      mkdirSync(`${home}.part`);
      results.push(await machineHandler.checkpoint!.save(handle, { key: 'k', folder: `${home}.part`, home }, ctx) !== undefined);
    }
  } finally {
    await machineHandler.release(handle, ctx);
  }
  return results;
}

t.test('a disk is made whole of its own layers, also where another run has saved the same checkpoint first', async (t) => {
  if (!(await need(t, 'qemu'))) return;
  const folder = t.testdir();
  const [disk, home, own] = [join(folder, 'disk.qcow2'), join(folder, 'home'), join(folder, 'own.qcow2')];
  diskOf(disk, 'a');
  diskOf(own, 'a');
  t.same(await saved(t, disk, [home]), [true]);
  mkdirSync(home);
  diskOf(join(home, 'disk-0.qcow2'), 'b');
  const whole = await wholeDisk({ file: disk, format: 'qcow2' }, stepContext(t));
  t.match(execFileSync('qemu-img', ['compare', '-f', 'qcow2', '-F', 'qcow2', whole.file, own], { encoding: 'utf8' }), /identical/);
});

t.test('after a checkpoint that was not kept none is saved that would stand on it', async (t) => {
  if (!(await need(t, 'qemu'))) return;
  const folder = t.testdir();
  const disk = join(folder, 'disk.qcow2');
  diskOf(disk, 'a');
  t.same(await saved(t, disk, [join(folder, 'one'), join(folder, 'two')]), [true, false]);
});
