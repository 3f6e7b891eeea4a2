import type { Artifact } from '../../../core/artifact.js';
import type { JsonObject } from '../../../core/json.js';
import type { ResourceHandler, StepContext } from '../../../engine/handler.js';
import type { ImageSpec } from '../image-steps.js';
import { isAvailable } from './made-image.js';
import type { ParametersFor } from './parameter-port.js';
import type { Region, RegionFor } from './region.js';
import { runOf, runTag, stateTag, tokenTag } from './stamps.js';

type OneImage = ImageSpec['images'][number];
type Handle = JsonObject & {
  readonly artifact: Artifact;
  readonly images: readonly (JsonObject & { readonly access: JsonObject; readonly id: string })[];
  readonly parameters: readonly (JsonObject & { readonly access: JsonObject; readonly name: string; readonly imageId: string })[];
};

/** Marks the images of a build as finished, in all their regions, and tells of them as one. The images are those of other steps. */
export function imageHandler(regionFor: RegionFor, parametersFor: ParametersFor): ResourceHandler<ImageSpec, Handle> {
  return {
    async acquire(spec, ctx) {
      await Promise.all(spec.images.map((image) => finish(image, regionFor(image.access), ctx)));
      return handleOf(spec);
    },
    find: (_token, spec) => Promise.resolve(handleOf(spec)),
    release: () => Promise.resolve(),
    async holds({ images, parameters }, ctx) {
      const there = await Promise.all([
        ...images.map(({ id, access }) => isAvailable(id, regionFor(access), ctx)),
        ...parameters.map(async ({ access, name, imageId }) => (await parametersFor(access).get(name, ctx.signal))?.value === imageId),
      ]);
      return there.every(Boolean);
    },
  };
}

/** From now on it is no longer what a dead run left. One call, if its snapshots are not to have tags of their own. */
async function finish({ id, name, snapshots, token, tags, snapshotTags }: OneImage, { ec2 }: Region, ctx: StepContext): Promise<void> {
  const stamp = { [runTag]: runOf(token), [tokenTag]: token, [stateTag]: 'finished' };
  const all = { Name: name, ...tags, ...stamp };
  if (snapshotTags === undefined || snapshots.length === 0) return ec2.tag([id, ...snapshots], all, ctx.signal);
  await Promise.all([ec2.tag([id], all, ctx.signal), ec2.tag(snapshots, { ...all, ...snapshotTags, ...stamp }, ctx.signal)]);
}

function handleOf({ images: given, parameters, sourceAmi, sourceAmiName, architecture }: ImageSpec): Handle {
  const sorted = [...given].sort((a, b) => (a.region < b.region ? -1 : 1));
  const images = sorted.map(({ access, id, region, name, snapshots }) => ({ access, id, region, name, snapshots: [...snapshots] }));
  const [main] = given;
  const { id, region, name, snapshots } = main!;
  const where = images.map((image) => `${image.id} in ${image.region}`).join(', ');
  return {
    images, parameters: [...parameters],
    artifact: {
      type: 'ec2.ami', id: images.map((image) => `${image.region}:${image.id}`).join(','), title: `AMI ${name} (${where})`, files: [],
      data: {
        region, id, name, architecture, snapshots: [...snapshots], ...(sourceAmi === undefined ? {} : { sourceAmi }), ...(sourceAmiName === undefined ? {} : { sourceAmiName }),
        regions: Object.fromEntries(images.map((image) => [image.region, image.id])),
        images: images.map(({ access: _, ...image }) => image),
        ...(parameters.length === 0 ? {} : { ssmParameters: [...new Set(parameters.map((parameter) => parameter.name))] }),
      },
    },
  };
}
