// Whole builds in a real QEMU with the tiny guest, and what becomes of them.
import { execFileSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { bake, startBake } from '../../support/bake-cli.js';
import { leftovers } from '../../support/leftovers.js';
import { need } from '../../support/need.js';
import { guestImage } from './guest-image.js';
import { qemuLeftovers } from './qemu-leftovers.js';
import { writeTypingDisk } from './typing-disk.js';

const info = (file: string) => JSON.parse(execFileSync('qemu-img', ['info', '--output=json', file], { encoding: 'utf8' })) as Record<string, unknown>;
const artifactIn = (project: string) => {
  const [run = ''] = readdirSync(join(project, '.bake', 'runs')).sort().slice(-1);
  const line = readFileSync(join(project, '.bake', 'runs', run, 'journal.jsonl'), 'utf8').split('\n').findLast((text) => text.includes('"qemu.image"')) ?? '{}';
  return line;
};
const typing = (props: string) => `import { App, Duration, Image } from 'bake-sdk';
import { QemuSource } from 'bake-sdk/qemu';
const image = new Image(new App(), 'Typed');
new QemuSource(image, 'Vm', { disk: 'typing.raw', diskFormat: 'raw', accelerator: 'tcg', communicator: 'none', output: 'typed.qcow2', bootWait: Duration.seconds(2), ${props} });
`;
const nothingLeft = (project: string) => [...leftovers(project), ...qemuLeftovers(project)];

t.test('a build: the guest is provisioned, shut down, and its disk is whole and starts again', async (t) => {
  if (!(await need(t, 'qemu'))) return;
  const project = t.testdir({ 'image.ts': await guestImage('', `new Shell(image, 'Mark', { inline: ['echo "made by bake" > /root/mark'] });
new Verify(image, 'Marked', { checks: [{ command: 'cat /root/mark', stdout: 'made by bake' }, { port: 22 }, { command: 'exit 3', exitCode: 3 }] });`) });
  const { code, stdout, stderr } = await bake(project, ['run']);
  t.equal(code, 0, stderr);
  const image = info(join(project, 'tiny.qcow2'));
  t.equal(image['format'], 'qcow2');
  t.equal(image['backing-filename'], undefined, 'it stands alone');
  t.match(artifactIn(project), /"role":"disk"/);
  const [, sha256 = ''] = /"sha256":"([0-9a-f]{64})"/.exec(artifactIn(project)) ?? [];
  t.equal(execFileSync('sha256sum', [join(project, 'tiny.qcow2')], { encoding: 'utf8' }).split(' ')[0], sha256);
  t.match(stdout + stderr, /ok: cat \/root\/mark/);
  t.same(nothingLeft(project), []);
});

t.test('more disks, a larger one, another interface, and a rename instead of a copy', async (t) => {
  if (!(await need(t, 'qemu'))) return;
  const project = t.testdir({ 'image.ts': await guestImage(`skipCompaction: true, additionalDisks: [Size.mebibytes(64)], diskSize: Size.gibibytes(2), diskInterface: 'virtio-scsi',`, `new Shell(image, 'Disks', { inline: ['ls /dev/sda /dev/sdb', 'cat /sys/class/block/sd?/size'] });`) });
  const { code, stdout, stderr } = await bake(project, ['run']);
  t.equal(code, 0, stderr);
  t.match(stdout + stderr, /4194304/, 'the guest sees 2 GiB');
  t.equal(info(join(project, 'tiny.qcow2'))['virtual-size'], 2 * 1024 ** 3);
  t.equal(info(join(project, 'tiny-1.qcow2'))['virtual-size'], 64 * 1024 ** 2);
  t.same(nothingLeft(project), []);
});

t.test('what is typed arrives, and a machine that switches itself off is waited for', async (t) => {
  if (!(await need(t, 'qemu'))) return;
  const project = t.testdir({ 'image.ts': typing(`bootCommand: ['Hello, World! ~{|}@#', '<wait50ms>', '<leftShiftOn>a<leftShiftOff>b<enter>', '<esc>']`) });
  writeTypingDisk(join(project, 'typing.raw'));
  const { code, stderr } = await bake(project, ['run']);
  t.equal(code, 0, stderr);
  const [log = ''] = readdirSync(join(project, '.bake/runs'), { recursive: true, encoding: 'utf8' }).filter((path) => path.endsWith('.serial.log'));
  t.equal(readFileSync(join(project, '.bake/runs', log), 'latin1'), 'Hello, World! ~{|}@#Ab\r');
  t.equal(info(join(project, 'typed.qcow2'))['format'], 'qcow2');
});

t.test('a machine that does not switch itself off is ended, with its console and a picture of its screen in the error', async (t) => {
  if (!(await need(t, 'qemu'))) return;
  const project = t.testdir({ 'image.ts': typing(`bootCommand: ['stuck'], shutdownTimeout: Duration.milliseconds(500)`) });
  writeTypingDisk(join(project, 'typing.raw'));
  const { code, stderr } = await bake(project, ['run']);
  t.equal(code, 1);
  t.match(stderr, /still on 0.5 s after/);
  t.match(stderr, /stuck/, 'the end of the serial console');
  const [, picture = ''] = /the screen is in (\S+\.(?:png|ppm))/.exec(stderr) ?? [];
  t.ok(existsSync(picture), picture);
  t.same(nothingLeft(project), []);
});

t.test('a backing file stays one, and another build starts from it', async (t) => {
  if (!(await need(t, 'qemu'))) return;
  const text = await guestImage('backingFile: true,', `new Shell(image, 'Mark', { inline: ['echo one > /root/mark'] });`);
  const next = `
const second = new Image(image.node.root as App, 'Second');
new QemuSource(second, 'Vm', { ...common, disk: image.artifact, output: 'second.qcow2' });
new Shell(second, 'Look', { inline: ['grep -q one /root/mark', 'echo found it'] });`;
  const common = /ssh: (\{.*\}),\n/.exec(text)?.[1] ?? '';
  const project = t.testdir({ 'image.ts': `${text}\nconst common = { accelerator: 'tcg', memory: Size.mebibytes(256), cpus: 1, ssh: ${common} } as const;${next}` });
  const { code, stdout, stderr } = await bake(project, ['run']);
  t.equal(code, 0, stderr);
  t.match(stdout + stderr, 'found it');
  t.match(info(join(project, 'tiny.qcow2'))['backing-filename'], /tiny\.qcow2$/);
  t.ok(statSync(join(project, 'tiny.qcow2')).size < 4 * 1024 * 1024, 'only the difference is in it');
  t.equal(info(join(project, 'second.qcow2'))['backing-filename'], undefined);
});

t.test('a failed build leaves nothing, an existing output is not overwritten without --force', async (t) => {
  if (!(await need(t, 'qemu'))) return;
  const project = t.testdir({ 'image.ts': await guestImage('', `new Shell(image, 'Fails', { inline: ['exit 7'] });`), 'tiny.qcow2': 'precious' });
  const refused = await bake(project, ['run']);
  t.not(refused.code, 0);
  t.match(refused.stderr, /OutputExists/);
  t.notMatch(refused.stderr, /virtual machine: .*✔/, 'nothing was started');
  const failed = await bake(project, ['run', '--force']);
  t.equal(failed.code, 1);
  t.match(failed.stderr, /ended with 7|exit code 7|7/);
  t.equal(readFileSync(join(project, 'tiny.qcow2'), 'utf8'), 'precious');
  t.same(nothingLeft(project), []);
});

t.test('Ctrl-C while the machine starts ends it', async (t) => {
  if (!(await need(t, 'qemu'))) return;
  const project = t.testdir({ 'image.ts': await guestImage() });
  const running = startBake(project, ['run']);
  await running.saw(/wait until the machine lets us in/);
  running.child.kill('SIGINT');
  const { code, stderr } = await running.done;
  t.equal(code, 130, stderr);
  t.same(nothingLeft(project), []);
  t.notOk(existsSync(join(project, 'tiny.qcow2')));
});
