import { execFile } from 'node:child_process';
import { readdir, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { madeOnce } from './made-once.js';

const run = promisify(execFile);

export interface CloudKernel {
  /** The package unpacked: `boot/vmlinuz-<version>`, `lib/modules/<version>`. */
  readonly folder: string;
  readonly version: string;
  readonly image: string;
  /** The files of these modules and of what they need, in the order in which they have to be loaded; names unknown to this kernel are left out. */
  modules(names: readonly string[]): Promise<readonly string[]>;
}

/** Debian's kernel for virtual machines, downloaded by apt and unpacked, not installed: ext4 is built in, virtio is in modules. */
export async function cloudKernel(): Promise<CloudKernel> {
  const { stdout } = await run('apt-cache', ['depends', '--important', 'linux-image-cloud-amd64']);
  const [, name] = /Depends: (linux-image-\S+)/.exec(stdout) ?? [];
  if (name === undefined) throw new Error('apt knows no linux-image-cloud-amd64: run apt-get update');
  const folder = await madeOnce(name, async (part) => {
    await run('apt-get', ['download', name], { cwd: part });
    const [archive = ''] = await readdir(part);
    await run('dpkg-deb', ['--extract', archive, '.'], { cwd: part });
    await rm(join(part, archive));
    const [version = ''] = await readdir(join(part, 'lib/modules'));
    await run('depmod', ['-b', part, version], { env: { ...process.env, PATH: `${process.env['PATH'] ?? ''}:/usr/sbin:/sbin` } });
  });
  const [version = ''] = await readdir(join(folder, 'lib/modules'));
  const home = join(folder, 'lib/modules', version);
  return {
    folder, version, image: join(folder, 'boot', `vmlinuz-${version}`),
    modules: async (names) => {
      const lines = (await readFile(join(home, 'modules.dep'), 'utf8')).split('\n').map((line) => line.split(':'));
      const found = names.flatMap((wanted) => {
        const [file, needs = ''] = lines.find(([path = '']) => path.endsWith(`/${wanted}.ko`)) ?? [];
        return file === undefined ? [] : [...needs.trim().split(/\s+/).filter((need) => need !== '').reverse(), file];
      });
      return [...new Set(found)].map((file) => join(home, file));
    },
  };
}
