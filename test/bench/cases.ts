import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Sshd } from '../support/sshd.js';
import type { Command } from './measure.js';

/** One row of the report: the same work done by `bake` and by others. */
export interface Case {
  readonly name: string;
  readonly bake: Command;
  readonly others: readonly { readonly name: string; readonly run: Command; readonly runs?: number }[];
  /** What `bake` wants to reach, for the report: `other` names the row to be compared with. */
  readonly goal: { readonly seconds: number } | { readonly ratio: number; readonly to: string };
  /** Also measure memory and processes. */
  readonly memory?: boolean;
  /** Takes the counts of what a server was asked for since they were last taken. */
  readonly calls?: () => Readonly<Record<string, number>>;
}

export interface BenchHost {
  readonly folder: string;
  /** `dist/bin/bake.js`. */
  readonly bake: string;
  /** A local image with a shell. */
  readonly image: string;
  readonly sshd: Sshd;
}

const imports = `import { App, File, HostKey, Image, Shell, ShellLocal } from 'bake-sdk';\nimport { DockerSource, DockerTag } from 'bake-sdk/docker';\nimport { NullSource } from 'bake-sdk/null';\nconst app = new App();\n`;

/** Writes the same job for both tools into a folder of its own. */
function project(host: BenchHost, name: string, image: string, packer: string): { readonly bake: (...args: string[]) => Command; readonly packer: (...args: string[]) => Command } {
  const cwd = join(host.folder, name);
  mkdirSync(cwd, { recursive: true });
  writeFileSync(join(cwd, 'image.ts'), imports + image);
  writeFileSync(join(cwd, 'image.pkr.hcl'), packer);
  const env = { CHECKPOINT_DISABLE: '1', PACKER_CACHE_DIR: join(cwd, 'packer_cache'), PACKER_CONFIG_DIR: cwd, PACKER_NO_COLOR: '1' };
  return {
    bake: (...args) => ({ command: process.execPath, args: [host.bake, ...args], cwd }),
    packer: (...args) => ({ command: 'packer', args: [...args, 'image.pkr.hcl'], cwd, env }),
  };
}

export function helpCase(host: BenchHost): Case {
  return { name: 'help', bake: { command: process.execPath, args: [host.bake, '--help'], cwd: host.folder }, others: [{ name: 'packer version', run: { command: 'packer', args: ['version'], cwd: host.folder, env: { CHECKPOINT_DISABLE: '1' } } }], goal: { seconds: 0.12 } };
}

export function synthCase(host: BenchHost): Case {
  const numbers = Array.from({ length: 20 }, (_, index) => index);
  const { bake, packer } = project(host, 'synth', `
const image = new Image(app, 'Web');
for (let i = 0; i < 20; i++) new NullSource(image, \`Null\${i}\`, {});
for (let i = 0; i < 5; i++) new ShellLocal(image, \`Step\${i}\`, { inline: ['true'] });
`, `${numbers.map((i) => `source "null" "n${i}" {\n  communicator = "none"\n}\n`).join('')}build {\n  sources = [${numbers.map((i) => `"null.n${i}"`).join(', ')}]\n${'  provisioner "shell-local" {\n    inline = ["true"]\n  }\n'.repeat(5)}}\n`);
  return { name: '20 sources × 5 provisioners: synth / validate', bake: bake('synth', '--quiet'), others: [{ name: 'packer validate', run: packer('validate') }], goal: { seconds: 0.25 }, memory: true };
}

export function parallelCase(host: BenchHost, builds: number): Case {
  const numbers = Array.from({ length: builds }, (_, index) => index);
  const { bake, packer } = project(host, `parallel-${builds}`, `
const image = new Image(app, 'Web');
for (let i = 0; i < ${builds}; i++) new NullSource(image, \`Null\${i}\`, {});
new ShellLocal(image, 'Wait', { inline: ['sleep 2'] });
`, `${numbers.map((i) => `source "null" "n${i}" {\n  communicator = "none"\n}\n`).join('')}build {\n  sources = [${numbers.map((i) => `"null.n${i}"`).join(', ')}]\n  provisioner "shell-local" {\n    inline = ["sleep 2"]\n  }\n}\n`);
  return { name: `${builds} parallel null builds of "sleep 2"`, bake: bake('run'), others: [{ name: 'packer build', run: packer('build'), runs: builds > 100 ? 1 : 5 }], goal: { seconds: 3.5 }, memory: true };
}

export function dockerCase(host: BenchHost, shells: number, byHand: string): Case {
  const name = `docker-${shells}`;
  const { bake, packer } = project(host, name, `
const image = new Image(app, 'Web');
new DockerSource(image, 'Docker', { image: '${host.image}', pull: 'never' });
for (let i = 0; i < ${shells}; i++) new Shell(image, \`Step\${i}\`, { inline: [\`echo \${i} > /tmp/step\${i}\`] });
new File(image, 'Blob', { source: './blob', destination: '/tmp/blob' });
new DockerTag(image, 'Tag', { repository: 'bake-bench/${name}', tags: ['bake'] });
`, `source "docker" "d" {\n  image = "${host.image}"\n  commit = true\n  pull = false\n}\nbuild {\n  sources = ["docker.d"]\n${Array.from({ length: shells }, (_, i) => `  provisioner "shell" {\n    inline = ["echo ${i} > /tmp/step${i}"]\n  }\n`).join('')}  provisioner "file" {\n    source = "./blob"\n    destination = "/tmp/blob"\n  }\n  post-processor "docker-tag" {\n    repository = "bake-bench/${name}"\n    tags = ["packer"]\n  }\n}\n`);
  writeFileSync(join(host.folder, name, 'blob'), Buffer.alloc(50 * 1024 * 1024, 'bake'));
  const hand: Command = { command: process.execPath, args: [byHand, host.image, String(shells), join(host.folder, name, 'blob')], cwd: process.cwd() };
  return { name: `docker: ${shells} shells, 50 MiB upload, commit, tag`, bake: bake('run', '--no-cache'), others: [{ name: 'API by hand', run: hand }, { name: 'packer build', run: packer('build') }], goal: { ratio: 1.4, to: 'API by hand' }, memory: shells === 5 };
}

export function sshCase(host: BenchHost, shells: number): Case {
  const { sshd } = host;
  const { bake, packer } = project(host, `ssh-${shells}`, `
const image = new Image(app, 'Web');
new NullSource(image, 'Null', { ssh: { host: '${sshd.host}', port: ${sshd.port}, user: '${sshd.user}', privateKeyFile: '${sshd.privateKeyFile}', hostKey: HostKey.publicKey('${sshd.hostPublicKey}') } });
for (let i = 0; i < ${shells}; i++) new Shell(image, \`Step\${i}\`, { inline: ['true'] });
`, `source "null" "n" {\n  ssh_host = "${sshd.host}"\n  ssh_port = ${sshd.port}\n  ssh_username = "${sshd.user}"\n  ssh_private_key_file = "${sshd.privateKeyFile}"\n}\nbuild {\n  sources = ["null.n"]\n${'  provisioner "shell" {\n    inline = ["true"]\n  }\n'.repeat(shells)}}\n`);
  const ssh: Command = { command: 'ssh', args: ['-F', '/dev/null', '-i', sshd.privateKeyFile, '-p', String(sshd.port), '-o', 'StrictHostKeyChecking=no', '-o', 'UserKnownHostsFile=/dev/null', '-o', 'LogLevel=ERROR', `${sshd.user}@${sshd.host}`, 'true'], cwd: host.folder };
  return { name: `ssh: connect and ${shells} × "true"`, bake: bake('run'), others: [{ name: 'ssh host true (once)', run: ssh }, { name: 'packer build', run: packer('build') }], goal: { ratio: 1.2, to: 'ssh host true (once)' } };
}
