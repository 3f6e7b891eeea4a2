import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { TinyGuest } from '../support/tiny-guest.js';
import type { Case } from './cases.js';

export interface QemuBenchHost {
  readonly folder: string;
  /** `dist/bin/bake.js`. */
  readonly bake: string;
  readonly guest: TinyGuest;
  /** A free port for the work by hand. */
  readonly port: number;
  readonly byHand: string;
}

/** A whole build under TCG: disk, start, login, shells, power off, image; the image is a rename. */
export function qemuCase({ folder, bake, guest, port, byHand }: QemuBenchHost, shells: number): Case {
  const cwd = join(folder, `qemu-${shells}`);
  mkdirSync(cwd, { recursive: true });
  writeFileSync(join(cwd, 'image.ts'), `import { App, Image, Shell, Size } from 'bake-sdk';
import { HostKey, QemuSource } from 'bake-sdk/qemu';
const image = new Image(new App(), 'Web');
new QemuSource(image, 'Vm', {
  disk: '${guest.disk}', accelerator: 'tcg', memory: Size.mebibytes(256), cpus: 1, output: 'bake.qcow2', skipCompaction: true,
  ssh: { privateKeyFile: '${guest.privateKeyFile}', hostKey: HostKey.publicKey('${guest.hostPublicKey}') },
});
for (let i = 0; i < ${shells}; i++) new Shell(image, \`Step\${i}\`, { inline: ['true'] });
`);
  const packer = (name: string, more: string) => {
    writeFileSync(join(cwd, `${name}.pkr.hcl`), `source "qemu" "vm" {
  iso_url = "${guest.disk}"
  iso_checksum = "none"
  disk_image = true
  accelerator = "tcg"
  machine_type = "q35"
  memory = 256
  cpus = 1
  format = "qcow2"
  headless = true
  skip_compaction = true
  output_directory = "output-${name}"
  ssh_username = "root"
  ssh_private_key_file = "${guest.privateKeyFile}"
  ssh_timeout = "5m"
  shutdown_command = "poweroff"
  qemuargs = [["-cpu", "max,la57=off"]]
  ${more}
}
build {
  sources = ["qemu.vm"]
${'  provisioner "shell" {\n    inline = ["true"]\n  }\n'.repeat(shells)}}
`);
    return { command: 'packer', args: ['build', '-force', `${name}.pkr.hcl`], cwd, env: { CHECKPOINT_DISABLE: '1', PACKER_CACHE_DIR: join(cwd, 'packer_cache'), PACKER_CONFIG_DIR: cwd, PACKER_NO_COLOR: '1' } };
  };
  return {
    name: `qemu: whole build under TCG with ${shells} shells`,
    bake: { command: process.execPath, args: [bake, 'run', '--force', '--no-cache'], cwd },
    others: [
      { name: 'script by hand', run: { command: byHand, args: [guest.disk, guest.privateKeyFile, String(shells), String(port)], cwd } },
      { name: 'packer build', run: packer('default', ''), runs: 3 },
      { name: 'packer, boot_wait 0', run: packer('tuned', 'boot_wait = "-1s"'), runs: 3 },
    ],
    goal: { ratio: 1.1, to: 'script by hand' },
  };
}
