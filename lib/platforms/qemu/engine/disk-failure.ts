import { BakeError } from '../../../core/bake-error.js';
import type { Qmp } from './qmp.js';

interface BlockInfo {
  readonly device: string;
  readonly 'io-status'?: 'ok' | 'failed' | 'nospace';
}

/**
 * Rejects when the machine stands still because a disk of it cannot be written or read, which QEMU does to a machine that would
 * else lose data, and at once if it does already. Nothing in it goes on then, so nobody must wait for it.
 * @throws BakeError `DiskFull`, `DiskFailed`
 */
export function diskFailure(qmp: Qmp): Promise<never> {
  return new Promise((_, reject) => {
    const look = async (): Promise<void> => {
      const { status } = await qmp.execute('query-status') as { readonly status: string };
      if (status !== 'io-error') return;
      const disks = await qmp.execute('query-block') as unknown as readonly BlockInfo[];
      reject(failureOf(disks.find(({ 'io-status': state }) => state !== undefined && state !== 'ok')));
    };
    qmp.onEvent(({ event }) => { if (event === 'STOP') look().catch(() => {}); });
    look().catch(() => {}); // QEMU's end is told elsewhere
  });
}

function failureOf(disk: BlockInfo | undefined): BakeError {
  if (disk?.['io-status'] === 'nospace') {
    return new BakeError({ code: 'DiskFull', source: 'platform', message: `this computer's disk is full, so the machine cannot write to its ${disk.device} and stands still`, hint: 'make room on the disk where the image is made, or give an output on another one' });
  }
  return new BakeError({ code: 'DiskFailed', source: 'platform', message: `the machine cannot use its ${disk?.device ?? 'disk'} and stands still: reading or writing failed`, hint: "look at this computer's own disk" });
}
