import { execFile } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import t, { type Test } from 'tap';
import { compressHandler } from '../../../lib/post-processors/compress/engine/compress-handler.js';
import type { Format } from '../../../lib/post-processors/compress/format.js';
import { compressExtension } from '../../../lib/post-processors/compress/post-processor.js';
import { systemExec } from '../../../lib/toolkit/host/exec.js';
import { need, type Part } from '../../support/need.js';
import { smallDisk } from '../../support/small-disk.js';
import { stepContext } from '../../support/step-context.js';
import { artifactOf, diskLike, writeArtifact } from '../file-artifact.js';

const run = promisify(execFile);
const bytesOf = async (command: string, args: readonly string[]) => (await run(command, args, { encoding: 'buffer', maxBuffer: 64 * 1024 * 1024 })).stdout;
const content = diskLike(9 * 1024 * 1024 + 5);

/** What checks a file of a format, and what unpacks it to standard output. */
const judges: readonly { readonly format: Format; readonly part: Part; readonly test: readonly [string, ...string[]]; readonly unpack: readonly [string, ...string[]] }[] = [
  { format: 'gz', part: 'gzip', test: ['gzip', '-t'], unpack: ['gzip', '-dc'] },
  { format: 'zst', part: 'zstd', test: ['zstd', '-tq'], unpack: ['zstd', '-dcq'] },
  { format: 'xz', part: 'xz', test: ['xz', '-t'], unpack: ['xz', '-dc'] },
  { format: 'lz4', part: 'lz4', test: ['lz4', '-tq'], unpack: ['lz4', '-dcq'] },
];

for (const { format, part, test, unpack } of judges) {
  t.test(`${test[0]} accepts a ${format} file, and gives the input back`, async (t) => {
    if (!(await need(t, part))) return;
    const ctx = stepContext(t);
    const artifact = writeArtifact(ctx.run.project, { 'disk.img': content });
    const { path } = await compressHandler.acquire({ artifact, output: `disk.img.${format}`, format, level: 1 }, ctx);
    await run(test[0], [...test.slice(1), path]);
    t.ok((await bytesOf(unpack[0], [...unpack.slice(1), path])).equals(content));
    t.equal(ctx.progressed.at(-1)?.current, content.length);
  });

  t.test(`a full disk while writing ${format} is an error that says so, and leaves nothing`, async (t) => {
    if (!(await need(t, part)) || !(await need(t, 'tmpfs'))) return;
    const disk = await smallDisk(t, 256);
    const ctx = stepContext(t);
    const artifact = writeArtifact(ctx.run.project, { 'disk.img': content });
    await refusesFullDisk(t, ctx, { artifact, output: join(disk, `disk.img.${format}`), format }, disk);
  });

  t.test(`a tar.${format} holds all files, folders and links, with their modes and one date`, async (t) => {
    if (!(await need(t, part)) || !(await need(t, 'tar'))) return;
    const folder = t.testdir({ tree: { 'b.txt': 'bee', 'a': { 'c.txt': 'cee' }, 'link': t.fixture('symlink', 'b.txt') } });
    const long = `${'deep/'.repeat(30)}name`;
    const ctx = stepContext(t, { project: folder });
    const artifact = artifactOf(join(folder, 'tree'), ...writeArtifact(folder, { [long]: 'long' }).files.map(({ path }) => path));
    const { path } = await compressHandler.acquire({ artifact, output: `out.tar.${format}` }, ctx);
    const { stdout } = await run('sh', ['-c', `"$@" | tar -tvf - --utc --full-time`, 'sh', ...unpack, path]);
    const lines = stdout.trimEnd().split('\n');
    t.same(lines.map((line) => line.split(/\s+/).slice(5).join(' ').replace(/\/$/, '')), [long, 'tree', 'tree/a', 'tree/a/c.txt', 'tree/b.txt', 'tree/link -> b.txt']);
    t.ok(lines.every((line) => line.includes('root/root') && line.includes('1980-01-01 00:00:00')));
  });
}

t.test('unzip accepts a zip archive with odd names, folders, modes and links', async (t) => {
  if (!(await need(t, 'unzip'))) return;
  const folder = t.testdir({ tree: { 'with space': 'one', 'ümlaut': 'two', "it's $(id)": 'three', 'empty': {}, 'link': t.fixture('symlink', 'with space') } });
  const ctx = stepContext(t, { project: folder });
  const artifact = artifactOf(join(folder, 'tree'), ...writeArtifact(folder, { 'disk.img': content }).files.map(({ path }) => path));
  const { path } = await compressHandler.acquire({ artifact, output: 'out.zip' }, ctx);
  t.match((await run('unzip', ['-t', path])).stdout, /No errors detected/);
  await run('unzip', ['-q', path, '-d', join(folder, 'unpacked')]);
  t.ok(readFileSync(join(folder, 'unpacked/disk.img')).equals(content));
  t.equal(readFileSync(join(folder, 'unpacked/tree/link'), 'utf8'), 'one');
  t.equal(readFileSync(join(folder, "unpacked/tree/it's $(id)"), 'utf8'), 'three');
});

t.test('a full disk while writing zip or tar is an error that says so, and leaves nothing', async (t) => {
  if (!(await need(t, 'tmpfs'))) return;
  const disk = await smallDisk(t, 256);
  for (const format of ['zip', 'tar'] as const) {
    const ctx = stepContext(t);
    await refusesFullDisk(t, ctx, { artifact: writeArtifact(ctx.run.project, { 'disk.img': content }), output: join(disk, `out.${format}`), format }, disk);
  }
});

t.test('an abort ends the program, and nothing keeps running', async (t) => {
  if (!(await need(t, 'xz'))) return;
  const ctx = stepContext(t);
  const artifact = writeArtifact(ctx.run.project, { 'disk.img': content });
  const abort = new AbortController();
  const started = Date.now();
  const aborted = { ...ctx, signal: abort.signal, progress: () => abort.abort(new Error('enough')) };
  await t.rejects(compressHandler.acquire({ artifact, output: 'disk.img.xz', level: 9 }, aborted), { message: 'enough' });
  t.ok(Date.now() - started < 2_000, 'soon');
});

t.test('two runs of zstd and xz give the same bytes', async (t) => {
  if (!(await need(t, 'zstd')) || !(await need(t, 'xz'))) return;
  const ctx = stepContext(t);
  const artifact = writeArtifact(ctx.run.project, { 'disk.img': content });
  for (const format of ['zst', 'xz', 'tar.zst'] as const) {
    const outputs = [`one.${format}`, `two.${format}`];
    for (const output of outputs) await compressHandler.acquire({ artifact, output, level: 1 }, ctx);
    const [one, two] = outputs.map((output) => readFileSync(join(ctx.run.project, output)));
    t.ok(one!.equals(two!), format);
  }
});

t.test('the doctor names each program with its version', async (t) => {
  if (!(await need(t, 'zstd')) || !(await need(t, 'xz'))) return;
  const checks = await compressExtension.doctor!({ exec: systemExec(), os: process.platform, hasApt: true, isRoot: true });
  t.match(checks.find(({ name }) => name === 'zstd'), { ok: true, required: false, detail: /\d/ });
  t.match(checks.find(({ name }) => name === 'xz'), { ok: true, required: false, detail: /\d/ });
});

type Context = ReturnType<typeof stepContext>;
async function refusesFullDisk(t: Test, ctx: Context, spec: Parameters<typeof compressHandler.acquire>[0], disk: string): Promise<void> {
  await t.rejects(compressHandler.acquire(spec, ctx), { code: 'DiskFull', message: new RegExp(spec.output) });
  t.notOk(existsSync(spec.output), 'no half file under the final name');
  const found = await compressHandler.find(ctx.token, spec, ctx);
  if (found !== undefined) await compressHandler.release(found, ctx);
  t.same(readdirSync(disk), []);
}
