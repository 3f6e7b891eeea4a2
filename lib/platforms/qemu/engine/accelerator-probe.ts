import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { BakeError } from '../../../core/bake-error.js';
import type { StepContext } from '../../../engine/handler.js';
import type { Architecture } from '../steps.js';

/** Milliseconds that a probe may take; a processor that works needs a twentieth of that. */
const patience = 1_500;

/**
 * A ROM for x86 that goes from the reset vector through protected mode to 64-bit mode with paging, as every kernel does, and
 * then writes 0x10 to the debug-exit device, which ends QEMU with code 33. Some nested hosts have a KVM that opens, and that
 * runs 16-bit code, and hangs here.
 */
const x86Rom = Buffer.alloc(0x10000);
Buffer.from(
  'fa2e660f0116c0000f20c06683c8010f22c066ea1a000f000800' // cli; lgdt; cr0.PE; ljmp to 32-bit code
  + '66b810008ed88ec08ed0bc00800000' // data segments, stack
  + '31c0bf00100000b9000c0000f3abc7050010000003200000c7050020000003300000c7050030000083000000' // page tables: one page of 2 MiB
  + 'b8001000000f22d8b8200000000f22e0b9800000c00f320d000100000f300f20c00d000000800f22c0ea85000f001800' // cr3, PAE, LME, cr0.PG; ljmp to 64-bit code
  + '31c00fa2b9102700005159e2fcb010e6f4f4ebfd' // cpuid; 10,000 × push, pop; out 0xf4; hlt
  + '8db400008d74000000000000000000ffff0000009acf00ffff00000092cf00ffff0000009aaf001f00a0000f', 'hex', // descriptors
).copy(x86Rom);
Buffer.from('ea000000f0', 'hex').copy(x86Rom, 0xfff0); // ljmp 0xf000:0

/** For ARM: asks the firmware interface (PSCI) to power the machine off, which ends QEMU with code 0. */
const armRom = Buffer.from('000180520080b072020000d400000014', 'hex'); // mov w0, #8; movk w0, #0x8400, lsl #16; hvc #0; b .

/** Whether a guest really runs with this accelerator here, told by a machine that runs a few instructions. */
export async function worksWith(accelerator: string, binary: string, architecture: Architecture, ctx: StepContext): Promise<{ readonly works: boolean; readonly reason: string }> {
  await mkdir(ctx.run.tmp, { recursive: true, mode: 0o700 });
  const rom = join(ctx.run.tmp, 'probe.rom');
  await writeFile(rom, architecture === 'x86_64' ? x86Rom : armRom);
  const machine = architecture === 'x86_64' ? ['-machine', 'pc', '-device', 'isa-debug-exit,iobase=0xf4,iosize=4'] : ['-machine', 'virt'];
  const args = [...machine, '-accel', accelerator, '-cpu', 'host', '-m', '64', '-nodefaults', '-display', 'none', '-bios', rom];
  const timeout = AbortSignal.timeout(patience);
  try {
    const { code, stderr } = await ctx.exec.run({ command: binary, args, signal: AbortSignal.any([ctx.signal, timeout]), killAfter: 100 });
    if (code === (architecture === 'x86_64' ? 33 : 0)) return { works: true, reason: '' };
    return { works: false, reason: stderr.trim().split('\n')[0] || `a test guest ended with ${code}` };
  } catch (error) {
    if (ctx.signal.aborted || BakeError.is(error)) throw error;
    return { works: false, reason: `a test guest did not run within ${patience / 1_000} s` };
  }
}
