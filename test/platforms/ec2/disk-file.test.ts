import { execFileSync } from 'node:child_process';
import { appendFileSync, closeSync, existsSync, openSync, readFileSync, truncateSync, writeFileSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import type { Artifact } from '../../../lib/core/artifact.js';
import { BakeError } from '../../../lib/core/bake-error.js';
import { blocksOf, countBlocks, putBlocks } from '../../../lib/platforms/ec2/engine/disk-blocks.js';
import { diskOf, diskSize, openDisk } from '../../../lib/platforms/ec2/engine/disk-file.js';
import { gibibytesOf, startOf } from '../../../lib/platforms/ec2/engine/imported-disk.js';
import { blockSize } from '../../../lib/platforms/ec2/engine/upload-port.js';
import { need } from '../../support/need.js';
import { stepContext } from '../../support/step-context.js';

const never = new AbortController().signal;
const artifactOf = (path: string, data: Artifact['data'] = {}, files: readonly object[] = [{ path, size: 1 }]): Artifact => ({ type: 'files', id: path, title: path, files: files as Artifact['files'], data });

/** Puts a disk together again of what was put. */
async function copyOf(disk: Awaited<ReturnType<typeof openDisk>>) {
  const bytes = Buffer.alloc(Math.ceil(disk.size / blockSize) * blockSize);
  const indexes: number[] = [];
  await putBlocks(disk, async ({ index, data }) => { bytes.set(data, index * blockSize); indexes.push(index); }, () => {}, never);
  return { bytes: bytes.subarray(0, disk.size), indexes: indexes.sort((a, b) => a - b) };
}

/** 40 MiB with something at the beginning, over the end of a block, and at its end. */
function writeDisk(t: Test) {
  const path = join(t.testdir({}), 'disk.raw');
  writeFileSync(path, 'begin');
  truncateSync(path, 40 * 1024 ** 2 - 3_000);
  const file = openSync(path, 'r+');
  writeSync(file, 'x'.repeat(10_000), 20 * blockSize - 5_000);
  closeSync(file);
  appendFileSync(path, 'end'.repeat(1_000));
  return path;
}

t.test('blocks are cut out of what is there, each once', (t) => {
  const blocks = [...blocksOf([{ start: 3, length: 4, offset: 103 }, { start: 9, length: 1, offset: 9 }, { start: 18, length: 25, offset: 0 }], 10)];
  t.strictSame(blocks, [
    { index: 0, parts: [{ offset: 103, length: 4, at: 3 }, { offset: 9, length: 1, at: 9 }] }, { index: 1, parts: [{ offset: 0, length: 2, at: 8 }] },
    { index: 2, parts: [{ offset: 2, length: 10, at: 0 }] }, { index: 3, parts: [{ offset: 12, length: 10, at: 0 }] }, { index: 4, parts: [{ offset: 22, length: 3, at: 0 }] },
  ]);
  t.strictSame([...blocksOf([])], []);
  t.end();
});

t.test('a disk is read as a machine sees it, whatever its format, and what is empty is not read', async (t) => {
  if (!(await need(t, 'qemu'))) return;
  const raw = writeDisk(t);
  const plain = readFileSync(raw);
  for (const [format, args, isConverted] of [['raw', [], false], ['qcow2', [], false], ['qcow2', ['-c'], true], ['vmdk', [], true], ['vdi', [], true], ['vhdx', [], true], ['vpc', ['-o', 'force_size=on'], true]] as const) {
    const name = `${format} ${args.join(' ')}`;
    const path = join(t.testdirName, `disk.${format}`);
    if (format !== 'raw') execFileSync('qemu-img', ['convert', '-f', 'raw', '-O', format, ...args, raw, path]);
    const ctx = stepContext(t);
    const tmp = join(t.testdirName, 'tmp');
    const disk = await openDisk({ file: format === 'raw' ? raw : path, format }, tmp, ctx);
    t.equal(existsSync(join(tmp, 'disk.raw')), isConverted, `${name} is ${isConverted ? '' : 'not '}written out`);
    const { bytes, indexes } = await copyOf(disk);
    t.ok(bytes.subarray(0, plain.length).equals(plain), `${name}: the same bytes`);
    t.strictSame(indexes, [0, 19, 20, 79], name);
    t.ok(countBlocks(disk.extents) <= 6, `${name}: ${countBlocks(disk.extents)} looked at`);
    await disk.close();
    t.notOk(existsSync(join(tmp, 'disk.raw')), `${name}: nothing stays`);
  }
});

t.test('what stands on another disk is read with it', async (t) => {
  if (!(await need(t, 'qemu'))) return;
  const raw = writeDisk(t);
  const path = join(t.testdirName, 'top.qcow2');
  execFileSync('qemu-img', ['create', '-q', '-f', 'qcow2', '-F', 'raw', '-b', raw, path]);
  const disk = await openDisk({ file: path, format: 'qcow2' }, join(t.testdirName, 'tmp'), stepContext(t));
  t.ok((await copyOf(disk)).bytes.equals(readFileSync(raw)));
});

t.test('without qemu-img a raw disk can be read all the same, and another one cannot', async (t) => {
  const raw = writeDisk(t);
  const ctx = stepContext(t, { exec: { run: async () => { throw new BakeError({ code: 'CommandNotFound', message: 'no' }); } } });
  const { bytes, indexes } = await copyOf(await openDisk({ file: raw, format: 'raw' }, t.testdirName, ctx));
  t.ok(bytes.equals(readFileSync(raw)));
  t.strictSame(indexes, [0, 19, 20, 79], 'what is empty is not put');
  t.equal(await diskSize({ file: raw, format: 'raw' }, ctx), readFileSync(raw).length);
  await t.rejects(openDisk({ file: raw, format: 'qcow2' }, t.testdirName, ctx), { code: 'CommandNotFound', hint: /qemu-utils/ });
});

t.test('what is no disk is told', async (t) => {
  if (!(await need(t, 'qemu'))) return;
  const raw = writeDisk(t);
  await t.rejects(openDisk({ file: raw, format: 'qcow2' }, t.testdirName, stepContext(t)), { code: 'NotADisk', message: /qcow2/i, hint: /format/ });
  const { warn } = stepContext(t);
  const of = (artifact: Artifact, format?: 'vmdk') => diskOf({ artifact, ...(format === undefined ? {} : { format }) }, warn);
  t.throws(() => of(artifactOf('', {}, [])), { code: 'NotADisk' });
  t.throws(() => of(artifactOf('/a/web.qcow2.gz', { format: 'gz' })), { code: 'NotADisk', hint: /before it is compressed/ });
  t.match(of(artifactOf('/a/web.VHD')), { format: 'vpc' });
  t.match(of(artifactOf('/a/web.img')), { format: 'raw' });
  t.match(of(artifactOf('/a/web.img', { format: 'qcow2' })), { format: 'qcow2' }, 'as the artifact says');
  t.match(of(artifactOf('/a/web.img', { format: 'qcow2' }), 'vmdk'), { format: 'vmdk' }, 'as the user says');
});

t.test('of several disks the first is taken, which is told, and variables of the firmware are no disk', (t) => {
  const ctx = stepContext(t);
  const files = [{ path: '/a/web.efivars.fd', size: 1, role: 'efivars', format: 'raw' }, { path: '/a/web.qcow2', size: 1, role: 'disk', format: 'qcow2' }, { path: '/a/web-1.qcow2', size: 1, role: 'disk', format: 'qcow2' }];
  t.match(diskOf({ artifact: artifactOf('/a/web.qcow2', {}, files) }, ctx.warn), { file: '/a/web.qcow2', format: 'qcow2' });
  t.match(ctx.warned, [{ code: 'DisksLeftOut', message: /2 disks.*web\.qcow2/ }]);
  t.end();
});

t.test('how a machine of it starts is as the artifact says, unless the user does', (t) => {
  const of = (data: Artifact['data'], wished: Partial<Parameters<typeof startOf>[0]> = {}) => startOf({ artifact: artifactOf('/a/web.raw', data), ...wished });
  t.strictSame(of({}), { architecture: 'x86_64', bootMode: 'legacy-bios' });
  t.strictSame(of({ architecture: 'x86_64', firmware: 'uefi' }), { architecture: 'x86_64', bootMode: 'uefi' });
  t.strictSame(of({ architecture: 'aarch64', firmware: 'uefi' }), { architecture: 'arm64', bootMode: 'uefi' });
  t.strictSame(of({ firmware: 'bios' }, { bootMode: 'uefi-preferred' }), { architecture: 'x86_64', bootMode: 'uefi-preferred' });
  t.strictSame(of({}, { architecture: 'arm64' }), { architecture: 'arm64', bootMode: 'uefi' });
  t.throws(() => of({ architecture: 'riscv64' }), { code: 'UnknownArchitecture', message: /riscv64/ });
  t.throws(() => of({ architecture: 'aarch64', firmware: 'bios' }), { code: 'ConflictingProps' });
  t.end();
});

t.test('a disk takes whole gibibytes, as many as its volume has at most', (t) => {
  t.equal(gibibytesOf(1, {}), 1);
  t.equal(gibibytesOf(2 * 1024 ** 3 + 1, { volumeSize: 3 }), 3);
  t.throws(() => gibibytesOf(2 * 1024 ** 3 + 1, { volumeSize: 2 }), { code: 'DiskLargerThanVolume', hint: /gibibytes\(3\)/ });
  t.throws(() => gibibytesOf(65 * 1024 ** 4, {}), { code: 'DiskTooLarge' });
  t.end();
});

t.test('when a block cannot be put, no other one is begun, and those on the way are waited for', async (t) => {
  const path = join(t.testdir({}), 'full.raw');
  writeFileSync(path, Buffer.alloc(100 * blockSize, 1));
  const disk = { file: path, size: 100 * blockSize, extents: [{ start: 0, length: 100 * blockSize, offset: 0 }], close: async () => {} };
  let [begun, ended] = [0, 0];
  await t.rejects(putBlocks(disk, async ({ index }, signal) => {
    begun++;
    if (index === 3) { ended++; throw new Error('three'); }
    await new Promise<void>((resolve) => { if (signal.aborted) resolve(); else signal.addEventListener('abort', () => resolve(), { once: true }); });
    ended++;
    signal.throwIfAborted();
  }, () => {}, never), /three/);
  t.ok(begun < 40, `${begun}`);
  t.equal(begun, ended);
});

t.test('a disk that somebody writes to meanwhile is not taken for whole', async (t) => {
  const path = join(t.testdir({}), 'full.raw');
  writeFileSync(path, Buffer.alloc(3 * blockSize, 1));
  const disk = { file: path, size: 3 * blockSize, extents: [{ start: 0, length: 3 * blockSize, offset: 0 }], close: async () => {} };
  await t.rejects(putBlocks(disk, async ({ index }) => { if (index === 2) appendFileSync(path, 'more'); }, () => {}, never), { code: 'FileChanged' });
});
