import { BakeError } from '../../../core/bake-error.js';
import type { ResourceHandler } from '../../../engine/handler.js';
import type { imageStep } from '../steps.js';
import type { DockerEngine } from './docker-engine.js';
import { stamp } from './labels.js';
import { findMadeImage, holdsMadeImage, type MadeImageHandle, nameImage, releaseMadeImage } from './made-image.js';
import type { SpecOf } from './spec-of.js';

/** A commit of a large file system goes on in the daemon after its caller died. */
const settle = 3_000;

/** Commits a container. What it was started with does not get into the image: entrypoint, command, user and folder are those of its base. */
export function imageHandler(engine: DockerEngine): ResourceHandler<SpecOf<typeof imageStep>, MadeImageHandle> {
  return {
    settle,
    async acquire({ container, base: given, changes = [], author, message, labels, tags = [] }, ctx) {
      const machine = await engine.inspectContainer(container, ctx);
      if (machine === undefined) throw new BakeError({ code: 'DockerContainerNotFound', source: 'platform', message: `the container ${container} is gone`, hint: 'something removed it while the build ran' });
      const base = await engine.inspectImage(machine.image, ctx);
      if (base === undefined) throw new BakeError({ code: 'DockerImageNotFound', source: 'platform', message: `the daemon has lost the image ${machine.image} that the container was made from`, hint: 'run bake again' });
      ctx.signal.throwIfAborted();
      const id = await engine.commit({
        container, changes, config: { ...base.config, labels: { ...base.config.labels, ...labels, ...stamp(ctx, false) } },
        ...(author === undefined ? {} : { author }), ...(message === undefined ? {} : { message }),
      });
      ctx.signal.throwIfAborted();
      return nameImage(engine, id, tags, ctx, { base: given ?? machine.image });
    },
    find: (token, _spec, ctx) => findMadeImage(engine, token, ctx),
    holds: (handle, ctx) => holdsMadeImage(engine, handle, ctx),
    release: (handle, ctx) => releaseMadeImage(engine, handle, ctx),
  };
}
