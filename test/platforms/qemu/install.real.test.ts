// An unattended installation from a CD, answered at its prompt and over the web server; the installed machine is built on.
import { execFileSync } from 'node:child_process';
import t from 'tap';
import { bake } from '../../support/bake-cli.js';
import { leftovers } from '../../support/leftovers.js';
import { miniInstaller } from '../../support/mini-installer.js';
import { need } from '../../support/need.js';
import { tinyGuest } from '../../support/tiny-guest.js';
import { qemuLeftovers } from './qemu-leftovers.js';

t.test('from the CD to an image, with the checksum of the CD, the key of the run and a boot command', async (t) => {
  if (!(await need(t, 'qemu')) || !(await need(t, 'xorriso'))) return;
  const [{ iso, folder }, { hostPublicKey }] = [await miniInstaller(), await tinyGuest()];
  const sum = execFileSync('sha256sum', [iso], { encoding: 'utf8' }).split(' ')[0];
  const project = t.testdir({
    'image.ts': `import { App, build, Duration, Image, Shell, Size, str, Verify } from 'bake-sdk';
import { Download, HostKey, QemuSource } from 'bake-sdk/qemu';
const image = new Image(new App(), 'Installed');
new QemuSource(image, 'Vm', {
  iso: Download.fromUrl('${iso}', { checksum: 'sha256:${sum}' }), accelerator: 'tcg', memory: Size.mebibytes(512), cpus: 1, diskSize: Size.gibibytes(1), diskDetectZeroes: 'unmap',
  http: { directory: str\`${folder}\`, content: { '/authorized_keys': str\`\${build.sshPublicKey}\\n\` } },
  bootWait: Duration.seconds(3), bootCommand: [str\`install from=\${build.httpAddress}<enter>\`],
  ssh: { hostKey: HostKey.publicKey('${hostPublicKey}') }, output: 'installed.qcow2',
});
new Shell(image, 'Look', { inline: ['grep -c ssh-ed25519 /root/.ssh/authorized_keys', 'echo installed > /root/mark'] });
`,
  });
  const { code, stdout, stderr } = await bake(project, ['run'], { BAKE_CACHE_DIR: `${project}/cache` });
  t.equal(code, 0, stderr);
  t.match(stdout + stderr, /GET \/system\.raw\.gz 200/);
  t.match(stdout + stderr, /GET \/authorized_keys 200/);
  t.same([...leftovers(project), ...qemuLeftovers(project)], []);
});
