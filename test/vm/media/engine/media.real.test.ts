import { execFile } from 'node:child_process';
import { chmodSync, existsSync, mkdirSync, readFileSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import t from 'tap';
import { BakeError } from '../../../../lib/core/bake-error.js';
import type { Exec, ExecRequest } from '../../../../lib/core/ports.js';
import { systemExec } from '../../../../lib/toolkit/host/exec.js';
import { cdHandler } from '../../../../lib/vm/media/engine/cd-handler.js';
import { floppyHandler } from '../../../../lib/vm/media/engine/floppy-handler.js';
import { mediaDoctor } from '../../../../lib/vm/media/engine/doctor.js';
import { need } from '../../../support/need.js';
import { stagedFile } from '../../../support/staged-file.js';
import { stepContext } from '../../../support/step-context.js';

const run = promisify(execFile);

/** The real one, which remembers what was asked of it. */
function watched(): Exec & { readonly requests: ExecRequest[] } {
  const requests: ExecRequest[] = [];
  const exec = systemExec();
  return { requests, run: (request) => { requests.push(request); return exec.run(request); } };
}

/** A computer without any programs. */
const bare: Exec = { run: async ({ command }) => { throw new BakeError({ code: 'CommandNotFound', message: `no ${command}` }); } };

/** The user's files, as they are staged. */
async function userFiles(folder: string) {
  mkdirSync(join(folder, 'scripts', 'deep'), { recursive: true });
  writeFileSync(join(folder, 'preseed.cfg'), 'd-i');
  writeFileSync(join(folder, 'scripts', 'first.sh'), '#!/bin/sh\n');
  chmodSync(join(folder, 'scripts', 'first.sh'), 0o755);
  writeFileSync(join(folder, 'scripts', 'deep', 'Größe und mehr.txt'), 'lang');
  return { file: await stagedFile(join(folder, 'preseed.cfg')), scripts: await stagedFile(join(folder, 'scripts')) };
}

t.test('a CD holds files, folders, the contents of folders and texts, under its label', async (t) => {
  if (!(await need(t, 'xorriso'))) return;
  const exec = watched();
  const ctx = stepContext(t, { exec });
  const { file, scripts } = await userFiles(t.testdir({}));
  symlinkSync('first.sh', join(scripts.path, 'link'));
  const spec = { label: 'My CD-1', files: [{ asset: file, contents: false }, { asset: scripts, contents: false }, { asset: scripts, contents: true }], content: { 'answers/secret.txt': 'hunter2', 'deep/more.txt': 'm' } };
  await cdHandler.check?.(spec, ctx);
  const handle = await cdHandler.acquire(spec, ctx);
  t.equal(statSync(handle.file).mode & 0o777, 0o600);
  t.notOk(existsSync(`${handle.file}.parts`), 'what it was made of is gone');
  t.notOk(JSON.stringify(exec.requests.map(({ command, args, env }) => [command, args, env])).includes('hunter2'));

  const { stdout } = await run('xorriso', ['-indev', handle.file, '-find', '/', '-exec', 'report_lba']);
  for (const path of ['/preseed.cfg', '/scripts/first.sh', '/first.sh', '/deep/Größe und mehr.txt', '/scripts/deep/Größe und mehr.txt', '/answers/secret.txt', '/deep/more.txt']) t.match(stdout, `'${path}'`);
  const about = await run('xorriso', ['-indev', handle.file, '-pvd_info', '-toc']);
  t.match(about.stdout, /Volume Id\s*: My CD-1/);
  t.match((await run('xorriso', ['-indev', handle.file, '-lsl', '/scripts'])).stdout, /lr.*'link' -> 'first\.sh'/);
  t.match((await run('xorriso', ['-indev', handle.file, '-lsl', '/scripts/first.sh'])).stdout, /^-r-xr-xr-x/m);
  const out = join(t.testdirName, 'secret.txt');
  await run('xorriso', ['-osirrox', 'on', '-indev', handle.file, '-extract', '/answers/secret.txt', out]);
  t.equal(readFileSync(out, 'utf8'), 'hunter2');
  t.match((await run('xorriso', ['-read_fs', 'norock', '-indev', handle.file, '-find', '/'])).stdout, 'Größe und mehr.txt');

  t.same(await cdHandler.find(ctx.token, spec, ctx), handle);
  await cdHandler.release(handle, ctx);
  await cdHandler.release(handle, ctx);
  t.notOk(existsSync(handle.file));
  t.equal(await cdHandler.find(ctx.token, spec, ctx), undefined);
});

t.test('a floppy holds files, folders and texts, and is larger if it must', async (t) => {
  if (!(await need(t, 'mtools'))) return;
  const ctx = stepContext(t);
  const { file, scripts } = await userFiles(t.testdir({}));
  const spec = { label: 'answers', files: [{ asset: file, contents: false }, { asset: scripts, contents: false }], content: { 'Autounattend.xml': '<secret/>', 'a/b/c.txt': 'c' } };
  await floppyHandler.check?.(spec, ctx);
  const { file: image } = await floppyHandler.acquire(spec, ctx);
  t.equal(statSync(image).size, 1_474_560);
  t.equal(statSync(image).mode & 0o777, 0o600);
  const env = { ...process.env, MTOOLSRC: '/dev/null', LC_ALL: 'C.UTF-8' };
  t.match((await run('mdir', ['-/', '-b', '-i', image, '::'], { env })).stdout.split('\n').sort(), ['', '::/Autounattend.xml', '::/a/', '::/a/b/', '::/a/b/c.txt', '::/preseed.cfg', '::/scripts/', '::/scripts/deep/', '::/scripts/deep/Größe und mehr.txt', '::/scripts/first.sh']);
  t.equal((await run('mtype', ['-i', image, '::Autounattend.xml'], { env })).stdout, '<secret/>');
  t.match((await run('mlabel', ['-s', '-i', image, '::'], { env })).stdout, /ANSWERS/i);
  t.match((await run('minfo', ['-i', image, '::'], { env })).stdout, /FAT12/);
  await run('fsck.fat', ['-n', image]).catch((error: { stdout?: string }) => t.fail(error.stdout ?? 'fsck.fat failed'));

  const large = await floppyHandler.acquire({ label: 'big', content: { 'driver.sys': 'x'.repeat(2_000_000) } }, stepContext(t));
  t.equal(statSync(large.file).size, 2_949_120);
  const full = await floppyHandler.acquire({ label: 'full', content: { A: 'x'.repeat((2880 - 33) * 512) } }, stepContext(t));
  t.equal(statSync(full.file).size, 1_474_560, 'the room is used to its last byte');
});

t.test('a name twice is found before anything is made; on a floppy also with other capitals', async (t) => {
  const ctx = stepContext(t);
  const asset = await stagedFile(t.testdir({ 'a.txt': '' }) + '/a.txt');
  const files = [{ asset, contents: false }];
  await t.rejects(cdHandler.acquire({ label: 'x', files, content: { 'a.txt': '' } }, ctx), { code: 'MediumConflict', message: 'the medium would have "a.txt" twice' });
  await t.rejects(floppyHandler.acquire({ label: 'x', files, content: { 'A.TXT': '' } }, ctx), { code: 'MediumConflict', message: /"a\.txt" and "A\.TXT"/ });
  await t.rejects(floppyHandler.acquire({ label: 'x', content: { 'dir/a': '', 'DIR/b': '' } }, ctx), { code: 'MediumConflict' });
  t.equal(await cdHandler.find(ctx.token, { label: 'x' }, ctx), undefined, 'nothing is left');
});

t.test('without the programs the command that installs them is named, before the run and by doctor', async (t) => {
  const ctx = stepContext(t, { exec: bare });
  await t.rejects(cdHandler.check!({ label: 'x' }, ctx), { code: 'IsoToolNotFound', hint: /apt-get install xorriso/ });
  await t.rejects(floppyHandler.checkKnown!({}, ctx), { code: 'FloppyToolNotFound', hint: /apt-get install mtools/ });
  const checks = await mediaDoctor({ exec: bare, os: 'linux', hasApt: true, isRoot: true });
  t.match(checks, [{ ok: false, install: [['apt-get', 'install', '-y', 'xorriso']] }, { ok: false, install: [['apt-get', 'install', '-y', 'mtools']] }]);
});

t.test('what a program says when it fails is in the error, and nothing is left', async (t) => {
  const exec: Exec = { run: async ({ args = [] }) => ({ code: args.includes('-version') ? 0 : 5, signal: null, stdout: '', stderr: 'xorriso : FAILURE : no such thing\n' }) };
  const ctx = stepContext(t, { exec });
  await t.rejects(cdHandler.acquire({ label: 'x', content: { a: '' } }, ctx), { code: 'MediumNotMade', message: /exit code 5: xorriso : FAILURE/ });
  t.equal(await cdHandler.find(ctx.token, { label: 'x' }, ctx), undefined);
});
