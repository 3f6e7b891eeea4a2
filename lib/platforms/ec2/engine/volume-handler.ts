import type { Artifact } from '../../../core/artifact.js';
import { BakeError } from '../../../core/bake-error.js';
import type { JsonObject } from '../../../core/json.js';
import type { ResourceHandler, StepContext } from '../../../engine/handler.js';
import type { VolumeSpec } from '../volume-steps.js';
import { removeVolume } from './remove-volume.js';
import { stamped, tokenTag } from './stamps.js';
import type { VolumeFacts, VolumePort } from './volume-port.js';
import { volumeAt, type VolumeRegion, type VolumeRegionFor } from './volume-region.js';

type Handle = JsonObject & { readonly artifact: Artifact; readonly id: string; readonly region: string; readonly zone: string; readonly deviceName: string; readonly token: string; readonly access: JsonObject };

/** Lets a volume outlive its instance. Until then, and if the build fails after that, it goes with the instance. */
export function volumeHandler(regionFor: VolumeRegionFor): ResourceHandler<VolumeSpec, Handle> {
  return {
    async acquire(spec, ctx) {
      const region = regionFor(spec.access);
      const volume = await volumeAt(spec.instanceId, spec.deviceName, region, ctx);
      // First its own stamp: by that it is found if this process ends after the next call.
      await region.ec2.tag([volume.id], stamped(spec.tags, ctx), ctx.signal);
      await region.storage.setEnd(spec.instanceId, spec.deviceName, false, ctx.signal);
      ctx.log(`${volume.id} (${spec.deviceName}) stays`, 'info');
      return handleOf(volume, spec, region, ctx.token);
    },
    async find(token, spec, ctx) {
      const region = regionFor(spec.access);
      const [volume] = await region.storage.volumes({ tags: { [tokenTag]: token } }, ctx.signal);
      return volume === undefined ? undefined : handleOf(volume, spec, region, token);
    },
    release: ({ id, access }, ctx) => removeVolume(id, regionFor(access), ctx),
    holds: ({ id, access }, ctx) => isThere(id, regionFor(access).storage, ctx),
    settle: 10_000,
  };
}

/** Whether it is there and holds something. */
export async function isThere(id: string, storage: VolumePort, { signal }: Pick<StepContext, 'signal'>): Promise<boolean> {
  try {
    const [volume] = await storage.volumes({ ids: [id] }, signal);
    return volume?.state === 'available' || volume?.state === 'in-use';
  } catch (error) {
    if (BakeError.is(error) && error.code === 'Ec2NotFound') return false;
    throw error;
  }
}

async function handleOf({ id, zone }: VolumeFacts, { access, deviceName }: VolumeSpec, { ec2 }: VolumeRegion, token: string): Promise<Handle> {
  const region = await ec2.region();
  return {
    id, region, zone, deviceName, token, access: { ...access, region },
    artifact: { type: 'ec2.volume', id: `${region}:${id}`, title: `volume ${id} (${deviceName}) in ${region}`, files: [], data: { region, zone, id, deviceName } },
  };
}
