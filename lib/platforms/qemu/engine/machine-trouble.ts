import { join } from 'node:path';
import { mkdir } from 'node:fs/promises';
import { BakeError } from '../../../core/bake-error.js';
import type { StepContext } from '../../../engine/handler.js';
import type { Qmp } from './qmp.js';
import { lastSerialLines } from './serial-log.js';

const shownLines = 15;

/** An error about a machine with what can be seen of it: the end of its serial console, and a picture of its screen. */
export async function withMachineFacts(error: unknown, { qmp, serialLog }: { readonly qmp?: Qmp | undefined; readonly serialLog: string }, ctx: StepContext): Promise<unknown> {
  if (ctx.signal.aborted || !BakeError.is(error)) return error;
  const lines = await lastSerialLines(serialLog, shownLines);
  const picture = qmp === undefined || qmp.closed.aborted ? undefined : await screenshot(qmp, ctx);
  const hint = [error.hint, picture === undefined ? undefined : `the screen is in ${picture}`, `the serial console is in ${serialLog}`].filter((part) => part !== undefined).join('; ');
  return new BakeError({
    code: error.code, source: error.source, message: error.message, hint, transient: error.transient, cause: error,
    output: [...error.output, ...(lines.length === 0 ? ['the serial console is empty'] : ['the serial console ends with:', ...lines.map((line) => `  ${line}`)])],
  });
}

/** Saves what the screen shows next to the logs; undefined if QEMU cannot. */
async function screenshot(qmp: Qmp, ctx: StepContext): Promise<string | undefined> {
  await mkdir(ctx.run.logs, { recursive: true, mode: 0o700 });
  for (const format of ['png', 'ppm'] as const) { // QEMU knows png since 7.1, if it was built with it
    const file = join(ctx.run.logs, `${ctx.token}.${format}`);
    try {
      await qmp.execute('screendump', { filename: file, ...(format === 'png' ? { format } : {}) });
      return file;
    } catch { /* the next one */ }
  }
  return undefined;
}
