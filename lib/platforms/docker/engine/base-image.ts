import { BakeError } from '../../../core/bake-error.js';
import type { JsonObject } from '../../../core/json.js';
import type { ActionHandler, StepContext } from '../../../engine/handler.js';
import { isImageId, parseReference } from '../reference.js';
import type { baseImageStep } from '../steps.js';
import { authFor } from './credentials.js';
import type { DockerEngine, ImageFacts } from './docker-engine.js';
import { LayerSum } from './layer-sum.js';
import type { SpecOf } from './spec-of.js';

/** What every base step gives. */
export interface BaseImage extends JsonObject {
  readonly id: string;
  /** `sha256:…` in its registry; empty for an image that was never in one. */
  readonly digest: string;
  readonly reference: string;
}

type Spec = SpecOf<typeof baseImageStep>;

/** Ensures that an image is with the daemon, pulling it as the policy says. */
export function baseImageHandler(engine: DockerEngine): ActionHandler<Spec, BaseImage> {
  return {
    async check({ image: reference, pull }, ctx) {
      if (pull === 'never' && await engine.inspectImage(reference, ctx) === undefined) throw notThere(reference);
      await engine.version(ctx);
    },
    async run({ image: reference, pull = 'missing', platform, auth }, ctx) {
      const known = pull === 'always' && !isImageId(reference) ? undefined : await engine.inspectImage(reference, ctx);
      if (known !== undefined && isFor(known, platform)) return describe(known, reference);
      if (pull === 'never') throw notThere(reference);
      if (isImageId(reference)) throw new BakeError({ code: 'DockerPullFailed', message: `the daemon has no image ${reference}`, hint: 'an id cannot be pulled: give a name, or a name with a digest' });
      await pullImage(engine, { image: reference, platform, auth }, ctx);
      const pulled = await engine.inspectImage(reference, ctx);
      if (pulled === undefined) throw new BakeError({ code: 'DockerPullFailed', source: 'platform', message: `${reference} was pulled, but the daemon does not have it`, transient: true });
      return describe(pulled, reference);
    },
  };
}

async function pullImage(engine: DockerEngine, { image: reference, platform, auth }: Spec, ctx: StepContext): Promise<void> {
  const login = await authFor(reference, auth, ctx);
  const sum = new LayerSum(`pull ${reference}`, ctx.progress);
  ctx.log(`pulling ${reference}`, 'info');
  await engine.pull({ reference, ...(platform === undefined ? {} : { platform }), ...(login === undefined ? {} : { auth: login }), signal: ctx.signal, onProgress: (progress) => sum.add(progress) });
}

function notThere(reference: string): BakeError {
  return new BakeError({ code: 'DockerImageNotFound', message: `the daemon has no image ${reference}, and pull is 'never'`, hint: "load it first, or set pull to 'missing'" });
}

/** Whether it is for the platform asked for; a variant may be left out. */
function isFor({ platform: has }: ImageFacts, wanted: string | undefined): boolean {
  return wanted === undefined || has === wanted || has.startsWith(`${wanted}/`);
}

function describe({ id, repoDigests }: ImageFacts, reference: string): BaseImage {
  const repository = isImageId(reference) ? undefined : parseReference(reference).repository;
  const own = repoDigests.find((digest) => digest.startsWith(`${repository}@`)) ?? repoDigests[0];
  return { id, digest: own?.slice(own.indexOf('@') + 1) ?? '', reference };
}
