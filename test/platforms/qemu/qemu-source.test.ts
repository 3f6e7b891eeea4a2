import t from 'tap';
import { Secret } from '../../../lib/core/secret.js';
import { Size } from '../../../lib/core/size.js';
import { App } from '../../../lib/image/app.js';
import { Image } from '../../../lib/image/image.js';
import { str } from '../../../lib/image/ref.js';
import { Download, HostKey, QemuSource, type QemuSourceProps } from '../../../lib/platforms/qemu/index.js';
import { BootstrapSource } from '../../../lib/platforms/rootfs/index.js';
import { Verify } from '../../../lib/post-processors/verify/verify.js';
import { Shell } from '../../../lib/provisioners/shell/shell.js';
import { synthesize } from '../../../lib/synth/synthesize.js';

const login = { user: 'admin', password: Secret.env('PASSWORD'), hostKey: HostKey.insecureAcceptAny() };

function synth(props: QemuSourceProps, more: (image: Image) => void = () => {}) {
  const app = new App();
  const image = new Image(app, 'Web');
  new QemuSource(image, 'Qemu', props);
  more(image);
  const { plans, diagnostics } = synthesize({ apps: [app], diagnostics: [] });
  const steps = plans[0]?.steps ?? [];
  const specOf = (id: string) => steps.find((step) => step.id === id)?.spec as Record<string, unknown>;
  return { steps, diagnostics, specOf, codes: diagnostics.map(({ code }) => code) };
}

t.test('a disk with cloud-init gets keys of the run, and loses them at the end', (t) => {
  const { steps, diagnostics, specOf } = synth({ disk: 'base.qcow2' }, (image) => { new Shell(image, 'Hello', { inline: ['true'] }); });
  t.strictSame(diagnostics, []);
  t.strictSame(steps.map((step) => step.id.replace('Web/', '')), [
    'Qemu/Host', 'Qemu/KeyPair', 'Qemu/HostKeyPair', 'Qemu/Disk', 'Qemu/Seed', 'Qemu/Machine', 'Qemu/Ready', 'Qemu:Hello', 'Qemu/Tidy', 'Qemu/Shutdown', 'Qemu/Image',
  ]);
  const seed = { authorizedKeys: [{ $ref: 'Web/Qemu/KeyPair#publicKey' }], hostKey: { privateKeyFile: { $ref: 'Web/Qemu/HostKeyPair#privateKeyFile' }, publicKey: { $ref: 'Web/Qemu/HostKeyPair#publicKey' } } };
  t.match(specOf('Web/Qemu/Seed'), seed);
  t.match(specOf('Web/Qemu/Machine'), { connection: { kind: 'ssh', user: 'root', hostKey: { policy: 'publicKey', keys: [{ $ref: 'Web/Qemu/HostKeyPair#publicKey' }] } }, accelerator: { $ref: 'Web/Qemu/Host#accelerator' } });
  t.match(specOf('Web/Qemu/Tidy'), { authorizedKey: { $ref: 'Web/Qemu/KeyPair#publicKey' }, hostPublicKey: { $ref: 'Web/Qemu/HostKeyPair#publicKey' }, cloudInit: true });
  t.match(specOf('Web/Qemu/Shutdown'), { command: 'poweroff', timeout: 300_000 });
  t.strictSame(steps.at(-1)?.needs?.includes('Web/Qemu/Shutdown'), true, 'the image is written when the machine is off');
  t.end();
});

t.test('a disk with a login of its own gets no keys', (t) => {
  const { steps, diagnostics, specOf } = synth({ disk: 'base.qcow2', ssh: login, shutdownCommand: 'sudo poweroff' });
  t.strictSame(diagnostics, []);
  t.strictSame(steps.map((step) => step.id.replace('Web/Qemu/', '')), ['Host', 'Disk', 'Machine', 'Ready', 'Shutdown', 'Image']);
  t.match(specOf('Web/Qemu/Machine'), { connection: { password: { $secret: { from: 'env', name: 'PASSWORD' } } } });
  t.match(specOf('Web/Qemu/Shutdown'), { command: 'sudo poweroff', powerButton: true });
  t.end();
});

t.test('an installation types at the keyboard, serves files, and starts on an empty disk', (t) => {
  const { steps, diagnostics, specOf } = synth({
    iso: Download.fromUrl('https://example.org/debian.iso', { checksum: `sha256:${'0'.repeat(64)}` }), diskSize: Size.gibibytes(8),
    http: { content: { '/preseed.cfg': 'd-i' } }, bootCommand: ['<esc><wait>', 'install<enter>'], ssh: { ...login, user: 'root' },
  });
  t.strictSame(diagnostics, []);
  t.strictSame(steps.map((step) => step.id.replace('Web/Qemu/', '')), ['Host', 'Http', 'Disk', 'Iso', 'Machine', 'BootCommand', 'Ready', 'Shutdown', 'Image']);
  t.match(specOf('Web/Qemu/Disk'), { size: 8 * 1024 ** 3 });
  t.match(specOf('Web/Qemu/Machine'), { cds: [{ $ref: 'Web/Qemu/Iso#file' }] });
  t.match(specOf('Web/Qemu/BootCommand'), { wait: 10_000 });
  t.end();
});

t.test('a root tree is made bootable with the keys in it', (t) => {
  const app = new App();
  const base = new BootstrapSource(new Image(app, 'Base'), 'Rootfs', { packages: ['linux-image-cloud-amd64'] });
  new QemuSource(new Image(app, 'Web'), 'Qemu', { rootfs: base.artifact, skipCompaction: true });
  const { plans, diagnostics } = synthesize({ apps: [app], diagnostics: [] });
  t.strictSame(diagnostics, []);
  const steps = plans.find((plan) => plan.image === 'Web')!.steps;
  t.match(steps.find((step) => step.id === 'Web/Qemu/RootDisk')?.spec, { artifact: { $ref: 'Base/Rootfs/Tarball#artifact' }, authorizedKey: { $ref: 'Web/Qemu/KeyPair#publicKey' } });
  t.match(steps.find((step) => step.id === 'Web/Qemu/Disk')?.spec, { base: { $ref: 'Web/Qemu/RootDisk#file' }, baseFormat: 'raw', mode: 'own' });
  t.end();
});

t.test('with communicator none the machine is waited for', (t) => {
  const { steps, diagnostics, specOf } = synth({ disk: 'base.qcow2', communicator: 'none', cloudInit: { userData: { runcmd: ['poweroff'] } } });
  t.strictSame(diagnostics, []);
  t.strictSame(steps.map((step) => step.id.replace('Web/Qemu/', '')), ['Host', 'Disk', 'Seed', 'Machine', 'Shutdown', 'Image']);
  t.match(specOf('Web/Qemu/Shutdown'), { powerButton: false, timeout: 7_200_000 });
  t.end();
});

t.test('Verify starts the finished image on an overlay, with ports of this computer', (t) => {
  const { steps, diagnostics, specOf } = synth({ disk: 'base.qcow2' }, (image) => { new Verify(image, 'Serves', { checks: [{ http: { port: 80 } }, { command: 'true' }, { port: 80 }] }); });
  t.strictSame(diagnostics, []);
  t.strictSame(steps.map((step) => step.id).filter((id) => id.includes('Serves')), [
    'Web/Qemu:Serves/KeyPair', 'Web/Qemu:Serves/HostKeyPair', 'Web/Qemu:Serves/Host', 'Web/Qemu:Serves/Disk', 'Web/Qemu:Serves/Seed', 'Web/Qemu:Serves/Machine', 'Web/Qemu:Serves/Ready', 'Web/Qemu:Serves',
  ]);
  t.match(specOf('Web/Qemu:Serves/Disk'), { base: { $ref: 'Web/Qemu/Image#artifact' }, mode: 'overlay' });
  t.match(specOf('Web/Qemu:Serves/Machine'), { publish: [80], systemdKeys: { authorizedKey: { $ref: 'Web/Qemu:Serves/KeyPair#publicKey' } } });
  t.end();
});

t.test('what does not fit together is an error with a hint, all at once', (t) => {
  const faults: readonly [QemuSourceProps, readonly string[]][] = [
    [{}, ['NoBase', 'HostKeyNotNamed']],
    [{ disk: 'a', iso: 'b', ssh: login }, ['ConflictingProps']],
    [{ disk: 'https://example.org/a.qcow2' }, ['ChecksumMissing']],
    [{ disk: 'a', cloudInit: false }, ['NoLogin', 'HostKeyNotNamed']],
    [{ iso: 'a' }, ['HostKeyNotNamed']],
    [{ disk: 'a', backingFile: true, format: 'raw' }, ['InvalidProp']],
    [{ disk: 'a', compression: 'zstd', skipCompaction: true }, ['ConflictingProps']],
    [{ disk: 'a', compression: 'zstd', format: 'raw' }, ['InvalidProp']],
    [{ disk: 'a', firmware: { type: 'bios', secureBoot: true } }, ['InvalidProp']],
    [{ disk: 'a', netBridge: 'br0', hostPort: 2222 }, ['ConflictingProps']],
    [{ disk: 'a', headless: true, display: 'gtk' }, ['ConflictingProps']],
    [{ disk: 'a', communicator: 'none', ssh: login, trim: 'zero' }, ['ConflictingProps']],
    [{ disk: 'a', bootCommand: ['<wait'] , ssh: login }, ['InvalidBootCommand']],
    [{ disk: 'a', qemuArgs: [['-append', Secret.env('TOKEN')]] }, ['SecretInArguments']],
    [{ disk: 'a', kernel: { kernel: 'vmlinuz', arguments: str`token=${Secret.env('TOKEN')}` } }, ['SecretInArguments']],
    [{ disk: 'a', disksize: Size.gibibytes(1) } as QemuSourceProps, ['UnknownProp']],
    [{ disk: 'a', firmware: { type: 'uefi', varz: 'x' } as never }, ['UnknownProp']],
    [{ disk: 'a', macAddress: 'nonsense' }, ['InvalidProp']],
    [{ disk: 'a', cpus: 0 }, ['InvalidProp']],
  ];
  for (const [props, expected] of faults) {
    const { codes, diagnostics } = synth(props);
    t.strictSame(codes, expected, JSON.stringify(Object.keys(props)));
    t.strictSame(diagnostics.filter(({ hint, construct }) => hint === undefined || construct !== 'Web/Qemu'), [], 'each has a hint');
  }
  t.end();
});

t.test('a range of ports for the screen that cannot be is an error of the plan', (t) => {
  const { diagnostics } = synth({ disk: 'base.qcow2', vnc: { portMin: 80 } });
  t.match(diagnostics, [{ message: /vnc\.portMin/, hint: /5900/ }]);
  t.match(synth({ disk: 'base.qcow2', vnc: { portMin: 5_950, portMax: 5_949 } }).diagnostics, [{ message: /vnc\.portMax/, hint: /lower than portMin/ }]);
  t.end();
});
