import type { Artifact } from '../../../core/artifact.js';
import type { JsonObject } from '../../../core/json.js';
import type { ResourceHandler } from '../../../engine/handler.js';
import type { VolumeSetSpec } from '../volume-steps.js';
import { isCompleted } from './snapshot-handler.js';
import { stateTag } from './stamps.js';
import { isThere } from './volume-handler.js';
import type { VolumeRegionFor } from './volume-region.js';

type Made = JsonObject & { readonly deviceName: string; readonly id: string };
type Handle = JsonObject & { readonly artifact: Artifact; readonly volumes: readonly Made[]; readonly snapshots: readonly Made[]; readonly access: JsonObject };

/** Marks the volumes and snapshots of a build as finished, and tells of them as one. They are those of other steps. */
export function volumeSetHandler(regionFor: VolumeRegionFor): ResourceHandler<VolumeSetSpec, Handle> {
  return {
    async acquire(spec, ctx) {
      // From now on they are no longer what a dead run left.
      await regionFor(spec.access).ec2.tag([...spec.volumes, ...spec.snapshots].map(({ id }) => id), { [stateTag]: 'finished' }, ctx.signal);
      return handleOf(spec);
    },
    find: (_token, spec) => Promise.resolve(handleOf(spec)),
    release: () => Promise.resolve(),
    async holds({ volumes, snapshots, access }, ctx) {
      const { storage } = regionFor(access);
      const there = await Promise.all([...volumes.map(({ id }) => isThere(id, storage, ctx)), ...snapshots.map(({ id }) => isCompleted(id, storage, ctx))]);
      return there.every(Boolean);
    },
  };
}

function handleOf({ access, volumes, snapshots, zone, sourceAmi, sourceAmiName }: VolumeSetSpec): Handle {
  const plain = (list: VolumeSetSpec['volumes']) => list.map(({ deviceName, id }) => ({ deviceName, id }));
  const byDevice = (list: VolumeSetSpec['volumes']) => Object.fromEntries(list.map(({ deviceName, id }) => [deviceName, id]));
  const all = [...volumes, ...snapshots];
  const region = all[0]?.region ?? '';
  return {
    volumes: plain(volumes), snapshots: plain(snapshots), access: { ...access, region },
    artifact: {
      type: 'ec2.volumes', id: all.map(({ id }) => `${region}:${id}`).join(','), files: [],
      title: `${volumes.length > 0 ? 'volumes' : 'snapshots'} ${all.map(({ id, deviceName }) => `${id} (${deviceName})`).join(', ')} in ${region}`,
      data: { region, ...(zone === undefined ? {} : { zone }), volumes: byDevice(volumes), snapshots: byDevice(snapshots), sourceAmi, sourceAmiName },
    },
  };
}
