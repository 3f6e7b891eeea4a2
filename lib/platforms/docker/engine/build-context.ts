import { lstatSync } from 'node:fs';
import { readFile, stat } from 'node:fs/promises';
import { join, relative } from 'node:path';
import { PassThrough, type Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { StagedAsset } from '../../../plan/late.js';

export interface BuildContextOptions {
  readonly context: StagedAsset;
  readonly dockerfile: StagedAsset;
  /** Where the Dockerfile is in the context; absent if it lies elsewhere. */
  readonly dockerfileName?: string | undefined;
  readonly token: string;
}

export interface BuildContext {
  readonly tar: Readable;
  /** The Dockerfile's path in it. */
  readonly dockerfile: string;
}

/** A folder as the daemon wants it: what `.dockerignore` leaves, and the Dockerfile in any case. */
export async function buildContext({ context, dockerfile, dockerfileName, token }: BuildContextOptions): Promise<BuildContext> {
  const [{ pack }, { pack: newPack }, { default: { default: dockerignore } }] = await Promise.all([import('tar-fs'), import('tar-stream'), import('@balena/dockerignore')]);
  const patterns = await readFile(join(context.path, '.dockerignore'), 'utf8').catch(() => undefined);
  const isKept = patterns === undefined ? () => true : dockerignore({ ignorecase: false }).add(patterns).createFilter();
  // With an exception ("!docs/keep") a folder may be left out and something in it not, so folders are not skipped whole.
  const hasExceptions = patterns?.split('\n').some((line) => line.trim().startsWith('!')) ?? false;
  const name = dockerfileName ?? `.bake-${token}.Dockerfile`;
  const ignore = (path: string) => {
    const inside = relative(context.path, path);
    return inside !== '' && (inside === name || (!isKept(inside) && !(hasExceptions && lstatSync(path).isDirectory())));
  };
  const tar = newPack();
  const text = await readFile(dockerfile.path);
  const { mtime } = await stat(dockerfile.path);
  tar.entry({ name, mode: 0o644, mtime }, text);
  if (dockerfileName === undefined) {
    // It must not be seen by COPY: the daemon drops a Dockerfile that .dockerignore names.
    tar.entry({ name: '.dockerignore', mode: 0o644, mtime }, `${patterns ?? ''}\n${name}\n`);
  }
  const settings = {
    pack: tar, umask: 0, strict: false,
    ignore: (path: string) => ignore(path) || (dockerfileName === undefined && relative(context.path, path) === '.dockerignore'),
    map: <H extends { name: string; uid?: number | undefined; gid?: number | undefined }>(header: H): H => ({ ...header, uid: 0, gid: 0 }),
  };
  pack(context.path, settings as Parameters<typeof pack>[1]);
  const out = new PassThrough();
  out.on('error', () => {}); // whoever reads it hears of it
  pipeline(tar as AsyncIterable<unknown>, out).catch(() => {});
  return { tar: out, dockerfile: name };
}

/** The images that the `FROM` lines name, stages and build arguments left out. */
export function fromImages(dockerfile: string): readonly string[] {
  const stages = new Set<string>();
  const images: string[] = [];
  for (const [, image = '', stage] of dockerfile.matchAll(/^\s*FROM\s+(?:--\S+\s+)*(\S+)(?:\s+AS\s+(\S+))?/gim)) {
    if (image !== 'scratch' && !image.includes('$') && !stages.has(image)) images.push(image);
    if (stage !== undefined) stages.add(stage);
  }
  return images;
}
