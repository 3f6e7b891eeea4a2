import { pipeline, type Readable, Transform } from 'node:stream';

/** The same bytes, counted as they pass; an error of the source becomes one of the result. */
export function metered(source: Readable, onProgress: ((bytes: number, total?: number) => void) | undefined, total?: number): Readable {
  if (onProgress === undefined) return source;
  let done = 0;
  const meter = new Transform({
    transform(chunk: Uint8Array | string, _encoding, next) {
      done += Buffer.byteLength(chunk);
      onProgress(done, total);
      next(null, chunk);
    },
  });
  return pipeline(source, meter, () => {}); // the meter is destroyed with the error, and whoever reads it sees that
}
