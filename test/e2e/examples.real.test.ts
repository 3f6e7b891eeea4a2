// The examples, built as they stand, and what came out started by hand. The third one is the quickstart.
import { execFile, spawn } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, rmSync, symlinkSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import t, { type Test } from 'tap';
import { qemuLeftovers } from '../platforms/qemu/qemu-leftovers.js';
import { bake, startBake } from '../support/bake-cli.js';
import { ec2Client, ec2Leftovers } from '../support/ec2-leftovers.js';
import { leftovers } from '../support/leftovers.js';
import { startMoto } from '../support/moto.js';
import { need } from '../support/need.js';

const execute = promisify(execFile);

/** A copy of an example in a folder of its own, with this package installed. */
function copyOf(t: Test, example: string): string {
  const project = mkdtempSync(join(tmpdir(), `bake-test-${example}-`));
  t.teardown(() => rmSync(project, { recursive: true, force: true }));
  cpSync(join('examples', example), project, { recursive: true, filter: (path) => !/bake\.(out|artifacts)|\.bake|qcow2$/.test(path) });
  mkdirSync(join(project, 'node_modules'));
  symlinkSync(process.cwd(), join(project, 'node_modules/bake-sdk'));
  return project;
}

const freePort = () => new Promise<number>((resolve) => {
  const server = createServer().listen(0, '127.0.0.1', () => {
    const { port } = server.address() as { port: number };
    server.close(() => resolve(port));
  });
});

/** The page that a fresh machine of the disk serves, and its ssh host keys; the disk is not written to. */
async function startedFrom(t: Test, disk: string): Promise<{ readonly page: string; readonly hostKeys: readonly string[] }> {
  const [http, ssh] = [await freePort(), await freePort()];
  const forwards = `hostfwd=tcp:127.0.0.1:${http}-:80,hostfwd=tcp:127.0.0.1:${ssh}-:22`;
  const machine = spawn('qemu-system-x86_64', ['-accel', 'tcg', '-m', '768', '-smp', '2', '-nodefaults', '-display', 'none', '-snapshot', '-drive', `file=${disk},if=virtio`, '-netdev', `user,id=n,${forwards}`, '-device', 'virtio-net-pci,netdev=n'], { stdio: 'ignore' });
  t.teardown(() => { machine.kill('SIGKILL'); });
  for (let attempt = 0; attempt < 180; attempt++) {
    const page = await fetch(`http://127.0.0.1:${http}/`, { signal: AbortSignal.timeout(5_000) }).then((answer) => answer.text(), () => '');
    const { stdout } = await execute('ssh-keyscan', ['-T', '5', '-t', 'ed25519,ecdsa', '-p', String(ssh), '127.0.0.1']).catch(() => ({ stdout: '' }));
    const hostKeys = stdout.split('\n').filter((line) => / (ssh|ecdsa)-/.test(line)).map((line) => line.split(' ')[2]!);
    if (page !== '' && hostKeys.length === 2) return { page, hostKeys };
    await new Promise((resolve) => { setTimeout(resolve, 500); });
  }
  return { page: 'no answer', hostKeys: [] };
}

t.test('qemu-debian: a root tree becomes a disk that boots and serves', { timeout: 600_000 }, async (t) => {
  if (!(await need(t, 'qemu')) || !(await need(t, 'mmdebstrap'))) return;
  const project = copyOf(t, 'qemu-debian');
  const { code, stdout, stderr } = await bake(project, ['run']);
  t.equal(code, 0, stderr);
  t.match(stdout + stderr, /ok: http 80\//);
  t.match(stdout + stderr, /ok: the artifact is as it was/);
  t.same([...leftovers(project), ...qemuLeftovers(project)], []);
  const disk = join(project, 'web.qcow2');
  const [one, other] = await Promise.all([startedFrom(t, disk), startedFrom(t, disk)]);
  t.match(one.page, 'Baked', 'in a fresh machine that bake knows nothing of');
  t.equal(new Set([...one.hostKeys, ...other.hostKeys]).size, 4, 'machines of one image share no host key');
});

t.test('ec2-import: a disk that was built here becomes an AMI', { timeout: 600_000 }, async (t) => {
  if (!(await need(t, 'qemu')) || !(await need(t, 'mmdebstrap')) || !(await need(t, 'moto'))) return;
  const moto = await startMoto(t);
  const project = copyOf(t, 'ec2-import');
  const { code, stdout, stderr } = await bake(project, ['run'], moto.env);
  t.equal(code, 0, stderr);
  t.match(stdout, /AMI web-Qemu \(ami-\w+ in eu-west-1\)/);
  t.same([...leftovers(project), ...qemuLeftovers(project), ...await ec2Leftovers(ec2Client(moto.url))], []);
});

// What follows the preseed file is Debian's: its installer's own packages are not on every mirror.
t.test('qemu-installer: Debian\'s installer starts from the network, is told what to do, and takes its answers', { timeout: 400_000 }, async (t) => {
  if (!(await need(t, 'qemu'))) return;
  const project = copyOf(t, 'qemu-installer');
  const running = startBake(project, ['run']);
  t.teardown(async () => { running.child.kill('SIGINT'); await running.done; }); // its machine would outlive a failure
  await running.saw(/GET \/preseed\.cfg 200/);
  running.child.kill('SIGINT');
  const { code, stderr } = await running.done;
  t.equal(code, 130, stderr);
  t.same([...leftovers(project), ...qemuLeftovers(project)], []);
});
