import { BakeError } from '../../../core/bake-error.js';
import type { StepContext } from '../../../engine/handler.js';
import type { InstanceFacts, InstanceState } from './ec2-port.js';
import { runTag } from './stamps.js';
import type { VolumeFacts } from './volume-port.js';
import type { VolumeRegion } from './volume-region.js';

/** Milliseconds: an instance that ends lets go of its volumes in that time. */
const longestUse = 10 * 60_000;
const [firstPause, longestPause] = [500, 2_000];
const ending: ReadonlySet<InstanceState | undefined> = new Set(['shutting-down', 'terminated', undefined]);

/**
 * Removes a volume, or has it removed with the instance of bake that still has it: EC2 does that as soon as the instance ends.
 * @throws BakeError `VolumeInUse` if somebody else's instance has it
 */
export async function removeVolume(id: string, region: VolumeRegion, ctx: Pick<StepContext, 'clock' | 'signal'>): Promise<void> {
  const deadline = ctx.clock.now() + longestUse;
  for (let pause = firstPause; ; pause = Math.min(pause * 2, longestPause)) {
    const volume = await look(id, region, ctx);
    if (volume === undefined || volume.state === 'deleting') return;
    try {
      if (volume.attached === undefined) return await region.storage.deleteVolume(id, ctx.signal);
      if (await endsWith(volume, volume.attached, region, ctx)) return;
    } catch (error) {
      if (!BakeError.is(error) || !(error.code === 'Ec2InUse' || error.code === 'Ec2NotFound') || ctx.clock.now() > deadline) throw error;
    }
    if (ctx.clock.now() > deadline) throw new BakeError({ code: 'Ec2InUse', source: 'platform', message: `${id} is still in use`, transient: true });
    await ctx.clock.sleep(pause, ctx.signal);
  }
}

/** Whether the instance has it removed. One that is ending may have been told otherwise before. */
async function endsWith({ id }: VolumeFacts, { instanceId, deviceName }: NonNullable<VolumeFacts['attached']>, region: VolumeRegion, ctx: Pick<StepContext, 'signal'>): Promise<boolean> {
  const instance = await find(instanceId, region, ctx);
  if (ending.has(instance?.state)) return false;
  if (instance?.tags[runTag] === undefined) throw new BakeError({ code: 'VolumeInUse', message: `${id} is attached to ${instanceId}, which is not of bake`, hint: 'detach it first' });
  await region.storage.setEnd(instanceId, deviceName, true, ctx.signal);
  return !ending.has((await find(instanceId, region, ctx))?.state);
}

async function find(id: string, { ec2 }: VolumeRegion, { signal }: Pick<StepContext, 'signal'>): Promise<InstanceFacts | undefined> {
  return (await orNone(ec2.instances({ ids: [id] }, signal)))?.[0];
}

async function look(id: string, { storage }: VolumeRegion, { signal }: Pick<StepContext, 'signal'>): Promise<VolumeFacts | undefined> {
  return (await orNone(storage.volumes({ ids: [id] }, signal)))?.[0];
}

async function orNone<T>(looking: Promise<T>): Promise<T | undefined> {
  try {
    return await looking;
  } catch (error) {
    if (BakeError.is(error) && error.code === 'Ec2NotFound') return undefined;
    throw error;
  }
}
