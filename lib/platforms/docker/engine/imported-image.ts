import { createReadStream } from 'node:fs';
import { resolve } from 'node:path';
import type { Artifact } from '../../../core/artifact.js';
import { BakeError } from '../../../core/bake-error.js';
import type { JsonObject } from '../../../core/json.js';
import type { ResourceHandler, StepContext } from '../../../engine/handler.js';
import type { importedImageStep } from '../steps.js';
import type { BaseImage } from './base-image.js';
import { forgetLoaded, loadArchive, type LoadedArchive, recallLoaded } from './loaded-archive.js';
import type { DockerEngine } from './docker-engine.js';
import { labelChange, stamp, withToken } from './labels.js';
import type { SpecOf } from './spec-of.js';
import { checkTarball } from './tarball.js';

type Spec = SpecOf<typeof importedImageStep>;
type Handle = BaseImage & JsonObject & {
  /** Whether this step made it: an image of another build is only passed on. */
  readonly isOurs: boolean;
  readonly loaded?: LoadedArchive;
};

const settle = 1_000;

/** A base from a tarball, or from what another build made. */
export function importedImageHandler(engine: DockerEngine): ResourceHandler<Spec, Handle> {
  return {
    settle,
    reads: ({ import: path }, ctx) => Promise.resolve(path === undefined ? {} : { files: [resolve(ctx.run.project, path)] }),
    async check({ import: path }, ctx) {
      await engine.version(ctx);
      if (path !== undefined) await checkTarball(resolve(ctx.run.project, path));
    },
    async acquire(spec, ctx) {
      const { artifact } = spec;
      if (artifact?.type === 'docker.image') return useImage(engine, artifact, ctx);
      if (artifact?.type === 'docker.archive') {
        const loaded = await loadArchive(engine, artifact.id, ctx);
        return { id: loaded.id, digest: '', reference: loaded.id, isOurs: true, loaded };
      }
      const path = artifact === undefined ? resolve(ctx.run.project, spec.import ?? '') : tarballOf(artifact);
      const id = await importTarball(engine, path, { changes: spec.importChanges, platform: spec.platform, labels: stamp(ctx, true) }, ctx);
      return { id, digest: '', reference: id, isOurs: true };
    },
    async find(token, { artifact }, ctx) {
      const loaded = artifact === undefined || artifact.type === 'docker.archive' ? await recallLoaded(engine, ctx) : undefined;
      if (loaded !== undefined) return { id: loaded.id, digest: '', reference: loaded.id, isOurs: true, loaded } as Handle;
      const [found] = await engine.listImages(withToken(token), ctx);
      return found === undefined ? undefined : { id: found.id, digest: '', reference: found.id, isOurs: true } as Handle;
    },
    async release({ id, isOurs, loaded }, ctx) {
      if (loaded !== undefined) await forgetLoaded(engine, loaded, ctx);
      else if (isOurs) await engine.removeImage(id);
    },
  };
}

/** Sends a tarball to the daemon with its labels and instructions. */
export async function importTarball(engine: DockerEngine, path: string, { changes = [], message, platform, labels }: { readonly changes?: readonly string[] | undefined; readonly message?: string | undefined; readonly platform?: string | undefined; readonly labels: Readonly<Record<string, string>> }, ctx: StepContext): Promise<string> {
  await checkTarball(path);
  const tarball = createReadStream(path, { highWaterMark: 1024 * 1024 });
  let sent = 0;
  tarball.on('data', (chunk) => ctx.progress({ label: `import ${path}`, current: sent += chunk.length, unit: 'bytes' }));
  try {
    return await engine.importImage({
      tarball, changes: [...changes, ...Object.entries(labels).map(([name, value]) => labelChange(name, value))],
      ...(message === undefined ? {} : { message }), ...(platform === undefined ? {} : { platform }), signal: ctx.signal,
    });
  } catch (error) {
    throw BakeError.is(error) && error.code === 'DockerImportFailed' ? error.with({ message: `${path}: ${error.message}` }) : error;
  } finally {
    tarball.destroy();
  }
}

/** The file of an artifact that is the tarball of a root tree. @throws BakeError `DockerBaseUnsupported` */
export function tarballOf(artifact: Artifact): string {
  const [file] = artifact.files;
  if (['rootfs.tarball', 'docker.export'].includes(artifact.type)) return file?.path ?? artifact.id;
  if (artifact.type === 'files' && artifact.files.length === 1 && file !== undefined) return file.path;
  throw new BakeError({
    code: 'DockerBaseUnsupported', message: `a ${artifact.type} artifact cannot be imported into Docker`,
    hint: 'give a docker.image, docker.archive, docker.export or rootfs.tarball, or one tar file',
  });
}

async function useImage(engine: DockerEngine, { id, data }: Artifact, ctx: StepContext): Promise<Handle> {
  const facts = await engine.inspectImage(id, ctx);
  if (facts === undefined) throw new BakeError({ code: 'DockerImageNotFound', source: 'platform', message: `the daemon has no image ${id}`, hint: 'it may have been removed meanwhile, or was made with another daemon' });
  return { id: facts.id, digest: typeof data['digest'] === 'string' ? data['digest'] : '', reference: facts.repoTags[0] ?? facts.id, isOurs: false };
}
