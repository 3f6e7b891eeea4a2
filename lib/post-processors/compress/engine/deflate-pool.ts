import { AnsweringThread } from '../../../engine/answering-thread.js';

const program = `
const { parentPort, workerData: { level } } = require('node:worker_threads');
const { constants, deflateRawSync } = require('node:zlib');
parentPort.on('message', ({ block, dictionary }) => {
  const options = { level, memLevel: 9, finishFlush: constants.Z_SYNC_FLUSH, chunkSize: block.length + 65536 };
  if (dictionary.length > 0) options.dictionary = dictionary;
  const out = deflateRawSync(block, options);
  const isOwn = out.buffer.byteLength > 65536; // a small one lies in memory that others share
  parentPort.postMessage(out, isOwn ? [out.buffer] : []);
});
`;

interface Job {
  readonly block: Uint8Array<ArrayBuffer>;
  readonly dictionary: Uint8Array;
}

/** Deflates blocks of one stream in several threads, which start as they are needed. */
export class DeflatePool {
  readonly #level: number;
  readonly #size: number;
  readonly #threads: AnsweringThread<Job, Uint8Array>[] = [];

  constructor(options: { readonly level: number; readonly threads: number }) {
    this.#level = options.level;
    this.#size = options.threads;
  }

  /** A block as raw deflate data up to a byte boundary; `dictionary` is what came before it in the stream. The block's memory is gone afterwards. */
  deflate(block: Uint8Array<ArrayBuffer>, dictionary: Uint8Array): Promise<Uint8Array> {
    const idle = this.#threads.find(({ waiting }) => waiting === 0) ?? this.#start();
    const thread = idle ?? this.#threads.reduce((a, b) => (b.waiting < a.waiting ? b : a));
    return thread.ask({ block, dictionary }, [block.buffer]);
  }

  async close(): Promise<void> {
    await Promise.all(this.#threads.map((thread) => thread.close()));
  }

  #start(): AnsweringThread<Job, Uint8Array> | undefined {
    if (this.#threads.length >= this.#size) return undefined;
    const thread = new AnsweringThread<Job, Uint8Array>(program, { level: this.#level });
    this.#threads.push(thread);
    return thread;
  }
}
