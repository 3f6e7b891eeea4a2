import type { ResourceHandler } from '../../../engine/handler.js';
import type { importStep } from '../steps.js';
import type { DockerEngine } from './docker-engine.js';
import { importTarball, tarballOf } from './imported-image.js';
import { stamp } from './labels.js';
import { findMadeImage, holdsMadeImage, type MadeImageHandle, nameImage, releaseMadeImage } from './made-image.js';
import type { SpecOf } from './spec-of.js';

const settle = 1_000;

/** Makes an image that stays from a tarball. */
export function importHandler(engine: DockerEngine): ResourceHandler<SpecOf<typeof importStep>, MadeImageHandle> {
  return {
    settle,
    async acquire({ artifact, repository, tag = 'latest', changes, message, platform, labels }, ctx) {
      const id = await importTarball(engine, tarballOf(artifact), { changes, message, platform, labels: { ...labels, ...stamp(ctx, false) } }, ctx);
      return nameImage(engine, id, repository === undefined ? [] : [`${repository}:${tag}`], ctx);
    },
    find: (token, _spec, ctx) => findMadeImage(engine, token, ctx),
    holds: (handle, ctx) => holdsMadeImage(engine, handle, ctx),
    release: (handle, ctx) => releaseMadeImage(engine, handle, ctx),
  };
}
