import { createHash } from 'node:crypto';
import type { Test } from 'tap';
import { BakeError } from '../../../lib/core/bake-error.js';
import { blockSize, type UploadPort } from '../../../lib/platforms/ec2/engine/upload-port.js';
import type { VolumePort } from '../../../lib/platforms/ec2/engine/volume-port.js';

export interface UploadSubject {
  readonly uploads: UploadPort;
  readonly storage: VolumePort;
  /** Lets the time pass that states take. */
  readonly settle: () => Promise<void>;
  /** What a block holds in the end. */
  readonly read: (id: string, index: number) => Promise<Uint8Array | undefined>;
  /** What the server is known to do otherwise; the rule is not held to it. */
  readonly differs?: ReadonlySet<'client tokens' | 'checks' | 'states' | 'unknown snapshots'>;
}

const signal = new AbortController().signal;
const codeOf = (work: Promise<unknown>) => work.then(() => 'ok', (error: unknown) => BakeError.from(error).code);
const sum = (data: Uint8Array) => createHash('sha256').update(data).digest();
const blockOf = (index: number, byte: number) => {
  const data = Buffer.alloc(blockSize, byte);
  return { index, data, sha256: sum(data) };
};

/** What every `UploadPort` promises, the real one and the fake; the rules' numbers are those of fake-uploads.md. */
export async function uploadContract(t: Test, { uploads, storage, settle, read, differs = new Set() }: UploadSubject): Promise<void> {
  const tags = (name: string) => ({ 'bake:token': `${name}-${process.pid}`, 'bake:state': 'temporary' });
  const request = { clientToken: `upload-${process.pid}`, gibibytes: 2, description: 'contract', tags: tags('one') };
  const id = await uploads.start(request, signal);
  t.match(id, /^snap-/);
  await settle();
  t.match(await storage.snapshots({ tags: tags('one') }, signal), [{ id, tags: tags('one'), ...(differs.has('states') ? {} : { state: 'pending' }) }], '1');
  if (!differs.has('client tokens')) {
    t.equal(await uploads.start(request, signal), id, '1');
    t.equal(await codeOf(uploads.start({ ...request, gibibytes: 3 }, signal)), 'Ec2Refused', '1');
  }
  const [first, last] = [blockOf(0, 1), blockOf(4095, 2)];
  await uploads.put(id, blockOf(4095, 9), signal);
  await uploads.put(id, last, signal);
  await uploads.put(id, first, signal);
  if (!differs.has('checks')) {
    t.equal(await codeOf(uploads.put(id, { ...first, sha256: last.sha256 }, signal)), 'Ec2Refused', '3');
    t.equal(await codeOf(uploads.put(id, blockOf(4096, 1), signal)), 'Ec2Refused', '3');
    t.equal(await codeOf(uploads.put(id, { ...first, data: first.data.subarray(1) }, signal)), 'Ec2Refused', '3');
    t.equal(await codeOf(uploads.complete(id, { blocks: 1, sha256: sum(first.sha256) }, signal)), 'Ec2Refused', '4');
    t.equal(await codeOf(uploads.complete(id, { blocks: 2, sha256: sum(Buffer.concat([last.sha256, first.sha256])) }, signal)), 'Ec2Refused', '4');
  }
  await uploads.complete(id, { blocks: 2, sha256: sum(Buffer.concat([first.sha256, last.sha256])) }, signal);
  await settle();
  t.match(await storage.snapshots({ ids: [id] }, signal), [{ state: 'completed' }], '4');
  t.same([await read(id, 0), await read(id, 4095), await read(id, 1)].map((data) => data?.[0]), [1, 2, undefined], '3');
  if (!differs.has('checks')) t.equal(await codeOf(uploads.put(id, first, signal)), 'Ec2Refused', '4');

  const other = await uploads.start({ ...request, clientToken: `other-${process.pid}`, tags: tags('other') }, signal);
  t.not(other, id);
  await settle();
  if (!differs.has('states')) t.match(await storage.snapshots({ ids: [other] }, signal), [{ state: 'pending' }], '5');
  for (const one of [id, other]) await storage.deleteSnapshot(one, signal);
  t.equal(await codeOf(storage.snapshots({ ids: [other] }, signal)), 'Ec2NotFound', '5');
  if (!differs.has('unknown snapshots')) t.equal(await codeOf(uploads.put(other, first, signal)), 'Ec2NotFound', '2');
}
