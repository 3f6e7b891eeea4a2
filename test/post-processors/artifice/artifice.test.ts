import { existsSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { artificeHandler } from '../../../lib/post-processors/artifice/engine/artifice-handler.js';
import { stepContext } from '../../support/step-context.js';
import { artifactOf, imageArtifact } from '../file-artifact.js';

const take = (project: string, files: readonly string[], t: Parameters<typeof stepContext>[0]) => artificeHandler.acquire({ artifact: imageArtifact, files: [...files], keepsInput: false }, stepContext(t, { project }));
const namesIn = (folder: string, handle: Awaited<ReturnType<typeof take>>) => handle.artifact.files.map(({ path }) => path.slice(folder.length + 1));

t.test('names, globs and folders become one list of files, each once and sorted', async (t) => {
  const folder = t.testdir({ out: { 'b.deb': 'bee', 'a.deb': 'a', 'note.txt': 'n' }, tree: { sub: { '.hidden': 'h', 'x': 'x' } } });
  const handle = await take(folder, ['out/b.deb', 'out/*.deb', 'tree', '**/*.txt'], t);
  t.same(namesIn(folder, handle), ['out/a.deb', 'out/b.deb', 'out/note.txt', 'tree/sub/.hidden', 'tree/sub/x']);
  t.match(handle.artifact, { type: 'files', id: join(folder, 'out/a.deb'), files: [{ size: 1 }, { size: 3 }] });
});

t.test('a name with glob characters in it is the file of that name, if there is one', async (t) => {
  const folder = t.testdir({ 'disk[1].img': 'one', 'disk1.img': 'other' });
  t.same(namesIn(folder, await take(folder, ['disk[1].img'], t)), ['disk[1].img']);
  t.same(namesIn(folder, await take(folder, ['disk[123].img'], t)), ['disk1.img']);
});

t.test('an absolute path is taken as it is', async (t) => {
  const folder = t.testdir({ there: { 'x.img': 'x', 'y.img': 'y' }, here: {} });
  t.same(namesIn(folder, await take(join(folder, 'here'), [join(folder, 'there/x.img')], t)), ['there/x.img']);
  t.same(namesIn(folder, await take(join(folder, 'here'), [join(folder, 'there/*.img')], t)), ['there/x.img', 'there/y.img']);
});

t.test('each pattern must match something', async (t) => {
  const folder = t.testdir({ 'a.txt': '' });
  await t.rejects(take(folder, ['a.txt', 'out/missing.img'], t), { code: 'NoSuchFile', message: /"out\/missing\.img"/ });
  await t.rejects(take(folder, ['*.deb'], t), { code: 'NoSuchFile' });
});

t.test('a file that goes away with the input is refused, unless the input stays', async (t) => {
  const folder = t.testdir({ 'disk.img': 'x' });
  const artifact = artifactOf(join(folder, 'disk.img'));
  const ctx = stepContext(t, { project: folder });
  await t.rejects(artificeHandler.acquire({ artifact, files: ['*.img'], keepsInput: false }, ctx), { code: 'FileOfInput', hint: /keepInputArtifact: true/ });
  await t.resolves(artificeHandler.acquire({ artifact, files: ['*.img'], keepsInput: true }, ctx));
});

t.test('a failed build never removes the files, as bake did not make them', async (t) => {
  const folder = t.testdir({ 'disk.img': 'x' });
  const ctx = stepContext(t, { project: folder });
  const spec = { artifact: imageArtifact, files: ['disk.img'], keepsInput: false };
  const handle = await artificeHandler.acquire(spec, ctx);
  t.equal(await artificeHandler.find(ctx.token, spec, ctx), undefined);
  await artificeHandler.release(handle, ctx);
  t.ok(existsSync(join(folder, 'disk.img')));
});
