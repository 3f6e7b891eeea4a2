import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Test } from 'tap';
import { BakeError } from '../../../lib/core/bake-error.js';
import type { ObjectPort } from '../../../lib/platforms/ec2/engine/object-port.js';

const signal = new AbortController().signal;
const codeOf = (work: Promise<unknown>) => work.then(() => 'ok', (error: unknown) => BakeError.from(error).code);

/** What every `ObjectPort` promises, the real one and the fake. There is a bucket `imports`, and none `not-there`. */
export async function objectContract(t: Test, objects: ObjectPort): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'bake-test-object-'));
  t.teardown(() => rmSync(folder, { recursive: true }));
  const file = join(folder, 'file');
  writeFileSync(file, Buffer.alloc(20 * 1024 ** 2, 1));
  t.equal(await codeOf(objects.checkBucket('imports', signal)), 'ok');
  t.equal(await codeOf(objects.checkBucket('not-there', signal)), 'NoSuchBucket');
  const place = { bucket: 'imports', key: 'disks/one+a b.raw' };
  t.equal(await objects.isThere(place, signal), false);
  let bytes = 0;
  await objects.upload(place, { file }, (more) => { bytes += more; }, signal);
  t.ok(bytes > 0);
  t.equal(await objects.isThere(place, signal), true);
  t.equal(await objects.isThere({ ...place, key: 'disks/one' }, signal), false, 'what begins with the same is another one');
  await objects.remove(place, signal);
  t.equal(await objects.isThere(place, signal), false);
  t.equal(await codeOf(objects.remove(place, signal)), 'ok');
}
