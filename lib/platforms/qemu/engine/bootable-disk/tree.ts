import { lstat, mkdir, readdir, readFile, realpath, rename, writeFile } from 'node:fs/promises';
import { join, relative } from 'node:path';
import type { Artifact } from '../../../../core/artifact.js';
import { BakeError } from '../../../../core/bake-error.js';
import type { StepContext } from '../../../../engine/handler.js';
import { asRoot, runTool } from './tools.js';

/** The root tree in a folder of our own. @throws BakeError `WrongArtifact` */
export async function unpack({ type, files }: Artifact, tree: string, ctx: StepContext): Promise<void> {
  const [file] = files;
  if (file === undefined || !['rootfs.tarball', 'rootfs.directory', 'docker.export', 'files'].includes(type)) {
    throw new BakeError({ code: 'WrongArtifact', message: `an artifact of type ${type} is no root tree that can be made bootable`, hint: "give that of a BootstrapSource with output: { format: 'tarball' }, its default, or 'directory'" });
  }
  await mkdir(tree, { recursive: true, mode: 0o755 });
  const keep = ['--numeric-owner', '--preserve-permissions', '--same-owner', '--xattrs', '--xattrs-include=*'];
  if ((await lstat(file.path)).isDirectory()) {
    await runTool(ctx, ...asRoot('cp', ['--archive', '--reflink=auto', '--no-target-directory', file.path, tree]));
    return;
  }
  await runTool(ctx, ...asRoot('tar', ['--extract', '--file', file.path, '--directory', tree, ...keep]));
}

export interface BootFiles {
  /** Paths inside the tree. */
  readonly kernel: string;
  readonly initrd: string | undefined;
}

/** The kernel that the tree boots: what its links name, so that a newer one that is installed later is taken, else the newest. */
export async function bootFilesOf(tree: string): Promise<BootFiles> {
  const [kernel, initrd] = [await linkOrNewest(tree, 'vmlinuz', 'vmlinuz-'), await linkOrNewest(tree, 'initrd.img', 'initrd.img-')];
  if (kernel !== undefined) return { kernel, initrd };
  throw new BakeError({ code: 'NoKernel', message: 'there is no kernel in the root tree, so it cannot boot', hint: "add one to the packages of its BootstrapSource: packages: ['linux-image-cloud-amd64', 'systemd-sysv', 'udev', 'openssh-server']" });
}

async function linkOrNewest(tree: string, link: string, prefix: string): Promise<string | undefined> {
  const target = await realpath(join(tree, link)).catch(() => undefined);
  if (target !== undefined && target.startsWith(join(tree, 'boot'))) return `/${link}`;
  const names = (await readdir(join(tree, 'boot')).catch(() => [])).filter((name) => name.startsWith(prefix));
  const newest = names.sort((a, b) => a.localeCompare(b, 'en', { numeric: true })).at(-1);
  return newest === undefined ? undefined : `/boot/${newest}`;
}

export interface Login {
  readonly user: string;
  readonly authorizedKey?: string | undefined;
  readonly hostKeyFile?: string | undefined;
  readonly hostPublicKey?: string | undefined;
}

const hostKeyPath = 'etc/ssh/ssh_host_ed25519_key';

/** Puts the keys of the run into the tree; returns the paths of what must go again, where an older file is kept under `.bake-before`. */
export async function putKeysIn(tree: string, { user, authorizedKey, hostKeyFile, hostPublicKey }: Login): Promise<readonly string[]> {
  if (authorizedKey !== undefined) await authorize(tree, user, authorizedKey);
  if (hostKeyFile === undefined || hostPublicKey === undefined) return [];
  await mkdir(await inside(tree, 'etc/ssh'), { recursive: true });
  const injected: string[] = [];
  for (const [path, text, mode] of [[hostKeyPath, await readFile(hostKeyFile, 'utf8'), 0o600], [`${hostKeyPath}.pub`, `${hostPublicKey}\n`, 0o644]] as const) {
    const file = join(await inside(tree, 'etc/ssh'), path.slice('etc/ssh/'.length));
    if (await exists(file)) await rename(file, `${file}.bake-before`);
    await writeFile(file, text, { mode });
    injected.push(`/${path}`);
  }
  return injected;
}

async function authorize(tree: string, user: string, key: string): Promise<void> {
  const passwd = await readFile(await inside(tree, 'etc/passwd'), 'utf8').catch(() => '');
  const [, , , , , home = ''] = passwd.split('\n').map((line) => line.split(':')).find(([name]) => name === user) ?? [];
  if (home === '') throw new BakeError({ code: 'NoSuchUser', message: `there is no user ${user} in the root tree`, hint: 'add the user with a Shell in the image that makes the tree, or log in as root' });
  const folder = join(await inside(tree, home), '.ssh');
  await mkdir(folder, { recursive: true, mode: 0o700 });
  const file = join(folder, 'authorized_keys');
  const before = await readFile(file, 'utf8').catch(() => '');
  await writeFile(file, `${before}${before === '' || before.endsWith('\n') ? '' : '\n'}${key}\n`, { mode: 0o600 });
}

/** The real folder of a path in the tree. A link that leads out of it would make us write to this computer. @throws BakeError `UnsafeTree` */
async function inside(tree: string, path: string): Promise<string> {
  const full = join(tree, path);
  const real = await realpath(full).catch(() => full);
  if (!relative(tree, real).startsWith('..')) return real;
  throw new BakeError({ code: 'UnsafeTree', message: `/${path} of the root tree is a link that leads out of it`, hint: 'use a relative link' });
}

/** Whether something is there, also a link to nowhere. */
function exists(path: string): Promise<boolean> {
  return lstat(path).then(() => true, () => false);
}
