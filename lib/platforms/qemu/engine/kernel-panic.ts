import { watch } from 'node:fs';
import { BakeError } from '../../../core/bake-error.js';
import { lastSerialLines } from './serial-log.js';

/** What Linux writes when it has given up for good. One that starts again by itself does not write it. */
const lastWords = /---\[ end Kernel panic - not syncing: (.*?) ?\]---/;
/** More than a kernel writes after that. */
const lines = 40;
/** On a busy computer an emulated machine gets its ticks too late, and Linux takes its timer for broken. */
const lateTicks = /IO-APIC \+ timer doesn't work/;

/** Why the kernel of a machine gave up, in its own words on the serial console; undefined if it did not, or does not say. */
export async function kernelPanic(serialLog: string): Promise<string | undefined> {
  return lastWords.exec((await lastSerialLines(serialLog, lines)).join('\n'))?.[1];
}

/** Whether another start of the same machine may go well. */
export function isByChance(panic: string): boolean {
  return lateTicks.test(panic);
}

/**
 * Rejects when the kernel of the machine gives up, and at once if it has: nobody must wait for such a machine.
 * @throws BakeError `KernelPanic`
 */
export function panicOf(serialLog: string, signal: AbortSignal): Promise<never> {
  return new Promise((_, reject) => {
    const look = async () => {
      const panic = await kernelPanic(serialLog);
      if (panic !== undefined) reject(new BakeError({ code: 'KernelPanic', source: 'platform', message: `the kernel of the machine gave up: ${panic}`, hint: 'look at its serial console, and at what it was told to boot' }));
    };
    watch(serialLog, { signal }, () => void look()).on('error', () => {}); // without it the time limit tells
    void look();
  });
}
