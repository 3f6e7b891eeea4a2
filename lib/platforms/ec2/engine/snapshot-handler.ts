import type { Artifact } from '../../../core/artifact.js';
import { BakeError } from '../../../core/bake-error.js';
import type { JsonObject } from '../../../core/json.js';
import type { ResourceHandler, StepContext } from '../../../engine/handler.js';
import type { SnapshotSpec } from '../volume-steps.js';
import { stamped, tokenTag } from './stamps.js';
import type { SnapshotFacts, VolumePort } from './volume-port.js';
import { volumeAt, type VolumeRegion, type VolumeRegionFor } from './volume-region.js';

type Handle = JsonObject & { readonly artifact: Artifact; readonly id: string; readonly region: string; readonly volumeId: string; readonly deviceName: string; readonly token: string; readonly access: JsonObject };

/** An image that was just deregistered may still have its snapshots, for so many milliseconds. */
const longestUse = 60_000;
const [firstPause, longestPause] = [250, 2_000];

/** Makes a snapshot of one volume of an instance. */
export function snapshotHandler(regionFor: VolumeRegionFor): ResourceHandler<SnapshotSpec, Handle> {
  return {
    async acquire(spec, ctx) {
      const region = regionFor(spec.access);
      const { id: volumeId } = await volumeAt(spec.instanceId, spec.deviceName, region, ctx);
      const id = await region.storage.createSnapshot({ volumeId, description: spec.description, tags: stamped(spec.tags, ctx) }, ctx.signal);
      ctx.log(`${id}: EC2 copies ${volumeId} (${spec.deviceName})`, 'info');
      const made = await region.snapshots.until(id, isDone, ctx);
      // EC2 takes no client token for a snapshot: of a call whose answer was lost there may be another one.
      for (const other of await stampedWith(ctx.token, region.storage, ctx)) if (other.id !== id) await region.storage.deleteSnapshot(other.id, ctx.signal);
      return handleOf(made, spec, region, ctx.token);
    },
    async find(token, spec, ctx) {
      const region = regionFor(spec.access);
      const [found] = await stampedWith(token, region.storage, ctx);
      return found === undefined ? undefined : handleOf(found, spec, region, token);
    },
    release: ({ id, token, access }, ctx) => removeStamped(id, token, regionFor(access).storage, ctx),
    holds: ({ id, access }, ctx) => isCompleted(id, regionFor(access).storage, ctx),
    settle: 10_000,
  };
}

/** Removes a snapshot, and those of calls whose answers were lost. */
export async function removeStamped(id: string, token: string, storage: VolumePort, ctx: Pick<StepContext, 'clock' | 'signal'>): Promise<void> {
  const all = new Set([id, ...(await stampedWith(token, storage, ctx)).map((one) => one.id)]);
  for (const one of all) await removeSnapshot(one, storage, ctx);
}

/** Removes one, as soon as no image has it any more. */
export async function removeSnapshot(id: string, storage: VolumePort, ctx: Pick<StepContext, 'clock' | 'signal'>): Promise<void> {
  const deadline = ctx.clock.now() + longestUse;
  for (let pause = firstPause; ; pause = Math.min(pause * 2, longestPause)) {
    try {
      return await storage.deleteSnapshot(id, ctx.signal);
    } catch (error) {
      if (!BakeError.is(error) || error.code !== 'Ec2InUse' || ctx.clock.now() > deadline) throw error;
      await ctx.clock.sleep(pause, ctx.signal);
    }
  }
}

/** Whether it is there and can be used. */
export async function isCompleted(id: string, storage: VolumePort, { signal }: Pick<StepContext, 'signal'>): Promise<boolean> {
  try {
    return (await storage.snapshots({ ids: [id] }, signal))[0]?.state === 'completed';
  } catch (error) {
    if (BakeError.is(error) && error.code === 'Ec2NotFound') return false;
    throw error;
  }
}

/** The snapshots of a step. */
export function stampedWith(token: string, storage: VolumePort, { signal }: Pick<StepContext, 'signal'>): Promise<readonly SnapshotFacts[]> {
  return storage.snapshots({ tags: { [tokenTag]: token } }, signal);
}

/** Whether it can be used. @throws BakeError `SnapshotFailed` */
export function isDone({ id, state, reason }: SnapshotFacts): boolean {
  if (state !== 'failed') return state === 'completed';
  throw new BakeError({ code: 'SnapshotFailed', source: 'platform', message: `EC2 could not make the snapshot ${id}${reason === undefined ? '' : `: ${reason}`}`, hint: 'may these credentials use the key that the volume is encrypted with?' });
}

async function handleOf({ id, volumeId }: SnapshotFacts, { access, deviceName }: SnapshotSpec, { ec2 }: VolumeRegion, token: string): Promise<Handle> {
  const region = await ec2.region();
  return {
    id, region, volumeId, deviceName, token, access: { ...access, region },
    artifact: { type: 'ec2.snapshot', id: `${region}:${id}`, title: `snapshot ${id} of ${deviceName} in ${region}`, files: [], data: { region, id, volumeId, deviceName } },
  };
}
