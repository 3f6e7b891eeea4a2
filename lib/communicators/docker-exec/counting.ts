import { Transform } from 'node:stream';

/** A stream that lets everything through and says how many bytes each piece had. */
export function counting(onBytes: (bytes: number) => void): Transform {
  return new Transform({
    transform(chunk: Uint8Array, _encoding, done) {
      onBytes(chunk.length);
      done(null, chunk);
    },
  });
}
