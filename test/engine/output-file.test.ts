import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import t from 'tap';
import { BakeError } from '../../lib/core/bake-error.js';
import { asDiskError } from '../../lib/core/disk-error.js';
import { OutputClaims } from '../../lib/engine/output-claims.js';
import { outputFile } from '../../lib/engine/output-file.js';
import { outputFiles } from '../../lib/engine/output-files.js';
import { stepContext } from '../support/step-context.js';

interface Spec { readonly path: string; readonly content: string }
const handler = outputFile<Spec, { readonly size: number }>({
  path: ({ path }) => path,
  async write({ content }, _, part) {
    await writeFile(part, content);
    if (content === 'fail') throw new BakeError({ code: 'Failed', message: 'as told' });
    return { size: content.length };
  },
});
const run = (t: Parameters<typeof stepContext>[0], project: string, runId: string, force = false) => stepContext(t, { project, runId, force });

t.test('a file is written in full, and replaced by a later run without being asked', async (t) => {
  const folder = t.testdir({});
  t.same(await handler.acquire({ path: 'out/x', content: 'one' }, run(t, folder, 'run-1')), { size: 3, path: join(folder, 'out/x') });
  await handler.acquire({ path: 'out/x', content: 'two' }, run(t, folder, 'run-2'));
  t.equal(readFileSync(join(folder, 'out/x'), 'utf8'), 'two');
  t.same(readdirSync(join(folder, 'out')), ['x']);
});

t.test('a run that failed leaves the file of the run before, and the next run may replace it', async (t) => {
  const folder = t.testdir({});
  await handler.acquire({ path: 'x', content: 'one' }, run(t, folder, 'run-1'));
  const second = run(t, folder, 'run-2');
  const spec = { path: 'x', content: 'fail' };
  await t.rejects(handler.acquire(spec, second), { code: 'Failed' });
  await handler.release((await handler.find(second.token, spec, second))!, second);
  t.equal(readFileSync(join(folder, 'x'), 'utf8'), 'one');
  await handler.acquire({ path: 'x', content: 'three' }, run(t, folder, 'run-3'));
  t.equal(readFileSync(join(folder, 'x'), 'utf8'), 'three');
});

t.test('a run that failed twice in the way of somebody’s file never makes it ours', async (t) => {
  const folder = t.testdir({ x: 'mine' });
  await t.rejects(handler.acquire({ path: 'x', content: 'fail' }, run(t, folder, 'run-1', true)), { code: 'Failed' });
  await t.rejects(handler.acquire({ path: 'x', content: 'new' }, run(t, folder, 'run-2')), { code: 'OutputExists' });
  t.equal(readFileSync(join(folder, 'x'), 'utf8'), 'mine');
});

t.test('two steps of one run that write the same path are told apart', async (t) => {
  const folder = t.testdir({});
  const outputs = new OutputClaims({ folder: join(folder, '.bake/outputs'), force: false });
  const one = { ...run(t, folder, 'run-1'), outputs };
  await handler.acquire({ path: 'x', content: 'one' }, one);
  await t.rejects(handler.acquire({ path: 'x', content: 'two' }, { ...one, token: 'run-1-other' }), { code: 'OutputConflict', hint: /\{build\}/ });
  t.equal(readFileSync(join(folder, 'x'), 'utf8'), 'one');
  await t.resolves(handler.acquire({ path: 'x', content: 'again' }, one), 'another attempt of the same step may');
});

t.test('a file takes the place of a folder of ours', async (t) => {
  const folder = t.testdir({});
  const folders = outputFile<Spec, { readonly size: number }>({ path: ({ path }) => path, async write(_, __, part) { mkdirSync(part); writeFileSync(join(part, 'in'), ''); return { size: 0 }; } });
  await folders.acquire({ path: 'x', content: '' }, run(t, folder, 'run-1'));
  await handler.acquire({ path: 'x', content: 'file' }, run(t, folder, 'run-2'));
  t.equal(readFileSync(join(folder, 'x'), 'utf8'), 'file');
});

t.test('of several files none has its final name before the last one is whole', async (t) => {
  const folder = t.testdir({});
  const both = outputFiles<{ readonly fails: boolean }, { readonly done: boolean }>({
    paths: () => ['a', 'b'],
    async write({ fails }, _, [a = '', b = '']) {
      await writeFile(a, 'a');
      if (fails) throw new BakeError({ code: 'Failed', message: 'between the two' });
      await writeFile(b, 'b');
      return { done: true };
    },
  });
  const ctx = run(t, folder, 'run-1');
  await t.rejects(both.acquire({ fails: true }, ctx), { code: 'Failed' });
  t.notOk(readdirSync(folder).some((name) => ['a', 'b'].includes(name)));
  await both.release((await both.find(ctx.token, { fails: true }, ctx))!, ctx);
  t.same(await both.acquire({ fails: false }, ctx), { done: true, paths: [join(folder, 'a'), join(folder, 'b')] });
  await both.release((await both.find(ctx.token, { fails: false }, ctx))!, ctx);
  t.same(readdirSync(folder).filter((name) => !name.startsWith('.bake')), []);
});

t.test('an error about the output is explained, one about another file stays as it is', async (t) => {
  const failing = (error: object) => outputFile<Spec, { readonly size: number }>({ path: ({ path }) => path, async write(_, __, part) { throw Object.assign(new Error('no'), { path: part }, error); } });
  const ctx = stepContext(t);
  const spec = { path: 'x', content: '' };
  await t.rejects(failing({ code: 'ENOSPC' }).acquire(spec, ctx), { code: 'DiskFull', message: /\/x \(ENOSPC\)/ });
  await t.rejects(failing({ code: 'EROFS' }).acquire(spec, ctx), { code: 'NotWritable', hint: /read-only/ });
  await t.rejects(failing({ code: 'EACCES', path: '/somewhere/else' }).acquire(spec, ctx), { code: 'EACCES' });
  t.equal(asDiskError('text', 'x'), 'text');
  const foreign = new TypeError('a bug');
  t.equal(asDiskError(foreign, 'x'), foreign);
});
