import { createWriteStream } from 'node:fs';
import { Readable } from 'node:stream';
import { finished } from 'node:stream/promises';
import { BakeError } from '../../../core/bake-error.js';
import type { ExecResult } from '../../../core/ports.js';
import type { StepContext } from '../../../engine/handler.js';

/** Sends bytes through a program that compresses them, into the file `part`, which the program writes itself if `writes`. */
export async function throughProgram(source: AsyncIterable<Uint8Array>, program: { readonly command: string; readonly args: readonly string[]; readonly writes: boolean }, part: string, ctx: Pick<StepContext, 'exec' | 'signal'>): Promise<void> {
  const { command, args, writes } = program;
  // Either end may break: then the program is stopped, and the end's own error is the answer.
  const broken = new AbortController();
  const stdin = Readable.from(source, { objectMode: false }).on('error', (error) => broken.abort(error));
  const stdout = writes ? undefined : createWriteStream(part, { highWaterMark: 1024 * 1024 }).on('error', (error) => broken.abort(error));
  const written = stdout === undefined ? undefined : finished(stdout);
  written?.catch(() => {}); // its error has stopped the program
  try {
    const result = await ctx.exec.run({ command, args, stdin, ...(stdout === undefined ? {} : { stdout }), env: { LC_ALL: 'C' }, signal: AbortSignal.any([ctx.signal, broken.signal]) });
    if (result.code !== 0) throw failure(command, part, result);
    await written;
  } finally {
    stdin.destroy();
    stdout?.destroy();
  }
}

function failure(command: string, part: string, { code, signal, stderr }: ExecResult): Error {
  const line = stderr.trim().split('\n').at(-1) || `it ended with ${signal ?? `exit code ${String(code)}`}`;
  // As the file system would have told us.
  if (/no space left on device/i.test(stderr)) return Object.assign(new Error(line), { code: 'ENOSPC', path: part });
  return new BakeError({ code: 'CompressFailed', source: 'platform', message: `${command} failed: ${line}`, output: stderr.split('\n') });
}
