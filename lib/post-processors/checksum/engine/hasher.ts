import { createHash, type Hash } from 'node:crypto';
import { AnsweringThread } from '../../../engine/answering-thread.js';

/** One algorithm at work on what stands in shared blocks. */
export interface Hasher {
  /** Takes the first `length` bytes of a block; the block may be filled again when it resolves. */
  update(block: number, length: number): Promise<void>;
  /** The digest in hex; starts anew. */
  digest(): Promise<string>;
  close(): Promise<void>;
}

/** For little data: starting a thread takes longer than hashing it. */
export function localHasher(algorithm: string, blocks: readonly Uint8Array[]): Hasher {
  let hash: Hash = createHash(algorithm);
  return {
    async update(block, length) {
      hash.update(blocks[block]!.subarray(0, length));
    },
    async digest() {
      const digest = hash.digest('hex');
      hash = createHash(algorithm);
      return digest;
    },
    async close() {},
  };
}

const program = `
const { parentPort, workerData: { algorithm, blocks } } = require('node:worker_threads');
const { createHash } = require('node:crypto');
let hash = createHash(algorithm);
parentPort.on('message', (message) => {
  if (message === 'digest') {
    parentPort.postMessage(hash.digest('hex'));
    hash = createHash(algorithm);
  } else {
    hash.update(blocks[message.block].subarray(0, message.length));
    parentPort.postMessage('');
  }
});
`;

/** In a thread of its own: the blocks must be shared memory. */
export function threadHasher(algorithm: string, blocks: readonly Uint8Array[]): Hasher {
  const thread = new AnsweringThread<'digest' | { block: number; length: number }, string>(program, { algorithm, blocks });
  return {
    update: async (block, length) => void await thread.ask({ block, length }),
    digest: () => thread.ask('digest'),
    close: () => thread.close(),
  };
}
