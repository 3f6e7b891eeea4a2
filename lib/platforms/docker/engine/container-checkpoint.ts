import { hostname } from 'node:os';
import { BakeError } from '../../../core/bake-error.js';
import { type JsonObject, sha256 } from '../../../core/json.js';
import type { SavedOutside } from '../../../engine/extension.js';
import type { Checkpointing, StepContext } from '../../../engine/handler.js';
import type { ContainerHandle, ContainerSpec } from './container.js';
import type { Abortable, DockerEngine } from './docker-engine.js';
import { noStamp } from './labels.js';

/** Images of checkpoints are named after them, so that they are found when nothing else is known. */
export const checkpointRepository = 'bake-checkpoint';

interface Saved extends JsonObject {
  readonly image: string;
  /** That the image adds to what the container was made from. */
  readonly bytes: number;
}

/** In the history of such an image: a daemon has users and cache folders that know nothing of each other. */
const commentOf = (cache: string) => `bake checkpoint of ${sha256(`${hostname()}:${cache}`).slice(0, 16)}`;

/**
 * A container's file system, kept as an image with the daemon, as long as nothing runs in it.
 * @param start starts a container from an image that may be another one than the spec's
 */
export function containerCheckpoint(engine: DockerEngine, start: (spec: ContainerSpec, image: string, ctx: StepContext) => Promise<ContainerHandle>): Checkpointing<ContainerSpec, ContainerHandle> {
  return {
    async save({ id, idle, connection }, { key }, ctx): Promise<Saved | undefined> {
      // What runs, and what is in memory, would not be there in a container that is made of the image.
      if ((connection.tmpfs ?? []).length > 0 || await engine.countProcesses(id, ctx) > idle) return undefined;
      const facts = await engine.inspectContainer(id, ctx);
      const from = facts === undefined ? undefined : await engine.inspectImage(facts.image, ctx);
      if (from === undefined) throw new BakeError({ code: 'DockerContainerNotFound', source: 'platform', message: `the container ${id} is gone` });
      // With the settings of what the container was made from, so that a container made from this one is no other.
      const name = `${checkpointRepository}:${key}`;
      const before = await engine.inspectImage(name, ctx);
      const image = await engine.commit({ container: id, changes: [], name, message: commentOf(ctx.run.cache), config: { ...from.config, labels: { ...from.config.labels, ...noStamp } } });
      if (before !== undefined && before.id !== image) await engine.removeImage(before.id); // the name was all that it had
      const size = (await engine.inspectImage(image, ctx))?.size ?? from.size;
      return { image, bytes: Math.max(0, size - from.size) };
    },
    restore: ({ saved }, spec, ctx) => start(spec, (saved as Saved).image, ctx),
    isWhole: async ({ saved, key }, ctx) => (await engine.inspectImage(`${checkpointRepository}:${key}`, ctx))?.id === (saved as Saved).image,
    async discard(key, ctx) {
      const image = await engine.inspectImage(`${checkpointRepository}:${key}`, ctx);
      if (image !== undefined) await engine.removeImage(image.id);
    },
  };
}

/** Images of checkpoints of one cache folder. */
export async function savedImages(engine: DockerEngine, cache: string, options: Abortable): Promise<readonly SavedOutside[]> {
  const images = await engine.imagesNamed(checkpointRepository, options).catch((error: unknown) => {
    if (BakeError.is(error) && (error.cause as NodeJS.ErrnoException | undefined)?.code === 'ENOENT') return []; // there is no daemon here
    throw error;
  });
  return images.filter(({ comment, tag }) => comment === commentOf(cache) && /^[0-9a-f]{64}$/.test(tag)).map(({ id, tag }) => ({
    key: tag, title: `image ${checkpointRepository}:${tag.slice(0, 12)}…`, remove: async () => { await engine.removeImage(id); },
  }));
}
