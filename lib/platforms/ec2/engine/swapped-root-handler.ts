import { BakeError } from '../../../core/bake-error.js';
import type { JsonObject } from '../../../core/json.js';
import type { ResourceHandler, StepContext } from '../../../engine/handler.js';
import type { SwappedRootSpec } from '../volume-steps.js';
import { removeVolume } from './remove-volume.js';
import { stamped, tokenTag } from './stamps.js';
import type { VolumeFacts } from './volume-port.js';
import type { Watch } from './watch.js';
import { volumeAt, type VolumeRegionFor } from './volume-region.js';

type Handle = JsonObject & { readonly volumeId: string; readonly token: string; readonly access: JsonObject };

/** Milliseconds until a refused change is taken for refused: it may be that the answer was lost and the change is on its way. */
const longestDoubt = 60_000;

/** Takes the root volume out of an instance that stands still, and puts another one of its volumes there. The old one goes, and what the image is not to have. */
export function swappedRootHandler(regionFor: VolumeRegionFor): ResourceHandler<SwappedRootSpec, Handle> {
  return {
    async acquire({ access, instanceId, sourceDeviceName, rootDeviceName, omit, tags }, ctx) {
      const region = regionFor(access);
      const { ec2, storage, volumes } = region;
      const at = (name: string) => volumeAt(instanceId, name, region, ctx);
      const source = await at(sourceDeviceName);
      const others = await Promise.all([...new Set([rootDeviceName, ...omit])].map(at));
      const all = [source, ...others];
      // What is detached no longer goes with its instance: by this stamp it is found.
      await ec2.tag(all.map(({ id }) => id), stamped(tags, ctx), ctx.signal);
      await Promise.all(all.map(({ id }) => change(id, () => storage.detach(id, instanceId, ctx.signal), ({ attached, state }) => attached === undefined && state === 'available', volumes, ctx)));
      await change(source.id, () => storage.attach(source.id, instanceId, rootDeviceName, ctx.signal), ({ attached, state }) => attached?.deviceName === rootDeviceName && state === 'in-use', volumes, ctx);
      await Promise.all([storage.setEnd(instanceId, rootDeviceName, true, ctx.signal), ...others.map(({ id }) => storage.deleteVolume(id, ctx.signal))]);
      ctx.log(`${source.id} is the root volume of ${instanceId}`, 'info');
      return { volumeId: source.id, token: ctx.token, access: { ...access, region: await ec2.region() } };
    },
    async find(token, { access }, ctx) {
      const { ec2, storage } = regionFor(access);
      const [volume] = await storage.volumes({ tags: { [tokenTag]: token } }, ctx.signal);
      return volume === undefined ? undefined : { volumeId: volume.id, token, access: { ...access, region: await ec2.region() } };
    },
    async release({ token, access }, ctx) {
      const region = regionFor(access);
      const all = await region.storage.volumes({ tags: { [tokenTag]: token } }, ctx.signal);
      await Promise.all(all.map(({ id }) => removeVolume(id, region, ctx)));
    },
    settle: 10_000,
  };
}

/** Changes a volume and waits until that is so. A call whose answer was lost is refused when it is made again. */
async function change(id: string, call: () => Promise<void>, isDone: (volume: VolumeFacts) => boolean, volumes: Watch<VolumeFacts>, ctx: StepContext): Promise<void> {
  const deadline = ctx.clock.now() + longestDoubt;
  let refusal: unknown;
  try {
    await call();
  } catch (error) {
    if (!BakeError.is(error) || error.code !== 'Ec2InUse') throw error;
    refusal = error;
  }
  await volumes.until(id, (volume) => {
    if (isDone(volume)) return true;
    if (refusal !== undefined && ctx.clock.now() > deadline) throw refusal;
    return false;
  }, ctx);
}
