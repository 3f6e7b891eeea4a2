import { BakeError } from '../../../core/bake-error.js';
import type { ScanHost, Stray } from '../../../engine/extension.js';
import type { DockerEngine, Labelled } from './docker-engine.js';
import { isTemporary, runLabel } from './labels.js';

/**
 * What carries our stamp and goes with its run: containers and temporary base images. Finished images are never listed;
 * they carry the stamp without the mark of what is temporary. A temporary image that a finished one is made from has no
 * name any more and is its ancestor, which the daemon removes with it; that one is not listed either.
 */
export async function scanDocker(engine: DockerEngine, { signal }: ScanHost): Promise<readonly Stray[]> {
  try {
    await engine.version({ signal });
  } catch (error) {
    // Without a socket there never was a daemon here, and nothing of ours with it; one that is down is worth telling.
    if (BakeError.is(error) && (error.cause as NodeJS.ErrnoException | undefined)?.code === 'ENOENT') return [];
    throw error;
  }
  const [containers, images] = await Promise.all([engine.listContainers(isTemporary, { signal }), engine.listImages(isTemporary, { signal })]);
  const stray = (kind: string, one: Labelled, remove: () => Promise<unknown>): Stray => ({
    kind, title: one.title, run: one.labels[runLabel] ?? '', remove: async () => { await remove(); },
  });
  return [
    ...containers.map((one) => stray('container', one, () => engine.removeContainer(one.id))),
    ...images.map((one) => stray('image', one, () => engine.removeImage(one.id))),
  ].filter((one) => one.run !== '');
}
