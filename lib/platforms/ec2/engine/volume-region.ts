import { BakeError } from '../../../core/bake-error.js';
import type { StepContext } from '../../../engine/handler.js';
import type { Ec2Access } from '../steps.js';
import { awsVolumes } from './aws-volumes.js';
import { awsRegions, type Region, type RegionFor } from './region.js';
import type { SnapshotFacts, VolumeFacts, VolumePort, VolumesFor } from './volume-port.js';
import { Watch } from './watch.js';

/** A region, with its volumes and snapshots. */
export interface VolumeRegion extends Region {
  readonly storage: VolumePort;
  readonly volumes: Watch<VolumeFacts>;
  readonly snapshots: Watch<SnapshotFacts>;
}

export type VolumeRegionFor = (access: Ec2Access) => VolumeRegion;

/** One of each account and region. */
export function volumeRegionsOf(regionFor: RegionFor, volumesFor: VolumesFor): VolumeRegionFor {
  const known = new Map<VolumePort, VolumeRegion>();
  return (access) => {
    const storage = volumesFor(access);
    const region = known.get(storage) ?? {
      ...regionFor(access), storage,
      volumes: new Watch((ids: readonly string[], signal: AbortSignal) => storage.volumes({ ids }, signal)), snapshots: new Watch((ids: readonly string[], signal: AbortSignal) => storage.snapshots({ ids }, signal)),
    };
    known.set(storage, region);
    return region;
  };
}

/** Amazon's. */
export const awsVolumeRegions: VolumeRegionFor = volumeRegionsOf(awsRegions, awsVolumes);

/** The volume that an instance has under a name. @throws BakeError `NoSuchDevice` */
export async function volumeAt(instanceId: string, deviceName: string, { storage }: VolumeRegion, { signal }: Pick<StepContext, 'signal'>): Promise<VolumeFacts> {
  const volumes = await storage.volumes({ instanceId }, signal);
  const volume = volumes.find(({ attached }) => attached?.deviceName === deviceName);
  if (volume !== undefined) return volume;
  const others = volumes.map(({ attached }) => attached?.deviceName).join(', ');
  throw new BakeError({ code: 'NoSuchDevice', message: `the instance ${instanceId} has no volume ${deviceName}, but ${others === '' ? 'none' : others}`, hint: 'was it detached by a provisioner, or is it a device of the base image that has another name?' });
}
