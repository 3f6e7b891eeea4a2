import type * as z from 'zod';
import { BakeError } from '../../../core/bake-error.js';
import type { Artifact } from '../../../core/artifact.js';
import type { JsonObject } from '../../../core/json.js';
import type { ResourceHandler, StepContext } from '../../../engine/handler.js';
import type { Ec2Access, ec2Ami } from '../steps.js';
import type { Ec2Port, ImageFacts } from './ec2-port.js';
import type { Region, RegionFor } from './region.js';
import { stamped, stateTag, tokenTag } from './stamps.js';

type Spec = z.output<(typeof ec2Ami)['spec']>;
type Handle = JsonObject & { readonly artifact: Artifact; readonly id: string; readonly snapshots: readonly string[]; readonly access: JsonObject };

/** Makes an image of an instance, and takes it away again if the build fails. */
export function amiHandler(regionFor: RegionFor): ResourceHandler<Spec, Handle> {
  return {
    async checkKnown({ access = {}, name, replace }, ctx) {
      if (name === undefined || replace === true || ctx.run.force) return;
      const [taken] = await namesakes(regionFor(access).ec2, name, ctx);
      if (taken !== undefined) throw nameTaken(name, taken);
    },
    async acquire(spec, ctx) {
      const region = regionFor(spec.access);
      const name = spec.name ?? `${spec.namePrefix}-${ctx.run.id}`;
      if (spec.replace || ctx.run.force) await replace(region.ec2, name, ctx);
      const { instanceId, description, noReboot, blockDevices = [], tags } = spec;
      const id = await create(region, { instanceId, name, description, noReboot, blockDevices, tags: stamped({ Name: name, ...tags }, ctx) }, ctx);
      ctx.log(`${id}: EC2 copies the volumes`, 'info');
      const image = await region.images.until(id, isDone, ctx);
      // One call: the snapshots get their tags, and the image is no longer what a dead run left.
      await region.ec2.tag([id, ...image.snapshots], { ...stamped({ Name: name, ...spec.snapshotTags }, ctx), [stateTag]: 'finished' }, ctx.signal);
      return handleOf(image, await region.ec2.region(), spec.access);
    },
    async find(token, spec, ctx) {
      const { ec2 } = regionFor(spec.access);
      const [image] = await ec2.images({ owners: ['self'], filters: { [`tag:${tokenTag}`]: [token] }, includeDeprecated: true }, ctx.signal);
      return image === undefined ? undefined : handleOf(image, await ec2.region(), spec.access);
    },
    async release({ id, snapshots, access }, ctx) {
      const { ec2 } = regionFor(access);
      // What is being copied has no snapshots to name yet.
      const known = snapshots.length > 0 ? snapshots : await ec2.images({ ids: [id] }, ctx.signal).then(([image]) => image?.snapshots ?? [], () => []);
      await ec2.deregisterImage(id, known, ctx.signal);
    },
    async holds({ id, access }, ctx) {
      try {
        const [image] = await regionFor(access).ec2.images({ ids: [id], includeDeprecated: true }, ctx.signal);
        return image?.state === 'available';
      } catch (error) {
        if (BakeError.is(error) && error.code === 'Ec2NotFound') return false;
        throw error;
      }
    },
    settle: 10_000,
  };
}

async function create({ ec2 }: Region, request: Parameters<Ec2Port['createImage']>[0], ctx: StepContext): Promise<string> {
  try {
    return await ec2.createImage(request, ctx.signal);
  } catch (error) {
    if (BakeError.is(error) && error.code === 'Ec2NameTaken') throw nameTaken(request.name, (await namesakes(ec2, request.name, ctx))[0]);
    throw error;
  }
}

function isDone({ id, state, reason }: ImageFacts): boolean {
  if (state === 'available') return true;
  if (state === 'pending') return false;
  throw new BakeError({ code: 'AmiFailed', source: 'platform', message: `EC2 could not make the image ${id}${reason === undefined ? '' : `: ${reason}`}`, hint: 'may these credentials use the keys that the volumes are encrypted with?' });
}

function namesakes(ec2: Ec2Port, name: string, ctx: StepContext): Promise<readonly ImageFacts[]> {
  // A filter takes * and ? for others, and no name of an image has them.
  return ec2.images({ owners: ['self'], filters: { name: [name] }, includeDeprecated: true }, ctx.signal);
}

async function replace(ec2: Ec2Port, name: string, ctx: StepContext): Promise<void> {
  for (const { id, snapshots } of await namesakes(ec2, name, ctx)) {
    ctx.log(`removing ${id}, which has the name`, 'info');
    await ec2.deregisterImage(id, snapshots, ctx.signal);
  }
}

function nameTaken(name: string, taken: ImageFacts | undefined): BakeError {
  return new BakeError({ code: 'AmiNameTaken', message: `this account has an image "${name}" already${taken === undefined ? '' : `: ${taken.id}, of ${taken.created}`}`, hint: 'put build.runId or a version into amiName, or replace it: forceDeregister: true, or --force' });
}

function handleOf({ id, name, snapshots, architecture }: ImageFacts, region: string, access: Ec2Access): Handle {
  return { id, snapshots: [...snapshots], access, artifact: { type: 'ec2.ami', id: `${region}:${id}`, title: `AMI ${name} (${id} in ${region})`, files: [], data: { region, id, name, architecture, snapshots: [...snapshots] } } };
}
