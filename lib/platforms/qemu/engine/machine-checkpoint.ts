import { access, copyFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { BakeError } from '../../../core/bake-error.js';
import { shellQuote } from '../../../core/quote.js';
import type { Checkpointing, CheckpointPlace, StepContext } from '../../../engine/handler.js';
import type { Disk, MachineSpec } from '../steps.js';
import { keepLayer, layersOf, nextLayer, savedName } from './disk-layers.js';
import type { MachineHandle } from './machine-handler.js';
import { Qmp } from './qmp.js';
import type { Resumption } from './start-machine.js';

const memoryFile = 'memory';
const varsFile = 'efivars.fd';
/** Bytes per second; without it QEMU is polite to a network that is not there. */
const bandwidth = 100 * 1024 ** 3;

interface BlockInfo {
  readonly device: string;
  readonly inserted?: { readonly 'node-name': string; readonly image: { readonly 'virtual-size': number; readonly 'full-backing-filename'?: string } };
}

/**
 * A machine with its memory, as it runs: QEMU writes its state to a file, and goes on on new layers of its disks. A build
 * that goes on from there finds it booted.
 */
export function machineCheckpoint(start: (spec: MachineSpec, resumption: Resumption, ctx: StepContext) => Promise<MachineHandle>): Checkpointing<MachineSpec, MachineHandle> {
  return {
    alone: [memoryFile, varsFile],
    async save(handle, place, ctx) {
      const { disks, efiVars } = handle;
      const qmp = await Qmp.connect(handle.qmp);
      try {
        const { running } = await qmp.execute('query-status') as { readonly running: boolean };
        if (!running) throw new BakeError({ code: 'MachineNotRunning', source: 'platform', message: 'the machine does not run' });
        if (!(await standsOn(place.parent?.home, disks, qmp))) return undefined;
        await qmp.execute('stop');
        const below: Disk[] = [];
        try {
          for (const [index, disk] of disks.entries()) below.push(await freeze(qmp, disk, index, place, ctx));
          await saveMemory(qmp, join(place.folder, memoryFile), ctx);
          if (efiVars !== '') await copyFile(efiVars, join(place.folder, varsFile));
        } finally {
          await qmp.execute('cont');
        }
        for (const [index, disk] of below.entries()) await keepLayer(disk, join(place.folder, savedName(index, disk)), ctx);
        return { efiVars: efiVars !== '' };
      } finally {
        qmp.close();
      }
    },
    restore({ folder, saved }, spec, ctx) {
      return start(spec, { memory: join(folder, memoryFile), ...(saved['efiVars'] === true ? { efiVars: join(folder, varsFile) } : {}) }, ctx);
    },
  };
}

/** Whether what is below the disks' top layers is kept in this checkpoint. If the last one was not kept, for example because another run had saved the same, a new one would stand on what is not its own. */
async function standsOn(home: string | undefined, disks: readonly Disk[], qmp: Qmp): Promise<boolean> {
  for (const [index, disk] of disks.entries()) {
    if ((await layersOf(disk)).length === 1) continue;
    const base = (await blockOf(qmp, index)).image['full-backing-filename'];
    if (base === undefined || dirname(base) !== home) return false;
  }
  return true;
}

type Block = NonNullable<BlockInfo['inserted']>;

/** @throws BakeError `CheckpointUnsupported` */
async function blockOf(qmp: Qmp, index: number): Promise<Block> {
  const device = `disk${index}`;
  const block = (await qmp.execute('query-block') as unknown as readonly BlockInfo[]).find((one) => one.device === device)?.inserted;
  if (block === undefined) throw new BakeError({ code: 'CheckpointUnsupported', source: 'platform', message: `QEMU has no disk "${device}", so its state cannot be saved`, hint: 'leave the default disk arguments in "qemuArgs"' });
  return block;
}

/** Lets the machine go on on a new layer, and returns the one below, which nobody writes to any more. */
async function freeze(qmp: Qmp, disk: Disk, index: number, place: CheckpointPlace, ctx: StepContext): Promise<Disk> {
  const now = await blockOf(qmp, index);
  const { below, layer } = await nextLayer(disk, (kept) => join(place.home, savedName(index, kept)), now.image['virtual-size'], ctx);
  const node = `disk${index}-${layer.file.slice(disk.file.length + 1)}`;
  await qmp.execute('blockdev-add', { 'driver': 'qcow2', 'node-name': node, 'file': { driver: 'file', filename: layer.file }, 'backing': null, 'discard': 'unmap', 'detect-zeroes': 'off' });
  await qmp.execute('blockdev-snapshot', { node: now['node-name'], overlay: node });
  return below;
}

async function saveMemory(qmp: Qmp, file: string, ctx: StepContext): Promise<void> {
  await qmp.execute('migrate-set-parameters', { 'max-bandwidth': bandwidth });
  const [to, part, failed] = [file, `${file}.part`, `${file}.failed`].map(shellQuote);
  await qmp.execute('migrate', { uri: `exec:cat > ${part} && mv ${part} ${to} || touch ${failed}` });
  await untilMigrated(qmp, 'its memory could not be saved', ctx);
  // QEMU has said all; what reads it may still be writing.
  for (let delay = 5; !(await isThere(file)); delay = Math.min(delay * 1.5, 100)) {
    if (await isThere(`${file}.failed`)) throw new BakeError({ code: 'MigrationFailed', source: 'platform', message: 'its memory could not be saved: the file could not be written to its end' });
    await ctx.clock.sleep(delay, ctx.signal);
  }
}

function isThere(path: string): Promise<boolean> {
  return access(path).then(() => true, () => false);
}

/** Waits for a migration, in or out, to come to its end. */
export async function untilMigrated(qmp: Qmp, failure: string, ctx: Pick<StepContext, 'clock' | 'signal'>): Promise<void> {
  for (let delay = 5; ; delay = Math.min(delay * 1.5, 100)) {
    const { status, 'error-desc': reason } = await qmp.execute('query-migrate') as { readonly 'status'?: string; readonly 'error-desc'?: string };
    if (status === 'completed') return;
    if (status === 'failed' || status === 'cancelled') throw new BakeError({ code: 'MigrationFailed', source: 'platform', message: `${failure}: ${reason ?? status}` });
    await ctx.clock.sleep(delay, ctx.signal);
  }
}
