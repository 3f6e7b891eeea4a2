import { type PassThrough, Writable } from 'node:stream';

/**
 * Writes into `target` as long as that takes something, and throws away what comes after. A program that still has its
 * last padding to write must not hang because the other side has read enough and gone.
 */
export function lenientSink(target: PassThrough): Writable {
  return new Writable({
    write(chunk: Buffer, _encoding, next) {
      if (target.destroyed || target.write(chunk)) return next();
      const proceed = () => {
        target.off('drain', proceed).off('close', proceed);
        next();
      };
      target.on('drain', proceed).on('close', proceed);
    },
    final(next) {
      target.end();
      next();
    },
  });
}
