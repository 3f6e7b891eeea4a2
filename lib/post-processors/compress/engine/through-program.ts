import { createWriteStream } from 'node:fs';
import { Readable } from 'node:stream';
import { finished } from 'node:stream/promises';
import { BakeError } from '../../../core/bake-error.js';
import type { StepContext } from '../../../engine/handler.js';

/** Sends bytes through a program that compresses them, into the file `part`. */
export async function throughProgram(source: AsyncIterable<Uint8Array>, program: { readonly command: string; readonly args: readonly string[] }, part: string, ctx: Pick<StepContext, 'exec' | 'signal'>): Promise<void> {
  // Either end may break: then the program is stopped, and the end's own error is the answer.
  const broken = new AbortController();
  const stdin = Readable.from(source, { objectMode: false }).on('error', (error) => broken.abort(error));
  const stdout = createWriteStream(part, { highWaterMark: 1024 * 1024 }).on('error', (error) => broken.abort(error));
  const written = finished(stdout);
  written.catch(() => {}); // its error has stopped the program
  try {
    const { code, signal, stderr } = await ctx.exec.run({ ...program, stdin, stdout, signal: AbortSignal.any([ctx.signal, broken.signal]) });
    if (code !== 0) {
      const [line = `it ended with ${signal ?? `exit code ${String(code)}`}`] = stderr.trim().split('\n').slice(-1);
      throw new BakeError({ code: 'CompressFailed', source: 'platform', message: `${program.command} failed: ${line}`, output: stderr.split('\n') });
    }
    await written;
  } finally {
    stdin.destroy();
    stdout.destroy();
  }
}
