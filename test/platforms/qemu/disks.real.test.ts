// The handlers of disks and images with real qemu-img, without a machine.
import { execFileSync, spawn } from 'node:child_process';
import { existsSync, readdirSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import t, { type Test } from 'tap';
import { diskHandler } from '../../../lib/platforms/qemu/engine/disk-handler.js';
import { imageHandler } from '../../../lib/platforms/qemu/engine/image-handler.js';
import { need } from '../../support/need.js';
import { smallDisk } from '../../support/small-disk.js';
import { stepContext } from '../../support/step-context.js';

const info = (file: string) => JSON.parse(execFileSync('qemu-img', ['info', '--output=json', file], { encoding: 'utf8' })) as Record<string, unknown>;
const create = (...args: string[]) => execFileSync('qemu-img', ['create', '-q', ...args]);
const imageSpec = { format: 'qcow2', compact: true, keepBackingFile: false, compression: 'none', architecture: 'x86_64', firmware: 'bios', machine: 'q35' } as const;

/** A qcow2 with 3 MiB that are not zero. */
function base(t: Test): string {
  const folder = t.testdir();
  writeFileSync(join(folder, 'base.raw'), Buffer.concat([Buffer.alloc(1024 * 1024), Buffer.alloc(3 * 1024 * 1024, 'x'), Buffer.alloc(4 * 1024 * 1024)]));
  execFileSync('qemu-img', ['convert', '-f', 'raw', '-O', 'qcow2', join(folder, 'base.raw'), join(folder, 'base.qcow2')]);
  return join(folder, 'base.qcow2');
}

t.test('every format comes out whole, with its facts in the artifact', async (t) => {
  if (!(await need(t, 'qemu'))) return;
  const file = base(t);
  for (const format of ['qcow2', 'raw', 'vmdk', 'vdi', 'vhdx'] as const) {
    const ctx = stepContext(t);
    const { disks } = await diskHandler.acquire({ output: `out/web.${format}`, base: file, mode: 'overlay', format }, ctx);
    const { artifact } = await imageHandler.acquire({ ...imageSpec, disks, output: `out/web.${format}`, format }, ctx);
    t.equal(info(artifact.id)['format'], format);
    execFileSync('qemu-img', ['compare', '-f', format, '-F', 'qcow2', artifact.id, file]);
    t.equal(execFileSync('sha256sum', [artifact.id], { encoding: 'utf8' }).split(' ')[0], artifact.files[0]?.['sha256']);
    t.equal(artifact.files[0]?.size, statSync(artifact.id).size);
  }
});

t.test('compressed images have their method', async (t) => {
  if (!(await need(t, 'qemu'))) return;
  for (const compression of ['zlib', 'zstd'] as const) {
    const ctx = stepContext(t);
    const { disks } = await diskHandler.acquire({ output: 'web.qcow2', base: base(t), mode: 'overlay', format: 'qcow2' }, ctx);
    const { artifact } = await imageHandler.acquire({ ...imageSpec, disks, output: 'web.qcow2', compression }, ctx);
    t.match(JSON.stringify(info(artifact.id)), new RegExp(`"compression-type":"${compression}"`));
    t.ok(artifact.files[0]!.size < 1024 * 1024);
  }
});

t.test('a disk that needs no change is renamed: it is the same file', async (t) => {
  if (!(await need(t, 'qemu'))) return;
  const ctx = stepContext(t);
  const { disks } = await diskHandler.acquire({ output: 'web.qcow2', base: base(t), mode: 'copy', format: 'qcow2' }, ctx);
  const { ino } = statSync(disks[0]!.file);
  const { artifact } = await imageHandler.acquire({ ...imageSpec, disks, output: 'web.qcow2', compact: false }, ctx);
  t.equal(statSync(artifact.id).ino, ino);
});

t.test('the folder of the disks is found by its token alone, and removed', async (t) => {
  if (!(await need(t, 'qemu'))) return;
  const ctx = stepContext(t);
  const spec = { output: 'web.qcow2', size: 1024 * 1024, additional: [1024 * 1024], mode: 'overlay' as const, format: 'qcow2' as const };
  const { folder, disks } = await diskHandler.acquire(spec, ctx);
  t.equal(disks.length, 2);
  const found = await diskHandler.find(ctx.token, spec, ctx);
  t.equal(found?.folder, folder);
  await diskHandler.release(found!, ctx);
  await diskHandler.release(found!, ctx);
  t.notOk(existsSync(folder));
  t.equal(await diskHandler.find(ctx.token, spec, ctx), undefined);
});

t.test('what is no good as a base is refused with a reason, before a copy is made', async (t) => {
  if (!(await need(t, 'qemu'))) return;
  const ctx = stepContext(t);
  const at = (name: string) => join(ctx.run.project, name);
  const spec = (more: object) => ({ output: 'web.qcow2', mode: 'overlay', format: 'qcow2', ...more }) as const;
  await t.rejects(diskHandler.check!(spec({ base: 'missing.qcow2' }), ctx), { code: 'FileNotFound', hint: /folder of image\.ts/ });
  writeFileSync(at('text.qcow2'), 'this is no disk');
  await t.rejects(diskHandler.check!(spec({ base: 'text.qcow2', baseFormat: 'qcow2' }), ctx), { code: 'NotADisk' });
  create('-f', 'qcow2', at('big.qcow2'), '64M');
  await t.rejects(diskHandler.acquire(spec({ base: 'big.qcow2', size: 1024 * 1024 }), ctx), { code: 'DiskTooSmall', message: /67108864/ });
  create('-f', 'qcow2', '-F', 'qcow2', '-b', at('big.qcow2'), at('overlay.qcow2'));
  await t.rejects(diskHandler.acquire(spec({ base: 'overlay.qcow2' }), ctx), { code: 'BaseHasBackingFile', hint: /qemu-img convert/ });
  await t.rejects(diskHandler.acquire(spec({ base: { type: 'docker.image', id: 'x', title: 'x', files: [], data: {} } }), ctx), { code: 'WrongArtifact' });
  await t.rejects(diskHandler.acquire(spec({ base: { type: 'rootfs.tarball', id: 'x', title: 'x', files: [], data: {} } }), ctx), { code: 'WrongArtifact', hint: /rootfs/ });
});

t.test('a base that has its content in other files of this computer is refused', async (t) => {
  if (!(await need(t, 'qemu'))) return;
  const ctx = stepContext(t);
  const at = (name: string) => join(ctx.run.project, name);
  const spec = (base: string) => ({ output: 'web.qcow2', mode: 'overlay', format: 'qcow2', base }) as const;
  const secret = join(t.testdir({ secret: Buffer.alloc(1024 * 1024, 'x') }), 'secret');
  create('-f', 'qcow2', '-o', `data_file=${at('data.raw')}`, at('data.qcow2'), '1M');
  execFileSync('qemu-img', ['amend', '-f', 'qcow2', '-o', `data_file=${secret}`, at('data.qcow2')]);
  const descriptor = (file: string) => `# Disk DescriptorFile\nversion=1\nCID=1\nparentCID=ffffffff\ncreateType="monolithicFlat"\nRW 2048 FLAT "${file}" 0\n`;
  writeFileSync(at('evil.vmdk'), descriptor(secret));
  for (const base of ['data.qcow2', 'evil.vmdk']) {
    await t.rejects(diskHandler.check!(spec(base), ctx), { code: 'BaseHasOtherFiles', message: secret }, base);
    await t.rejects(diskHandler.acquire(spec(base), ctx), { code: 'BaseHasOtherFiles' }, base);
  }
  writeFileSync(at('good-flat.vmdk'), Buffer.alloc(1024 * 1024));
  writeFileSync(at('good.vmdk'), descriptor('good-flat.vmdk'));
  await t.resolves(diskHandler.acquire(spec('good.vmdk'), ctx), 'a vmdk in two files beside each other');
  create('-f', 'vmdk', at('one.vmdk'), '1M');
  await t.resolves(diskHandler.check!(spec('one.vmdk'), ctx), 'a vmdk in one file');
});

t.test('what QEMU would take for a raw disk, and is none', async (t) => {
  if (!(await need(t, 'qemu'))) return;
  const ctx = stepContext(t);
  const at = (name: string) => join(ctx.run.project, name);
  const check = (base: string, more = {}) => diskHandler.check!({ output: 'web.qcow2', mode: 'overlay', format: 'qcow2', base, ...more }, ctx);
  writeFileSync(at('web.qcow2.gz'), gzipSync(Buffer.alloc(4 * 1024 * 1024)));
  await t.rejects(check('web.qcow2.gz'), { code: 'NotADisk', message: /packed with gzip/, hint: /gunzip/ });
  writeFileSync(at('error.img'), '<html>not found</html>'.repeat(1_000));
  await t.rejects(check('error.img'), { code: 'NotADisk', hint: /diskFormat: 'raw'/ });
  await t.resolves(check('error.img', { baseFormat: 'raw' }), 'who names the format is believed');
  writeFileSync(at('short.img'), 'x');
  await t.rejects(check('short.img'), { code: 'NotADisk', message: /only 1 bytes/ });
  writeFileSync(at('empty.raw'), Buffer.alloc(1024 * 1024));
  await t.resolves(check('empty.raw'), 'an empty disk is one');
});

t.test('a base that a running machine writes to is said to be in use', async (t) => {
  if (!(await need(t, 'qemu'))) return;
  const ctx = stepContext(t);
  const file = join(ctx.run.project, 'busy.qcow2');
  create('-f', 'qcow2', file, '1M');
  const holder = spawn('qemu-io', ['-f', 'qcow2', file], { stdio: ['pipe', 'pipe', 'ignore'] });
  t.teardown(() => { holder.kill('SIGKILL'); });
  await new Promise((resolve) => { holder.stdout.once('data', resolve); }); // its prompt: it has the file open
  await t.rejects(diskHandler.check!({ output: 'web.qcow2', mode: 'overlay', format: 'qcow2', base: 'busy.qcow2' }, ctx), { code: 'DiskInUse', hint: /switch the virtual machine off/ });
});

t.test('a host disk that is full in the middle of writing leaves nothing under the final name', async (t) => {
  if (!(await need(t, 'qemu')) || !(await need(t, 'tmpfs'))) return;
  const small = await smallDisk(t, 2_048);
  const ctx = stepContext(t);
  const { disks } = await diskHandler.acquire({ output: 'web.qcow2', base: base(t), mode: 'overlay', format: 'qcow2' }, ctx);
  await t.rejects(imageHandler.acquire({ ...imageSpec, disks, output: join(small, 'web.raw'), format: 'raw' }, ctx), { code: 'DiskFull' });
  t.notOk(readdirSync(small).includes('web.raw'));
});
