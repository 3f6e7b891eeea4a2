import type { StepContext } from '../../../engine/handler.js';

/**
 * The address of a machine on a bridge of this computer, from the kernel's table of neighbours; it stands there once the
 * machine has said something. Linux only. Waits until the step is aborted, so give the step a timeout or the machine an address.
 */
export async function addressOnBridge(macAddress: string, ctx: StepContext): Promise<string> {
  for (let delay = 100; ; delay = Math.min(delay * 1.5, 1_000)) {
    const lines: string[] = [];
    await ctx.exec.run({ command: 'ip', args: ['-4', 'neighbour', 'show'], signal: ctx.signal, onStdout: (line) => lines.push(line) });
    const found = lines.find((line) => line.toLowerCase().includes(` lladdr ${macAddress.toLowerCase()} `));
    if (found !== undefined) return found.split(' ')[0]!;
    await ctx.clock.sleep(delay, ctx.signal);
  }
}
