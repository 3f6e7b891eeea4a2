import { createHash } from 'node:crypto';
import { BakeError } from '../../../core/bake-error.js';
import type { FakeEc2Options } from './fake-ec2.js';
import type { FakeVolumes } from './fake-volumes.js';
import { type BlockRequest, blockSize, type StartRequest, type UploadPort, type UploadSum } from './upload-port.js';

type Snapshot = ReturnType<FakeVolumes['addSnapshot']> & { readonly request: string; readonly gibibytes: number; readonly blocks: Map<number, Buffer>; isSealed: boolean };

/** Snapshots of what is no volume, in memory; fake-uploads.md says what they promise. */
export class FakeUploads implements UploadPort {
  readonly #volumes: FakeVolumes;
  readonly #options: Pick<FakeEc2Options, 'boundary'>;
  readonly #byToken = new Map<string, Snapshot>();

  constructor(volumes: FakeVolumes, options: Pick<FakeEc2Options, 'boundary'> = {}) {
    this.#volumes = volumes;
    this.#options = options;
  }

  /** What has been put, by its place. */
  blocks(id: string): ReadonlyMap<number, Buffer> {
    return this.#snapshot(id).blocks;
  }

  start({ clientToken, ...request }: StartRequest): Promise<string> {
    return this.#change('StartSnapshot', () => {
      const text = JSON.stringify(request);
      const known = this.#byToken.get(clientToken);
      if (known !== undefined && known.request !== text) throw refused(`${clientToken} was used for another request`);
      if (known !== undefined) return known.id;
      const snapshot: Snapshot = { ...this.#volumes.addSnapshot(request.tags), request: text, gibibytes: request.gibibytes, blocks: new Map(), isSealed: false };
      this.#byToken.set(clientToken, snapshot);
      return snapshot.id;
    });
  }

  put(id: string, { index, data, sha256 }: BlockRequest): Promise<void> {
    return this.#change('PutSnapshotBlock', () => {
      const snapshot = this.#open(id);
      if (data.byteLength !== blockSize || index < 0 || (index + 1) * blockSize > snapshot.gibibytes * 1024 ** 3) throw refused(`block ${index} of ${data.byteLength} bytes`);
      if (!createHash('sha256').update(data).digest().equals(sha256)) throw refused(`the sum of block ${index} is wrong`);
      snapshot.blocks.set(index, Buffer.from(data));
    });
  }

  complete(id: string, { blocks, sha256 }: UploadSum): Promise<void> {
    return this.#change('CompleteSnapshot', () => {
      const snapshot = this.#open(id);
      const linear = createHash('sha256');
      for (const [, data] of [...snapshot.blocks].sort(([a], [b]) => a - b)) linear.update(createHash('sha256').update(data).digest());
      if (snapshot.blocks.size !== blocks || !linear.digest().equals(sha256)) throw refused('not all blocks are there, or not as they were sent');
      snapshot.isSealed = true;
      snapshot.complete();
    });
  }

  #snapshot(id: string): Snapshot {
    const found = [...this.#byToken.values()].find((one) => one.id === id);
    if (found === undefined || !found.isThere()) throw new BakeError({ code: 'Ec2NotFound', message: `there is no ${id}` });
    return found;
  }

  #open(id: string): Snapshot {
    const snapshot = this.#snapshot(id);
    if (!snapshot.isSeen()) throw new BakeError({ code: 'Ec2NotFound', message: `there is no ${id} yet` });
    if (snapshot.isSealed) throw refused(`${id} is completed`);
    return snapshot;
  }

  async #change<T>(call: string, work: () => T): Promise<T> {
    await this.#options.boundary?.(call, 'before');
    const result = work();
    await this.#options.boundary?.(call, 'after');
    return result;
  }
}

function refused(message: string): BakeError {
  return new BakeError({ code: 'Ec2Refused', message });
}
