import { createWriteStream } from 'node:fs';
import { pipeline } from 'node:stream/promises';

/**
 * Writes bytes to a new file, through a stream that changes them if one is given.
 * @throws what broke; the signal's reason if aborted
 */
export async function intoFile(source: AsyncIterable<Uint8Array>, part: string, signal: AbortSignal, through?: NodeJS.ReadWriteStream): Promise<void> {
  const file = createWriteStream(part, { highWaterMark: 1024 * 1024 });
  try {
    await (through === undefined ? pipeline(source, file, { signal }) : pipeline(source, through, file, { signal }));
  } catch (error) {
    signal.throwIfAborted();
    throw error;
  }
}
