import { createWriteStream } from 'node:fs';
import type { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { BakeError } from '../../../core/bake-error.js';
import type { StepContext } from '../../../engine/handler.js';
import { daemonError } from './daemon-error.js';

/** Writes what the daemon sends to a file; how many bytes it was. */
export async function fileOfStream(stream: Readable, path: string, label: string, ctx: StepContext): Promise<number> {
  let received = 0;
  stream.on('data', (chunk: Uint8Array) => ctx.progress({ label, current: received += chunk.length, unit: 'bytes' }));
  try {
    await pipeline(stream, createWriteStream(path, { highWaterMark: 1024 * 1024 }), { signal: ctx.signal });
  } catch (error) {
    ctx.signal.throwIfAborted();
    if ((error as NodeJS.ErrnoException).code === 'ENOSPC') throw new BakeError({ code: 'DiskFull', message: `no room left for ${path}`, hint: 'make room on that disk, or write to another one', cause: error });
    throw daemonError(error, (reason) => ({ code: 'DockerFailed', message: `could not write ${path}: ${reason}` }));
  }
  return received;
}
