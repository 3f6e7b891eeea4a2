// A root tree made bootable, and booted by SeaBIOS and by OVMF: the run's keys let in, and the host key is the run's.
import { execFile, spawn } from 'node:child_process';
import { copyFile, mkdir, readFile, rm, stat, symlink, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { performance } from 'node:perf_hooks';
import { promisify } from 'node:util';
import t, { type Test } from 'tap';
import { rootDiskHandler } from '../../../lib/platforms/qemu/engine/root-disk-handler.js';
import { debianTree } from '../../support/debian-tree.js';
import { need, type Part } from '../../support/need.js';
import { stepContext } from '../../support/step-context.js';

const execute = promisify(execFile);
const mebibyte = 1024 * 1024;
const size = 1024 * mebibyte;
const command = 'echo ready; stat -c %U:%a ~/.ssh/authorized_keys; id -un; stat -c %U:%a /etc/ssh/ssh_host_ed25519_key; ls /etc/ssh; findmnt -no FSTYPE,OPTIONS /; test -d /sys/firmware/efi && echo by-uefi || echo by-bios';

const tarball = (path: string) => ({ type: 'rootfs.tarball', id: path, title: 'a root tree', files: [{ path, size: 1 }], data: {} });

async function keys(folder: string): Promise<{ readonly authorizedKey: string; readonly hostKeyFile: string; readonly hostPublicKey: string; readonly login: string }> {
  for (const name of ['login', 'host']) await execute('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-C', name, '-f', join(folder, name)]);
  const [login = '', host = ''] = await Promise.all(['login.pub', 'host.pub'].map((name) => readFile(join(folder, name), 'utf8')));
  return { authorizedKey: login.trim(), hostKeyFile: join(folder, 'host'), hostPublicKey: host.trim(), login: join(folder, 'login') };
}

async function needs(t: Test, ...parts: readonly Part[]): Promise<boolean> {
  for (const part of parts) if (!(await need(t, part))) return false;
  return true;
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await new Promise((resolve) => { server.once('listening', resolve); });
  const { port } = server.address() as { readonly port: number };
  await new Promise((resolve) => { server.close(resolve); });
  return port;
}

/** What `command` says in a guest that has started from the disk; the disk is not changed. */
async function sayInGuest(t: Test, disk: string, { user, login, hostPublicKey, folder, uefi }: { readonly user: string; readonly login: string; readonly hostPublicKey: string; readonly folder: string; readonly uefi: boolean }): Promise<string> {
  const port = await freePort();
  const vars = join(folder, 'vars.fd');
  if (uefi) await copyFile('/usr/share/OVMF/OVMF_VARS_4M.fd', vars);
  const drive = (file: string, more: string) => ['-drive', `if=pflash,unit=${more},format=raw,file=${file}`];
  const started = performance.now();
  const guest = spawn('qemu-system-x86_64', [
    '-nodefaults', '-machine', 'q35', '-accel', 'tcg', '-cpu', 'max,la57=off', '-smp', '2', '-m', '512', '-display', 'none', '-serial', `file:${join(folder, 'serial.log')}`, '-snapshot',
    ...(uefi ? [...drive('/usr/share/OVMF/OVMF_CODE_4M.fd', '0,readonly=on'), ...drive(vars, '1')] : []),
    '-drive', `if=virtio,format=raw,file=${disk}`, '-netdev', `user,id=n,restrict=on,hostfwd=tcp:127.0.0.1:${port}-:22`, '-device', 'virtio-net-pci,netdev=n,romfile=', '-device', 'virtio-rng-pci',
  ], { stdio: 'inherit' });
  const ended = new Promise<void>((resolve) => { guest.once('exit', () => resolve()); });
  try {
    await writeFile(join(folder, 'known_hosts'), `[127.0.0.1]:${port} ${hostPublicKey}\n`);
    const ssh = ['-F', 'none', '-i', login, '-p', String(port), '-o', `UserKnownHostsFile=${join(folder, 'known_hosts')}`, '-o', 'StrictHostKeyChecking=yes', '-o', 'BatchMode=yes', '-o', 'ConnectTimeout=3', '-o', 'LogLevel=ERROR', `${user}@127.0.0.1`, command];
    for (;;) {
      const said = await execute('ssh', ssh).then(({ stdout }) => stdout, (error: { readonly stderr: string }) => error);
      if (typeof said === 'string') {
        t.comment(`ssh answered ${((performance.now() - started) / 1000).toFixed(1)} s after the start`);
        return said;
      }
      if (guest.exitCode !== null || performance.now() - started > 150_000 || /verification failed/.test(said.stderr)) throw new Error(`${said.stderr}\n${(await readFile(join(folder, 'serial.log'), 'utf8')).slice(-3_000)}`);
    }
  } finally {
    guest.kill('SIGKILL');
    await ended;
  }
}

// By BIOS one starts in examples/qemu-debian.
t.test('a root tree starts by UEFI, and lets a user in with the key of the run', { timeout: 400_000 }, async (t) => {
  if (!(await needs(t, 'qemu', 'mmdebstrap', 'mtools', 'sshd', 'zstd'))) return;
  const ctx = stepContext(t);
  const folder = ctx.run.project;
  const pair = await keys(folder);
  const archive = join(folder, 'debian.tar.zst');
  await execute('zstd', ['-q', '-1', '-T0', await debianTree(), '-o', archive]);
  const spec = { artifact: tarball(archive), output: 'web.qcow2', size, architecture: 'x86_64' as const, user: 'baker', authorizedKey: pair.authorizedKey, hostKeyFile: pair.hostKeyFile, hostPublicKey: pair.hostPublicKey };
  const started = performance.now();
  const handle = await rootDiskHandler.acquire(spec, ctx);
  t.comment(`the disk took ${((performance.now() - started) / 1000).toFixed(1)} s`);
  t.same(handle.injected, ['/etc/ssh/ssh_host_ed25519_key', '/etc/ssh/ssh_host_ed25519_key.pub']);
  const facts = await stat(handle.file);
  t.equal(facts.size, size);
  t.ok(facts.blocks * 512 < size * 0.7, 'it is sparse');

  const said = await sayInGuest(t, handle.file, { ...pair, user: 'baker', folder, uefi: true });
  t.match(said, 'ready\nbaker:600\nbaker\nroot:600\n');
  t.match(said, /ssh_host_ed25519_key\.bake-before/, 'the tree\'s own key is kept for later');
  t.match(said, /^ext4 +rw,/m);
  t.match(said, 'by-uefi');

  const found = await rootDiskHandler.find(ctx.token, spec, ctx);
  t.equal(found?.folder, handle.folder);
  await rootDiskHandler.release(found!, ctx);
  await rootDiskHandler.release(found!, ctx);
  t.equal(await rootDiskHandler.find(ctx.token, spec, ctx), undefined);
});

t.test('a tree as a folder is taken, and what cannot boot or does not fit is said', async (t) => {
  if (!(await needs(t, 'qemu', 'mtools'))) return;
  const ctx = stepContext(t);
  const tree = join(ctx.run.project, 'tree');
  const spec = { artifact: { type: 'rootfs.directory', id: tree, title: 'a root tree', files: [], data: {} }, output: 'web.qcow2', size: 256 * mebibyte, architecture: 'x86_64' as const };
  await mkdir(join(tree, 'boot'), { recursive: true });
  await mkdir(join(tree, 'etc'));
  await t.rejects(rootDiskHandler.acquire(spec, ctx), { code: 'NoKernel', hint: /linux-image-cloud-amd64/ });
  for (const version of ['6.1.0-9', '6.1.0-10']) await writeFile(join(tree, `boot/vmlinuz-${version}`), 'kernel');
  const { file } = await rootDiskHandler.acquire({ ...spec, kernelParameters: ["dyndbg='a;b'"] }, ctx);
  const config = await execute('debugfs', ['-R', 'cat /boot/grub/grub.cfg', `${file}?offset=${50 * mebibyte}`]);
  t.match(config.stdout, /linux \/boot\/vmlinuz-6\.1\.0-10 root=PARTUUID=/, 'the newest one');
  t.match(config.stdout, String.raw`'dyndbg='\''a;b'\'''`);
  await t.rejects(rootDiskHandler.acquire({ ...spec, authorizedKey: 'ssh-ed25519 AAAA', user: 'nobody-there' }, ctx), { code: 'NoSuchUser' });
  await t.rejects(rootDiskHandler.acquire({ ...spec, size: 32 * mebibyte }, ctx), { code: 'DiskTooSmall' });
  await writeFile(join(tree, 'large'), Buffer.alloc(300 * mebibyte, 'x'));
  await t.rejects(rootDiskHandler.acquire(spec, ctx), { code: 'DiskTooSmall', hint: /diskSize/ });
});

t.test('links in a tree lead to nothing outside of it', async (t) => {
  if (!(await needs(t, 'qemu', 'mtools', 'root'))) return;
  const ctx = stepContext(t);
  const at = (name: string) => join(ctx.run.project, name);
  const { authorizedKey, hostKeyFile, hostPublicKey } = await keys(ctx.run.project);
  await mkdir(at('tree/root/.ssh'), { recursive: true });
  await mkdir(at('tree/boot'));
  await mkdir(at('tree/etc'));
  await mkdir(at('outside'));
  await writeFile(at('outside/file'), 'mine');
  await writeFile(at('tree/boot/vmlinuz-1'), 'kernel');
  await writeFile(at('tree/etc/passwd'), 'root:x:0:0:root:/root:/bin/sh\n');
  await symlink(at('outside'), at('tree/etc/ssh'));
  await symlink(at('outside'), at('tree/boot/grub'));
  await symlink(at('outside/file'), at('tree/etc/fstab'));
  const artifact = { type: 'rootfs.directory', id: at('tree'), title: 'a root tree', files: [], data: {} };
  const spec = { artifact, output: 'web.qcow2', size: 256 * mebibyte, architecture: 'x86_64' as const, hostKeyFile, hostPublicKey };
  await rootDiskHandler.acquire(spec, ctx);
  await symlink(at('outside/file'), at('tree/root/.ssh/authorized_keys'));
  await t.rejects(rootDiskHandler.acquire({ ...spec, authorizedKey }, ctx), { code: 'UnsafeTree' });
  t.equal(await readFile(at('outside/file'), 'utf8'), 'mine');
  t.same((await execute('ls', [at('outside')])).stdout, 'file\n');
  await rm(at('tree'), { recursive: true });
});
