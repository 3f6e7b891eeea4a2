import { createHash } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import t from 'tap';
import { checksumHandler } from '../../../lib/post-processors/checksum/engine/checksum-handler.js';
import { hashFiles } from '../../../lib/post-processors/checksum/engine/hash-files.js';
import { stepContext } from '../../support/step-context.js';
import { artifactOf, diskLike, imageArtifact, writeArtifact } from '../file-artifact.js';

const algorithms = ['md5', 'sha1', 'sha224', 'sha256', 'sha384', 'sha512'];
const hashOf = (algorithm: string, content: Uint8Array) => createHash(algorithm).update(content).digest('hex');

t.test('all algorithms at once give what each gives alone, whatever is in the file', async (t) => {
  const path = join(t.testdir({}), 'file');
  await fc.assert(fc.asyncProperty(fc.uint8Array({ maxLength: 5_000 }), fc.subarray(algorithms, { minLength: 1 }), async (content, chosen) => {
    writeFileSync(path, content);
    const [digests] = await hashFiles([{ path, size: content.length }], { algorithms: chosen, signal: new AbortController().signal, onBytes: () => {} });
    t.same(digests, chosen.map((algorithm) => hashOf(algorithm, content)));
  }), { numRuns: 50 });
});

t.test('large files are hashed in threads, each read once, to the same digests', async (t) => {
  const folder = t.testdir({});
  const contents = [diskLike(17 * 1024 * 1024 + 123, 1), diskLike(1024 * 1024, 2), Buffer.alloc(0)];
  const files = contents.map((content, index) => {
    const path = join(folder, `file-${index}`);
    writeFileSync(path, content);
    return { path, size: content.length };
  });
  let read = 0;
  const total = contents.reduce((sum, { length }) => sum + length, 0);
  const digests = await hashFiles(files, { algorithms, signal: new AbortController().signal, onBytes: (bytes) => { read += bytes; } });
  t.equal(read, total, 'every byte was read once');
  t.same(digests, contents.map((content) => algorithms.map((algorithm) => hashOf(algorithm, content))));
});

t.test('one file for each algorithm, next to the input and after it in the artifact', async (t) => {
  const ctx = stepContext(t);
  const artifact = writeArtifact(ctx.run.project, { 'out/b.img': 'bee', 'out/a.img': 'ay' });
  const handle = await checksumHandler.acquire({ artifact, algorithms: ['sha256', 'md5'], output: 'web.{algorithm}', withInput: true }, ctx);
  const sums = join(ctx.run.project, 'web.sha256');
  t.equal(readFileSync(sums, 'utf8'), `${hashOf('sha256', Buffer.from('ay'))}  out/a.img\n${hashOf('sha256', Buffer.from('bee'))}  out/b.img\n`);
  t.equal(readFileSync(join(ctx.run.project, 'web.md5'), 'utf8').split('\n').length, 3);
  t.same(handle.artifact.files.map(({ path }) => path), [...artifact.files.map(({ path }) => path), sums, join(ctx.run.project, 'web.md5')]);
  t.match(handle.artifact, { type: 'files', id: sums, data: { algorithms: ['sha256', 'md5'] } });
  t.match(ctx.progressed.at(-1), { label: 'hashing', current: 5, total: 5, unit: 'bytes' });
});

t.test('without the input, the artifact is the checksum file alone', async (t) => {
  const ctx = stepContext(t);
  const artifact = writeArtifact(ctx.run.project, { 'a.img': 'ay' });
  const handle = await checksumHandler.acquire({ artifact, algorithms: ['sha1'], output: 'sums', withInput: false }, ctx);
  t.same(handle.artifact.files, [{ path: join(ctx.run.project, 'sums'), size: 40 + 2 + 5 + 1 }]);
});

t.test('files in folders are found, links are not followed', async (t) => {
  const folder = t.testdir({ tree: { z: 'last', sub: { a: 'first' }, link: t.fixture('symlink', 'z') } });
  const ctx = stepContext(t, { project: folder });
  await checksumHandler.acquire({ artifact: artifactOf(join(folder, 'tree')), algorithms: ['md5'], output: 'tree/../sums', withInput: true }, ctx);
  t.same(readFileSync(join(folder, 'sums'), 'utf8').split('\n').map((line) => line.slice(34)), ['tree/sub/a', 'tree/z', '']);
});

t.test('what is not made of files is refused with what to do', async (t) => {
  const spec = { artifact: imageArtifact, algorithms: ['md5'], output: 'sums', withInput: true };
  await t.rejects(checksumHandler.acquire(spec, stepContext(t)), { code: 'NoFiles', hint: /DockerSave/ });
});

t.test('a file that is gone is named', async (t) => {
  const ctx = stepContext(t);
  const gone = join(ctx.run.project, 'gone.img');
  const artifact = { ...imageArtifact, files: [{ path: gone, size: 1 }] };
  await t.rejects(checksumHandler.acquire({ artifact, algorithms: ['md5'], output: 'sums', withInput: true }, ctx), { code: 'ArtifactFileMissing', message: new RegExp('gone.img') });
});

t.test('all files of a failed build are found by the token and removed, and nobody else’s', async (t) => {
  const ctx = stepContext(t);
  const artifact = writeArtifact(ctx.run.project, { 'a.img': 'ay' });
  const spec = { artifact, algorithms: ['md5', 'sha1'], output: '{algorithm}.sums', withInput: true };
  await checksumHandler.acquire(spec, ctx);
  const found = await checksumHandler.find(ctx.token, spec, ctx);
  t.ok(found);
  await checksumHandler.release(found!, ctx);
  await checksumHandler.release(found!, ctx);
  t.equal(await checksumHandler.find(ctx.token, spec, ctx), undefined);
  t.equal(readFileSync(join(ctx.run.project, 'a.img'), 'utf8'), 'ay');
});

t.test('an abort ends it soon, also in threads', async (t) => {
  const path = join(t.testdir({}), 'file');
  writeFileSync(path, Buffer.alloc(64 * 1024 * 1024));
  const abort = new AbortController();
  const hashing = hashFiles([{ path, size: 64 * 1024 * 1024 }], { algorithms: ['md5', 'sha512'], signal: abort.signal, onBytes: () => abort.abort(new Error('enough')) });
  await t.rejects(hashing, { message: 'enough' });
});

t.test('an output that somebody else made is refused before anything starts', async (t) => {
  const ctx = stepContext(t);
  writeFileSync(join(ctx.run.project, 'x.sha1'), 'mine');
  await t.rejects(checksumHandler.checkKnown!({ output: 'x.{algorithm}', algorithms: ['md5', 'sha1'] }, ctx), { code: 'OutputExists' });
});

t.test('a file that grows or shrinks meanwhile is refused', async (t) => {
  const path = join(t.testdir({ file: 'four' }), 'file');
  for (const size of [3, 5]) await t.rejects(hashFiles([{ path, size }], { algorithms: ['md5'], signal: new AbortController().signal, onBytes: () => {} }), { code: 'FileChanged', message: /file changed while/ });
});
