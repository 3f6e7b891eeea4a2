// The handlers of disks and images with real qemu-img, without a machine.
import { execFileSync } from 'node:child_process';
import { existsSync, readdirSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
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

t.test('a host disk that is full in the middle of writing leaves nothing under the final name', async (t) => {
  if (!(await need(t, 'qemu')) || !(await need(t, 'tmpfs'))) return;
  const small = await smallDisk(t, 2_048);
  const ctx = stepContext(t);
  const { disks } = await diskHandler.acquire({ output: 'web.qcow2', base: base(t), mode: 'overlay', format: 'qcow2' }, ctx);
  await t.rejects(imageHandler.acquire({ ...imageSpec, disks, output: join(small, 'web.raw'), format: 'raw' }, ctx), { code: 'DiskFull' });
  t.notOk(readdirSync(small).includes('web.raw'));
});
