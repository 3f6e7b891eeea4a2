import { join } from 'node:path';
import t from 'tap';
import { Secret } from '../../../lib/core/secret.js';
import { str } from '../../../lib/image/ref.js';
import { compileCd } from '../../../lib/vm/media/cd.js';
import { expandGlob } from '../../../lib/vm/media/expand-glob.js';
import { compileFloppy } from '../../../lib/vm/media/floppy.js';
import { cdImage, floppyImage } from '../../../lib/vm/media/steps.js';

t.test('a CD becomes one step with assets and texts; with nothing on it there is none', async (t) => {
  const text = str`password=${Secret.env('PASSWORD')}`;
  t.match(compileCd({ cdFiles: ['preseed.cfg', 'scripts/'], cdContent: { 'a/b.txt': text }, cdLabel: 'OEMDRV' }), {
    kind: cdImage, title: 'CD OEMDRV: 3 files',
    spec: { label: 'OEMDRV', files: [{ asset: { path: 'preseed.cfg' }, contents: false }, { asset: { path: 'scripts/' }, contents: true }], content: { 'a/b.txt': text } },
  });
  t.equal(compileCd({ cdLabel: 'x' }), undefined);
  t.equal(compileCd({ cdFiles: [], cdContent: {} }), undefined);
});

t.test('a floppy has folders beside files, and says that they are folders', async (t) => {
  t.match(compileFloppy({ floppyFiles: ['a.txt'], floppyDirs: ['drivers'], floppyContent: { 'b.txt': 'b' } }), {
    title: 'floppy bake: 3 files', spec: { label: 'bake', files: [{ asset: { path: 'a.txt', type: undefined } }, { asset: { path: 'drivers', type: 'directory' } }] },
  });
  t.equal(compileFloppy({}), undefined);
});

t.test('labels that are too long, and paths that lead out of the medium, are findings of synth', async (t) => {
  const problem = (kind: typeof cdImage | typeof floppyImage, spec: object) => kind.spec.safeParse(spec).error?.issues.map(({ path, message }) => `${path.join('.')}: ${message}`).join('; ');
  t.equal(problem(cdImage, { label: 'A'.repeat(32), content: { 'a/b.c': 'x' } }), undefined);
  t.match(problem(cdImage, { label: 'A'.repeat(33) }), '32 at most');
  t.match(problem(cdImage, { label: '-o/etc/passwd' }), 'must be a volume label');
  t.equal(problem(floppyImage, { label: 'A'.repeat(11) }), undefined);
  t.match(problem(floppyImage, { label: 'A'.repeat(12) }), '11 at most');
  for (const path of ['../a', 'a/../b', '/etc/passwd', 'a//b', 'a/', '', '.', 'a\\b', 'a\nb']) t.match(problem(cdImage, { label: 'x', content: { [path]: '' } }), 'must be a path on the medium', JSON.stringify(path));
});

t.test('globs name what is there, a name that exists is no glob, and one without a match stays as it is', async (t) => {
  const folder = t.testdir({ a: { '1.cfg': '', '2.cfg': '', 'x.txt': '' }, b: { '3.cfg': '' }, 'odd*name': '' });
  const names = (pattern: string) => expandGlob(join(folder, pattern)).map((path) => path.slice(folder.length + 1));
  t.same(names('a/*.cfg'), ['a/1.cfg', 'a/2.cfg']);
  t.same(names('*/?.cfg'), ['a/1.cfg', 'a/2.cfg', 'b/3.cfg']);
  t.same(names('?/'), ['a/', 'b/']);
  t.same(names('odd*name'), ['odd*name']);
  t.same(names('a/*.iso'), ['a/*.iso']);
  t.same(expandGlob('plain'), ['plain']);
  t.same(expandGlob('packag?.json'), ['package.json']);
  t.same(expandGlob('test/vm/med?a/cd-*.ts'), ['test/vm/media/cd-and-floppy.test.ts']);
});
