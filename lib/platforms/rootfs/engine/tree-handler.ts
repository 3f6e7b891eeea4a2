import { mkdir, rm, rmdir, stat } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import type { Artifact } from '../../../core/artifact.js';
import { BakeError } from '../../../core/bake-error.js';
import type { ResourceHandler, StepContext } from '../../../engine/handler.js';
import { entryCommand } from './entry-command.js';
import { oneLayer } from './oci-reader.js';
import type { RootfsPort, TreeSpec } from './rootfs-port.js';
import { treeCheckpoint } from './tree-checkpoint.js';

export type TreeHandle = {
  /** Holds the tree and what belongs to it; named by the token. */
  readonly folder: string;
  /** The root tree itself. */
  readonly tree: string;
  /** What it was made from, for people. */
  readonly base: string;
};

/** The folder of one tree. The name is the token, so that it is found when nothing else is known. */
export function treeFolder(project: string, token: string): string {
  return join(project, '.bake', 'rootfs', token);
}

/** Makes root trees in the project's `.bake/rootfs`, and removes them. */
export function treeHandler(port: RootfsPort): ResourceHandler<TreeSpec, TreeHandle> {
  const handleOf = (folder: string, base: string): TreeHandle => ({ folder, tree: join(folder, 'tree'), base });
  const make = async (spec: TreeSpec, ctx: StepContext): Promise<TreeHandle> => {
    const folder = treeFolder(ctx.run.project, ctx.token);
    await port.end(ctx.token, ctx);
    await port.remove(folder, ctx);
    await mkdir(dirname(folder), { recursive: true });
    // Programs in the tree that run with their owner's rights must not be within reach of this computer's users.
    await mkdir(folder, { mode: 0o700 });
    await mkdir(join(folder, 'tmp'), { mode: 0o700 });
    return handleOf(folder, baseOf(spec));
  };
  return {
    checkpoint: treeCheckpoint(port, make),
    reads: ({ keyring = [], tarball }, ctx) => Promise.resolve({ files: [...keyring, ...(tarball === undefined ? [] : [tarball])].map((path) => resolve(ctx.run.project, path)) }),
    check: (spec, ctx) => checkBase(port, spec, ctx),
    checkKnown: (known, ctx) => checkBase(port, known, ctx),
    async acquire(spec, ctx) {
      const handle = await make(spec, ctx);
      await fill(port, spec, handle, ctx);
      return handle;
    },
    async find(token, spec, ctx) {
      const folder = treeFolder(ctx.run.project, token);
      await port.end(token, ctx);
      if (await isThere(folder)) return handleOf(folder, baseOf(spec));
      await removeIfEmpty(dirname(folder)); // a removal may have been killed after the tree's own folder was gone
      return undefined;
    },
    entry: ({ tree }) => entryCommand(tree),
    async release({ folder }, ctx) {
      await port.end(ctx.token, ctx);
      await port.remove(folder, ctx);
      await removeIfEmpty(dirname(folder));
    },
  };
}

async function checkBase(port: RootfsPort, { suite, keyring = [], tarball }: Partial<TreeSpec>, ctx: StepContext): Promise<void> {
  await port.check(ctx);
  if (suite !== undefined) await port.checkMirrorTool(ctx);
  for (const file of [...keyring, ...(tarball === undefined ? [] : [tarball])]) await requireThere(resolve(ctx.run.project, file), file);
}

async function fill(port: RootfsPort, spec: TreeSpec, { folder, tree }: TreeHandle, ctx: StepContext): Promise<void> {
  if (spec.artifact !== undefined) return fromArtifact(port, spec.artifact, tree, ctx);
  if (spec.tarball !== undefined) return port.unpack(resolve(ctx.run.project, spec.tarball), tree, ctx);
  const scratch = join(folder, 'tmp');
  await port.bootstrap(spec, tree, scratch, ctx);
  await rm(scratch, { recursive: true, force: true });
  await mkdir(scratch, { mode: 0o700 });
}

async function fromArtifact(port: RootfsPort, artifact: Artifact, tree: string, ctx: StepContext): Promise<void> {
  const main = artifact.files[0]?.path ?? artifact.id;
  switch (artifact.type) {
    case 'rootfs.tarball':
    case 'docker.export':
      return port.unpack(main, tree, ctx);
    case 'rootfs.directory':
      return port.copy(artifact.id, tree, ctx);
    case 'rootfs.oci':
      return port.unpack(await oneLayer(artifact.id), tree, ctx);
    default:
      throw new BakeError({
        code: 'ArtifactUnsupported',
        message: `a root tree cannot be made from a ${artifact.type} (${artifact.title})`,
        hint: 'give a rootfs.tarball, rootfs.directory, rootfs.oci or docker.export; a DockerSource makes the last one with its export',
      });
  }
}

function baseOf({ suite, tarball, artifact }: TreeSpec): string {
  return artifact?.id ?? tarball ?? suite ?? '';
}

async function requireThere(path: string, given: string): Promise<void> {
  if (await isThere(path)) return;
  throw new BakeError({ code: 'FileNotFound', message: `there is no file ${given}`, hint: `looked for ${path}; a relative path starts at the folder of image.ts` });
}

/** Other trees may be in it. */
async function removeIfEmpty(folder: string): Promise<void> {
  await rmdir(folder).catch(() => {});
}

function isThere(path: string): Promise<boolean> {
  return stat(path).then(() => true, () => false);
}
