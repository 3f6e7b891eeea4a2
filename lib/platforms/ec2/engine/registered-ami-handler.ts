import type { ResourceHandler } from '../../../engine/handler.js';
import type { RegisteredAmiSpec } from '../volume-steps.js';
import { freeName, makeNamed } from './image-name.js';
import { type AmiHandle, imageCare, untilAvailable } from './made-image.js';
import type { RegionFor } from './region.js';
import { stamped } from './stamps.js';
import type { RegisterRequest, VolumesFor } from './volume-port.js';

/** Puts an image together of snapshots, which other steps have made and remove. */
export function registeredAmiHandler(regionFor: RegionFor, volumesFor: VolumesFor): ResourceHandler<RegisteredAmiSpec, AmiHandle> {
  const { find, holds, settle } = imageCare(regionFor);
  return {
    async acquire(spec, ctx) {
      const region = regionFor(spec.access);
      const { access, description, architecture, rootDeviceName, devices, bootMode, uefiData, tpmSupport, ena, sriov, tags, snapshots } = spec;
      const name = await freeName(spec, region.ec2, ctx);
      const request: RegisterRequest = { name, description, architecture, rootDeviceName, devices, bootMode, uefiData, tpmSupport, ena, sriov, tags: stamped({ Name: name, ...tags }, ctx) };
      const id = await makeNamed(name, region.ec2, ctx, () => volumesFor(access).register(request, ctx.signal));
      return { ...await untilAvailable(id, region, access, ctx), snapshots: [...snapshots] };
    },
    async find(token, spec, ctx) {
      const found = await find(token, spec, ctx);
      return found === undefined ? undefined : { ...found, snapshots: [] };
    },
    release: ({ id, access }, ctx) => regionFor(access).ec2.deregisterImage(id, [], ctx.signal),
    holds, settle,
  };
}
