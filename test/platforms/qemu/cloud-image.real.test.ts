// A Debian with cloud-init, as clouds have it: configured by the user's data, entered with the keys of the run, clean at the end.
import { existsSync, statSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import type { Artifact } from '../../../lib/core/artifact.js';
import { rootDiskHandler } from '../../../lib/platforms/qemu/engine/root-disk-handler.js';
import { bake } from '../../support/bake-cli.js';
import { debianTree } from '../../support/debian-tree.js';
import { need } from '../../support/need.js';
import { stepContext } from '../../support/step-context.js';
import { qemuLeftovers } from './qemu-leftovers.js';

const gibibyte = 1024 ** 3;
const artifactOf = (path: string, type = 'rootfs.tarball'): Artifact => ({ type, id: path, title: path, files: [{ path, size: statSync(path).size }], data: {} });

t.test('UEFI, a TPM, cloud-init with the user\'s own data, and a login that is not root', { timeout: 300_000 }, async (t) => {
  if (!(await need(t, 'qemu')) || !(await need(t, 'mmdebstrap')) || !(await need(t, 'xorriso'))) return;
  const ctx = stepContext(t);
  const { file } = await rootDiskHandler.acquire({ artifact: artifactOf(await debianTree()), output: 'cloud.qcow2', size: 2 * gibibyte, architecture: 'x86_64' }, ctx);
  const project = t.testdir({
    'image.ts': `import { App, File, Image, Shell, Size, Verify } from 'bake-sdk';
import { QemuSource } from 'bake-sdk/qemu';
const image = new Image(new App(), 'Cloud');
new QemuSource(image, 'Vm', {
  disk: '${file}', accelerator: 'tcg', cpus: 2, firmware: 'uefi', tpm: true, output: 'cloud.qcow2', trim: 'discard', ssh: { user: 'admin' }, shutdownCommand: 'sudo poweroff',
  cloudInit: { userData: { write_files: [{ path: '/etc/mine', content: 'from the user' }] }, hostname: 'baked' },
});
new Shell(image, 'Look', { inline: ['grep "from the user" /etc/mine', 'hostname', 'test -d /sys/firmware/efi', 'ls /dev/tpm0', 'sudo id -u'] });
new Verify(image, 'Clean', { checks: [
  { command: 'sudo test "$(sudo wc -l < /home/admin/.ssh/authorized_keys)" = 1' }, { command: 'test -d /sys/firmware/efi' }, { command: 'sudo cat /etc/machine-id', stdout: /^[0-9a-f]{32}\\s*$/ },
] });
`,
  });
  const { code, stdout, stderr } = await bake(project, ['run']);
  const all = stdout + stderr;
  t.equal(code, 0, stderr);
  t.match(all, /from the user/);
  t.match(all, /baked/);
  t.match(all, /tpm0/);
  t.ok(existsSync(join(project, 'cloud.efivars.fd')), 'the variables of the firmware come with the disk');
  t.same(qemuLeftovers(project), []);
  await rootDiskHandler.release({ file: '', folder: join(file, '..'), injected: [] }, ctx);
});
