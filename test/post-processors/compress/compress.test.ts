import { createHash } from 'node:crypto';
import { appendFileSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import fc from 'fast-check';
import t from 'tap';
import { BakeError } from '../../../lib/core/bake-error.js';
import type { Exec } from '../../../lib/core/ports.js';
import { compressHandler } from '../../../lib/post-processors/compress/engine/compress-handler.js';
import { gzip } from '../../../lib/post-processors/compress/engine/gzip.js';
import { formatOf } from '../../../lib/post-processors/compress/format.js';
import { stepContext } from '../../support/step-context.js';
import { artifactOf, diskLike, imageArtifact, writeArtifact } from '../file-artifact.js';

/** A computer without any program. */
const bareExec: Exec = { run: async ({ command }) => { throw new BakeError({ code: 'CommandNotFound', message: `no ${command}` }); } };

async function zipped(chunks: readonly Uint8Array[], threads: number, level = 4): Promise<Buffer> {
  async function* source() { yield* chunks; }
  const parts: Uint8Array[] = [];
  for await (const part of gzip(source(), level, threads)) parts.push(part);
  return Buffer.concat(parts);
}

t.test('what is gzipped in parallel comes out as it went in, however it was cut up', async (t) => {
  await fc.assert(fc.asyncProperty(fc.array(fc.uint8Array({ maxLength: 3_000 }), { maxLength: 8 }), fc.integer({ min: 1, max: 9 }), async (chunks, level) => {
    t.ok(gunzipSync(await zipped(chunks, 2, level)).equals(Buffer.concat(chunks)));
  }), { numRuns: 15 });
});

t.test('the bytes of a gzip depend neither on the number of threads nor on how the input arrived', async (t) => {
  const content = diskLike(3 * 1024 * 1024 + 77);
  const one = await zipped([content], 1);
  const many = await zipped([content.subarray(0, 1), content.subarray(1, 1_500_000), content.subarray(1_500_000)], 4);
  t.ok(one.equals(many));
  t.ok(gunzipSync(one).equals(content));
  t.same([...one.subarray(0, 10)], [0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 255], 'no name and no time in the header');
});

t.test('a name says the format', async (t) => {
  t.same(['a.tar.gz', 'a.TGZ', 'b.img.gz', 'b.img.zst', 'c.tzst', 'd.txz', 'd.tar', 'e.zip', 'f.tar.lz4', 'plain', 'gz'].map(formatOf), [
    'tar.gz', 'tar.gz', 'gz', 'zst', 'tar.zst', 'tar.xz', 'tar', 'zip', 'tar.lz4', undefined, undefined,
  ]);
});

t.test('the artifact is the compressed file, and progress counts the input', async (t) => {
  const ctx = stepContext(t);
  const artifact = writeArtifact(ctx.run.project, { 'disk.img': diskLike(4 * 1024 * 1024) });
  const handle = await compressHandler.acquire({ artifact, output: 'dist/disk.img.gz' }, ctx);
  const path = join(ctx.run.project, 'dist/disk.img.gz');
  t.match(handle, { path, artifact: { type: 'files', id: path, files: [{ path, size: readFileSync(path).length }], data: { format: 'gz', inputSize: 4 * 1024 * 1024 } } });
  t.match(ctx.progressed.at(-1), { label: 'compressing', current: 4 * 1024 * 1024, total: 4 * 1024 * 1024, unit: 'bytes' });
  const currents = ctx.progressed.map(({ current }) => current);
  t.same(currents, [...currents].sort((a, b) => a - b));
});

t.test('two runs on the same input give the same bytes, whatever the dates of the files', async (t) => {
  for (const format of ['tar', 'tar.gz', 'zip', 'gz'] as const) {
    const digests: string[] = [];
    for (const [round, order] of [['b.txt', 'a/c.txt'], ['a/c.txt', 'b.txt']].entries()) {
      const ctx = stepContext(t, { runId: `run-${round}` });
      const files = format === 'gz' ? { 'a/c.txt': 'cee' } : Object.fromEntries(order.map((name) => [name, name === 'b.txt' ? 'bee' : 'cee']));
      const handle = await compressHandler.acquire({ artifact: writeArtifact(ctx.run.project, files), output: `out.${format}`, format }, ctx);
      digests.push(createHash('sha256').update(readFileSync(handle.path)).digest('hex'));
    }
    t.equal(digests[0], digests[1], format);
  }
});

t.test('a format for one file refuses several, and names the one that takes them', async (t) => {
  const ctx = stepContext(t);
  const artifact = writeArtifact(ctx.run.project, { one: '1', two: '2' });
  await t.rejects(compressHandler.acquire({ artifact, output: 'x.gz' }, ctx), { code: 'ManyFiles', hint: /tar\.gz/ });
  const folder = t.testdir({ tree: { one: '1' } });
  await t.rejects(compressHandler.acquire({ artifact: artifactOf(join(folder, 'tree')), output: 'x.gz' }, stepContext(t, { project: folder })), { code: 'ManyFiles' });
  await t.rejects(compressHandler.acquire({ artifact: imageArtifact, output: 'x.gz' }, ctx), { code: 'NoFiles' });
});

t.test('a program that is missing is found out before anything starts, with the command that installs it', async (t) => {
  const ctx = stepContext(t, { exec: bareExec });
  await t.rejects(compressHandler.checkKnown!({ output: 'x.xz', format: 'xz' }, ctx), { code: 'MissingProgram', hint: /apt-get install -y xz-utils/ });
  await t.rejects(compressHandler.checkKnown!({ output: 'x.tar.lz4', format: 'tar.lz4' }, ctx), { code: 'MissingProgram', hint: /apt-get install -y lz4/ });
  await t.resolves(compressHandler.checkKnown!({ output: 'x.tar.gz', format: 'tar.gz' }, ctx));
  await t.resolves(compressHandler.checkKnown!({ output: 'x.zip', format: 'zip' }, ctx));
});

t.test('a half file never has the final name, and a failed one is removed', async (t) => {
  const ctx = stepContext(t);
  const artifact = writeArtifact(ctx.run.project, { 'disk.img': diskLike(8 * 1024 * 1024) });
  const abort = new AbortController();
  const aborted = { ...ctx, signal: abort.signal, progress: () => abort.abort(new Error('enough')) };
  for (const format of ['gz', 'tar', 'zip', 'tar.gz'] as const) {
    const spec = { artifact, output: `out.${format}`, format };
    await t.rejects(compressHandler.acquire(spec, aborted), { message: 'enough' }, format);
    t.throws(() => readFileSync(join(ctx.run.project, spec.output)), { code: 'ENOENT' });
    const found = await compressHandler.find(ctx.token, spec, ctx);
    t.ok(found, 'the half file is found by its token');
    await compressHandler.release(found!, ctx);
    t.equal(await compressHandler.find(ctx.token, spec, ctx), undefined);
  }
});

t.test('what somebody else put there is not replaced, unless forced', async (t) => {
  const ctx = stepContext(t);
  const artifact = writeArtifact(ctx.run.project, { 'disk.img': 'x' });
  writeFileSync(join(ctx.run.project, 'x.gz'), 'mine');
  await t.rejects(compressHandler.acquire({ artifact, output: 'x.gz' }, ctx), { code: 'OutputExists' });
  t.equal(readFileSync(join(ctx.run.project, 'x.gz'), 'utf8'), 'mine');
  const forced = stepContext(t, { project: ctx.run.project, force: true });
  await compressHandler.acquire({ artifact, output: 'x.gz' }, forced);
  t.equal(gunzipSync(readFileSync(join(ctx.run.project, 'x.gz'))).toString(), 'x');
});

t.test('a file that something still writes to is named', async (t) => {
  for (const format of ['gz', 'tar', 'zip', 'tar.gz'] as const) {
    const ctx = stepContext(t, { runId: `run-${format}` });
    const artifact = writeArtifact(ctx.run.project, { 'a.img': diskLike(8 * 1024 * 1024), 'b.img': 'short' });
    // The first progress comes while a.img is read: its end and all of b.img are still to come.
    const busy = { ...ctx, progress: () => { for (const name of ['a.img', 'b.img']) appendFileSync(join(ctx.run.project, name), 'more'); } };
    const files = format === 'gz' ? artifact.files.slice(0, 1) : artifact.files;
    await t.rejects(compressHandler.acquire({ artifact: { ...artifact, files }, output: `out.${format}`, format }, busy), { code: 'FileChanged', message: /[ab]\.img changed while/ }, format);
  }
});
