import { BakeError } from '../../../core/bake-error.js';
import type { Artifact } from '../../../core/artifact.js';
import type { JsonObject } from '../../../core/json.js';
import type { StepContext } from '../../../engine/handler.js';
import type { Ec2Access } from '../steps.js';
import type { ImageFacts } from './ec2-port.js';
import type { Region, RegionFor } from './region.js';
import { stamped, tokenTag } from './stamps.js';

/** One image of one region. */
export type AmiHandle = JsonObject & {
  readonly artifact: Artifact; readonly id: string; readonly region: string; readonly name: string; readonly snapshots: readonly string[];
  /** The stamp that it was made with. */
  readonly token: string;
  /** With its region, whatever the environment says when it is removed. */
  readonly access: JsonObject;
};

/** Finding, removing and looking at an image, whichever way it was made. */
export function imageCare(regionFor: RegionFor) {
  return {
    async find(token: string, { access, name, namePrefix }: { readonly access: Ec2Access; readonly name?: string | undefined; readonly namePrefix: string }, ctx: StepContext): Promise<AmiHandle | undefined> {
      const { ec2 } = regionFor(access);
      const having = (filter: string, value: string) => ec2.images({ owners: ['self'], filters: { [filter]: [value] }, includeDeprecated: true }, ctx.signal);
      const [stamped, ...twins] = await having(`tag:${tokenTag}`, token);
      for (const { id, snapshots } of twins) await ec2.deregisterImage(id, snapshots, ctx.signal); // of calls whose answers were lost
      // An EC2 that is not Amazon's may take no tags with CopyImage; a name with the run in it says as much.
      const [image] = stamped === undefined && name === undefined ? await having('name', `${namePrefix}-${ctx.run.id}`) : [stamped];
      return image === undefined ? undefined : handleOf(image, await ec2.region(), access, ctx);
    },
    async release({ id, snapshots, access }: AmiHandle, ctx: StepContext): Promise<void> {
      const region = regionFor(access);
      const own = snapshots.length > 0 ? snapshots : await snapshotsOf(id, region, ctx);
      // They have no stamp until their build is over; without one, what is left when this is killed between the two would be nobody's.
      if (own.length > 0) await region.ec2.tag(own, stamped(undefined, ctx), ctx.signal).catch(() => {}); // they may be gone
      await region.ec2.deregisterImage(id, own, ctx.signal);
    },
    holds: ({ id, access }: AmiHandle, ctx: StepContext) => isAvailable(id, regionFor(access), ctx),
    settle: 10_000,
  };
}

/** What is being copied names its snapshots only in the end; without their image they would stay for ever. */
async function snapshotsOf(id: string, { ec2, images }: Region, ctx: StepContext): Promise<readonly string[]> {
  try {
    const [image] = await ec2.images({ ids: [id], includeDeprecated: true }, ctx.signal);
    if (image === undefined || image.snapshots.length > 0 || image.state !== 'pending') return image?.snapshots ?? [];
    ctx.log(`waiting until EC2 names the snapshots of ${id}`, 'info');
    return (await images.until(id, ({ state, snapshots }) => snapshots.length > 0 || state !== 'pending', ctx)).snapshots;
  } catch (error) {
    if (BakeError.is(error) && error.code === 'Ec2NotFound') return [];
    throw error;
  }
}

/** Whether it is there and can be used. */
export async function isAvailable(id: string, { ec2 }: Region, { signal }: Pick<StepContext, 'signal'>): Promise<boolean> {
  try {
    const [image] = await ec2.images({ ids: [id], includeDeprecated: true }, signal);
    return image?.state === 'available';
  } catch (error) {
    if (BakeError.is(error) && error.code === 'Ec2NotFound') return false;
    throw error;
  }
}

/** Waits until EC2 has made it. @throws BakeError `AmiFailed` */
export async function untilAvailable(id: string, region: Region, access: Ec2Access, ctx: StepContext): Promise<AmiHandle> {
  const image = await region.images.until(id, isDone, ctx);
  return handleOf(image, await region.ec2.region(), access, ctx);
}

function isDone({ id, state, reason }: ImageFacts): boolean {
  if (state === 'available') return true;
  if (state === 'pending') return false;
  throw new BakeError({ code: 'AmiFailed', source: 'platform', message: `EC2 could not make the image ${id}${reason === undefined ? '' : `: ${reason}`}`, hint: 'may these credentials use the keys that the volumes are encrypted with?' });
}

function handleOf({ id, name, snapshots: known, architecture }: ImageFacts, region: string, access: Ec2Access, { token }: Pick<StepContext, 'token'>): AmiHandle {
  const snapshots = [...known];
  return {
    id, region, name, snapshots, token, access: { ...access, region },
    artifact: { type: 'ec2.ami', id: `${region}:${id}`, title: `AMI ${name} (${id} in ${region})`, files: [], data: { region, id, name, architecture, snapshots } },
  };
}
