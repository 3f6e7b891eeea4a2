import * as z from 'zod';
import { BakeError } from '../../../core/bake-error.js';
import type { JsonObject } from '../../../core/json.js';
import type { ActionHandler, StepContext } from '../../../engine/handler.js';
import { isImageId, parseReference, withTag } from '../reference.js';
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

/** Of the list of all platforms, where the registry has one. */
const pinSchema = z.object({ digest: z.string().regex(/^sha256:[0-9a-f]{64}$/) });
type Pin = z.output<typeof pinSchema>;

/** Ensures that an image is with the daemon, pulling it as the policy says. */
export function baseImageHandler(engine: DockerEngine): ActionHandler<Spec, BaseImage> {
  return {
    async check({ image: reference, pull }, ctx) {
      if (pull === 'never' && await engine.inspectImage(reference, ctx) === undefined) throw notThere(reference);
      await engine.version(ctx);
    },
    async run(spec, ctx) {
      const { image: reference } = spec;
      if (isImageId(reference) || parseReference(reference).digest !== undefined) return ensure(engine, spec, ctx);
      let found: BaseImage | undefined;
      const pin = await ctx.pin(`docker ${withTag(reference)}`, pinSchema, async (isRenewal) => {
        found = await ensure(engine, isRenewal ? await asIfNew(engine, spec, ctx) : spec, ctx);
        const digest = await ownDigest(engine, reference, ctx);
        return digest === undefined ? undefined : { digest };
      });
      // What another step of this run has found, or an earlier run.
      return found ?? (pin === undefined ? ensure(engine, spec, ctx) : ensurePinned(engine, spec, pin, ctx));
    },
  };
}

/** As the policy says. */
async function ensure(engine: DockerEngine, spec: Spec, ctx: StepContext): Promise<BaseImage> {
  const { image: reference, pull = 'missing', platform } = spec;
  const known = pull === 'always' && !isImageId(reference) ? undefined : await engine.inspectImage(reference, ctx);
  if (known !== undefined && isFor(known, platform)) return describe(known, reference);
  if (pull === 'never') throw notThere(reference);
  if (isImageId(reference)) throw new BakeError({ code: 'DockerPullFailed', message: `the daemon has no image ${reference}`, hint: 'an id cannot be pulled: give a name, or a name with a digest' });
  await pullImage(engine, spec, ctx);
  const pulled = await engine.inspectImage(reference, ctx);
  if (pulled === undefined) throw new BakeError({ code: 'DockerPullFailed', source: 'platform', message: `${reference} was pulled, but the daemon does not have it`, transient: true });
  return describe(pulled, reference);
}

/** The registry is asked, unless the user forbids it or the image was never in one. */
async function asIfNew(engine: DockerEngine, spec: Spec, ctx: StepContext): Promise<Spec> {
  const known = await engine.inspectImage(spec.image, ctx);
  return spec.pull === 'never' || (known !== undefined && digestIn(known, spec.image) === undefined) ? spec : { ...spec, pull: 'always' };
}

/** The digest by which others get it under this name too. An image that only has the name here, such as one that was tagged again, has none. */
async function ownDigest(engine: DockerEngine, reference: string, ctx: StepContext): Promise<string | undefined> {
  const facts = await engine.inspectImage(reference, ctx);
  return facts === undefined ? undefined : digestIn(facts, reference);
}

function digestIn(facts: ImageFacts, reference: string): string | undefined {
  return digestsIn(facts, reference)[0];
}

/** Those of the name's own repository: an image that was tagged again has those of another one. */
function digestsIn({ repoDigests }: ImageFacts, reference: string): readonly string[] {
  const own = familiar(parseReference(reference).repository);
  return repoDigests.map((text) => text.split('@')).filter(([repository = '']) => familiar(repository) === own).map(([, digest = '']) => digest);
}

/** `debian` of `docker.io/library/debian`: daemons list either. */
function familiar(repository: string): string {
  return repository.replace(/^(?:index\.)?docker\.io\//, '').replace(/^library\//, '');
}

async function ensurePinned(engine: DockerEngine, spec: Spec, { digest }: Pin, ctx: StepContext): Promise<BaseImage> {
  const { image: reference, pull, platform } = spec;
  const exact = `${parseReference(reference).repository}@${digest}`;
  // The daemon may have it under its tag alone.
  for (const name of [reference, exact]) {
    const known = await engine.inspectImage(name, ctx);
    if (known !== undefined && digestsIn(known, reference).includes(digest) && isFor(known, platform)) return { id: known.id, digest, reference };
  }
  const renew = `run "bake run --update='docker ${withTag(reference)}'" to take what it is now`;
  if (pull === 'never') throw new BakeError({ code: 'DockerImageNotFound', message: `the daemon has no ${exact}, which bake.lock.json pins, and pull is 'never'`, hint: `load it first, set pull to 'missing', or ${renew}` });
  try {
    return { ...await ensure(engine, { ...spec, image: exact, pull: 'missing' }, ctx), digest, reference };
  } catch (error) {
    const failure = BakeError.from(error);
    throw failure.transient ? failure : failure.with({ message: `${failure.message}; it is what bake.lock.json pins`, hint: `if its registry has it no more, ${renew}` });
  }
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
