import { createHash, type Hash } from 'node:crypto';
import { createWriteStream } from 'node:fs';
import { PassThrough, Transform } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { StepContext } from '../../../../engine/handler.js';
import type { PackedLayer, PackOptions } from '../rootfs-port.js';
import { commandFailure } from './command-failure.js';
import { compressorFor, packTree } from './pack.js';
import { stepVariable } from './spaces.js';

/** Packs a tree into `file` in one pass: both digests are taken as the bytes go by. @throws BakeError as `packTree` */
export async function packLayer(tree: string, file: string, { clampTime, compression }: PackOptions, ctx: StepContext): Promise<PackedLayer> {
  const plain = new Digest();
  const packed = new Digest();
  const failure = new AbortController();
  const signal = AbortSignal.any([ctx.signal, failure.signal]);
  const inner = { ...ctx, signal };
  const work: Promise<void>[] = [packTree(tree, { stream: plain }, { clampTime, compression: 'none' }, inner)];
  if (compression === 'none') {
    work.push(pipeline(plain, packed, createWriteStream(file), { signal }));
  } else {
    const [command, ...args] = await compressorFor(compression, ctx);
    const stdin = new PassThrough();
    const compress = ctx.exec.run({ command, args: [...args, '-c'], stdin, stdout: packed, signal, env: { [stepVariable]: ctx.token } }).then((result) => {
      if (result.code !== 0) throw commandFailure(result, { code: 'RootfsPackFailed', what: 'the layer could not be compressed', where: file });
    });
    work.push(pipeline(plain, stdin, { signal }), compress, pipeline(packed, createWriteStream(file), { signal }));
  }
  await Promise.all(work.map((part) => part.catch((error: unknown) => { failure.abort(error); throw error; })));
  return { digest: `sha256:${packed.hex()}`, size: packed.size, diffId: `sha256:${plain.hex()}` };
}

/** Passes bytes on, counting and hashing them. */
class Digest extends Transform {
  readonly #hash: Hash = createHash('sha256');
  #hex: string | undefined;
  size = 0;

  override _transform(chunk: Buffer, _encoding: BufferEncoding, next: (error: Error | null, chunk: Buffer) => void): void {
    this.#hash.update(chunk);
    this.size += chunk.byteLength;
    next(null, chunk);
  }
  hex(): string {
    return (this.#hex ??= this.#hash.digest('hex'));
  }
}
