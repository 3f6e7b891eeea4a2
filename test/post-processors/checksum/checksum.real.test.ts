import { execFile } from 'node:child_process';
import { existsSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import t from 'tap';
import { checksumHandler } from '../../../lib/post-processors/checksum/engine/checksum-handler.js';
import { need } from '../../support/need.js';
import { smallDisk } from '../../support/small-disk.js';
import { stepContext } from '../../support/step-context.js';
import { artifactOf, diskLike, writeArtifact } from '../file-artifact.js';

const run = promisify(execFile);
const oddNames = { 'out/plain.img': 'one', 'out/with space.img': 'two', 'out/back\\slash': 'three', 'out/new\nline': 'four', "out/it's $(id) `id`;": 'five', '-dash': 'six', 'ümlaut': 'seven', 'cr\rname': 'eight' };

t.test('sha256sum and its family accept what was written, also for odd names', async (t) => {
  if (!(await need(t, 'sha256sum'))) return;
  const ctx = stepContext(t);
  const artifact = writeArtifact(ctx.run.project, oddNames);
  await checksumHandler.acquire({ artifact, algorithms: ['md5', 'sha1', 'sha224', 'sha256', 'sha384', 'sha512'], output: 'SUMS.{algorithm}', withInput: true }, ctx);
  for (const name of ['md5', 'sha1', 'sha224', 'sha256', 'sha384', 'sha512']) {
    const { stdout } = await run(`${name}sum`, ['--check', '--strict', `SUMS.${name}`], { cwd: ctx.run.project });
    t.equal(stdout.match(/: OK$/gm)?.length, 8, `${name}sum`);
  }
  writeFileSync(join(ctx.run.project, 'out/plain.img'), 'changed');
  await t.rejects(run('sha256sum', ['--check', 'SUMS.sha256'], { cwd: ctx.run.project }), 'a changed file is noticed');
});

t.test('several algorithms in one file are told apart by sha256sum and cksum', async (t) => {
  if (!(await need(t, 'sha256sum'))) return;
  const ctx = stepContext(t);
  const artifact = writeArtifact(ctx.run.project, oddNames);
  await checksumHandler.acquire({ artifact, algorithms: ['md5', 'sha256'], output: 'out/SUMS', withInput: true }, ctx);
  const cwd = join(ctx.run.project, 'out');
  t.equal((await run('sha256sum', ['--check', 'SUMS'], { cwd })).stdout.match(/: OK$/gm)?.length, 8);
  t.equal((await run('cksum', ['--check', 'SUMS'], { cwd })).stdout.match(/: OK$/gm)?.length, 16);
});

t.test('a full disk is an error that says so, and leaves no half file', async (t) => {
  if (!(await need(t, 'tmpfs'))) return;
  const disk = await smallDisk(t, 16);
  const ctx = stepContext(t);
  const artifact = artifactOf(...writeArtifact(ctx.run.project, Object.fromEntries(Array.from({ length: 300 }, (_, index) => [`file-${index}`, diskLike(10, index)]))).files.map(({ path }) => path));
  const spec = { artifact, algorithms: ['sha512'], output: join(disk, 'sums'), withInput: true };
  await t.rejects(checksumHandler.acquire(spec, ctx), { code: 'DiskFull', message: /sums/ });
  t.notOk(existsSync(join(disk, 'sums')));
  const found = await checksumHandler.find(ctx.token, spec, ctx);
  if (found !== undefined) await checksumHandler.release(found, ctx);
  t.same(readdirSync(disk), []);
});
