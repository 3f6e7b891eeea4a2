import { BakeError } from '../../../core/bake-error.js';
import type { JsonObject } from '../../../core/json.js';
import type { Checkpointing, StepContext } from '../../../engine/handler.js';
import type { ContainerHandle, ContainerSpec } from './container.js';
import type { DockerEngine } from './docker-engine.js';
import { noStamp } from './labels.js';

/** Images of checkpoints are named after them, so that they are found when nothing else is known. */
export const checkpointRepository = 'bake-checkpoint';

interface Saved extends JsonObject {
  readonly image: string;
}

/**
 * A container's file system, kept as an image with the daemon. Processes that run in the container are not in it.
 * @param start starts a container from an image that may be another one than the spec's
 */
export function containerCheckpoint(engine: DockerEngine, start: (spec: ContainerSpec, image: string, ctx: StepContext) => Promise<ContainerHandle>): Checkpointing<ContainerSpec, ContainerHandle> {
  return {
    async save({ id }, { key }, ctx): Promise<Saved> {
      const facts = await engine.inspectContainer(id, ctx);
      const from = facts === undefined ? undefined : await engine.inspectImage(facts.image, ctx);
      if (from === undefined) throw new BakeError({ code: 'DockerContainerNotFound', source: 'platform', message: `the container ${id} is gone` });
      // With the settings of what the container was made from, so that a container made from this one is no other.
      const name = `${checkpointRepository}:${key}`;
      return { image: await engine.commit({ container: id, changes: [], name, config: { ...from.config, labels: { ...from.config.labels, ...noStamp } } }) };
    },
    restore: ({ saved }, spec, ctx) => start(spec, (saved as Saved).image, ctx),
    isWhole: async ({ saved, key }, ctx) => (await engine.inspectImage(`${checkpointRepository}:${key}`, ctx))?.id === (saved as Saved).image,
    async discard(key, ctx) {
      const image = await engine.inspectImage(`${checkpointRepository}:${key}`, ctx);
      if (image !== undefined) await engine.removeImage(image.id);
    },
  };
}
