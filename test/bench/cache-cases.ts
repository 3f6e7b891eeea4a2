import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { TinyGuest } from '../support/tiny-guest.js';
import type { Case } from './cases.js';
import type { Command } from './measure.js';

export interface CacheBenchHost {
  readonly folder: string;
  /** `dist/bin/bake.js`. */
  readonly bake: string;
  /** Of a Docker daemon. */
  readonly image: string;
  /** Of a root tree. */
  readonly tarball: string;
  readonly guest: TinyGuest;
}

const shells = 10;
const sources = {
  docker: ({ image }: CacheBenchHost) => ({ imports: "import { DockerSource } from 'bake-sdk/docker';", source: `new DockerSource(image, 'Docker', { image: '${image}', pull: 'never', tags: ['bake-bench/cache:bake'] });` }),
  rootfs: ({ tarball }: CacheBenchHost) => ({ imports: "import { BootstrapSource } from 'bake-sdk/rootfs';", source: `new BootstrapSource(image, 'Root', { tarball: '${tarball}' });` }),
  qemu: ({ guest }: CacheBenchHost) => ({
    imports: "import { HostKey, QemuSource } from 'bake-sdk/qemu';",
    source: `new QemuSource(image, 'Vm', { disk: '${guest.disk}', accelerator: 'tcg', memory: Size.mebibytes(256), cpus: 1, output: 'bake.qcow2', ssh: { privateKeyFile: '${guest.privateKeyFile}', hostKey: HostKey.publicKey('${guest.hostPublicKey}') } });`,
  }),
};
export type CachedPlatform = keyof typeof sources;

/** Makes a project of that many shells, of which the last does what the variable `n` says. Each of the others writes a file of so many KiB. */
export function writeProject(host: CacheBenchHost, platform: CachedPlatform, cwd: string, { shells, kibibytes = 0 }: { readonly shells: number; readonly kibibytes?: number }): void {
  mkdirSync(join(cwd, 'node_modules'), { recursive: true });
  symlinkSync(process.cwd(), join(cwd, 'node_modules/bake-sdk'));
  const { imports, source } = sources[platform](host);
  const command = kibibytes === 0 ? 'echo ${i} > /root/step${i}' : `head -c ${kibibytes}k /dev/urandom > /root/step\${i}`;
  writeFileSync(join(cwd, 'image.ts'), `import { App, Image, Shell, Size, Variable } from 'bake-sdk';
${imports}
const app = new App();
const image = new Image(app, 'Web');
const n = Variable.string('n', { default: '0' });
${source}
for (let i = 1; i < ${shells}; i++) new Shell(image, \`Step\${i}\`, { inline: [\`${command}\`] });
new Shell(image, 'Last', { inline: [\`echo last \${n} > /root/last\`] });
`);
}

/** The same build once more, or with one line of its last of ten shells changed. */
export function cacheCase(host: CacheBenchHost, platform: CachedPlatform, change: 'unchanged' | 'last shell edited'): Case {
  const cwd = join(host.folder, `cache-${platform}-${change.replaceAll(' ', '-')}`);
  writeProject(host, platform, cwd, { shells });
  const env = { BAKE_CACHE_DIR: join(cwd, 'cache') };
  const edited = change !== 'unchanged';
  const bake: Command = { command: 'bash', args: ['-c', `exec "$0" "$1" run ${edited ? '-c n=$RANDOM$RANDOM' : ''}`, process.execPath, host.bake], cwd, env };
  const name = `cache: ${platform}, ${change}`;
  if (platform !== 'docker') return { name, bake, others: [], goal: { seconds: edited ? 3 : 0.5 } };
  writeFileSync(join(cwd, 'Dockerfile'), [`FROM ${host.image}`, ...Array.from({ length: shells - 1 }, (_, i) => `RUN echo ${i} > /root/step${i}`), 'RUN echo last 0 > /root/last', ''].join('\n'));
  const legacy: Command = { command: 'bash', args: ['-c', `${edited ? 'sed -i "s/last [0-9]*/last $RANDOM$RANDOM/" Dockerfile && ' : ''}exec docker build -q -t bake-bench/cache:docker .`], cwd, env: { DOCKER_BUILDKIT: '0' } };
  return { name, bake, others: [{ name: 'docker build, legacy', run: legacy }], goal: edited ? { ratio: 1, to: 'docker build, legacy' } : { seconds: 0.5 } };
}
