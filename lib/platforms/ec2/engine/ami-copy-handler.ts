import { BakeError } from '../../../core/bake-error.js';
import type { ResourceHandler, StepContext } from '../../../engine/handler.js';
import type { AmiCopySpec } from '../image-steps.js';
import type { Ec2Access } from '../steps.js';
import { freeName, makeNamed, requireFree } from './image-name.js';
import type { ImagesFor } from './image-port.js';
import { type AmiHandle, imageCare, untilAvailable } from './made-image.js';
import type { RegionFor } from './region.js';
import { stamped, tokenTag } from './stamps.js';

/** Copies an image into another region, or into its own with another key. */
export function amiCopyHandler(regionFor: RegionFor, imagesFor: ImagesFor): ResourceHandler<AmiCopySpec, AmiHandle> {
  return {
    async checkKnown({ access = {}, from = {}, name, namePrefix, replace }, ctx) {
      await requireElsewhere(access, from, regionFor);
      try {
        // What this step has made in another run may do again.
        await requireFree(name ?? `${namePrefix}-${ctx.run.id}`, regionFor(access).ec2, ctx, ({ tags }) => replace === true || tags[tokenTag]?.endsWith(stepOf(ctx)) === true);
      } catch (error) {
        throw unusable(error, access.region);
      }
    },
    async acquire(spec, ctx) {
      const region = regionFor(spec.access);
      const { sourceId, sourceRegion, description, encrypted, kmsKeyId, completionDuration, tags, snapshotTags } = spec;
      const name = await freeName(spec, region.ec2, ctx);
      const request = {
        clientToken: `${ctx.token}-${ctx.ids.hex(4)}`, sourceId, sourceRegion, name, description, kmsKeyId, encrypted: encrypted ?? (kmsKeyId === undefined ? undefined : true), completionMinutes: completionDuration === undefined ? undefined : completionDuration / 60_000,
        tags: stamped({ Name: name, ...tags }, ctx), snapshotTags: stamped({ Name: name, ...snapshotTags }, ctx),
      };
      const id = await makeNamed(name, region.ec2, ctx, () => imagesFor(spec.access).copy(request, ctx.signal));
      ctx.log(`${id} in ${await region.ec2.region()}: EC2 copies ${sourceId}`, 'info');
      return untilAvailable(id, region, spec.access, ctx);
    },
    ...imageCare(regionFor),
  };
}

/** A region that an account has not enabled refuses its credentials, and one that there is not has no address. */
function unusable(error: unknown, region: string | undefined): unknown {
  if (region === undefined || !BakeError.is(error) || !(error.code === 'Ec2CredentialsRefused' || /ENOTFOUND/.test(error.message))) return error;
  return new BakeError({ code: 'RegionNotUsable', source: 'user', message: `the region ${region} cannot be used: ${error.message}`, hint: 'is there such a region, and is it enabled for this account? "aws ec2 describe-regions" lists those that are', cause: error });
}

/** The part of a stamp that is the same in all runs. */
function stepOf({ token, run }: StepContext): string {
  return token.slice(run.id.length);
}

async function requireElsewhere(access: Ec2Access, from: Ec2Access, regionFor: RegionFor): Promise<void> {
  if (access.region === from.region) return; // another key for the same region
  const own = await regionFor(from).ec2.region();
  if (own === access.region) throw new BakeError({ code: 'CopyToOwnRegion', message: `"copyTo" has ${own}, where the image is made`, hint: 'leave it out; encryptBoot and kmsKeyId are for the image there' });
}
