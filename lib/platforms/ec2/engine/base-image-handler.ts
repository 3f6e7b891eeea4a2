import * as z from 'zod';
import { BakeError } from '../../../core/bake-error.js';
import type { ActionHandler, StepContext } from '../../../engine/handler.js';
import type { ec2BaseImage } from '../steps.js';
import type { ImageFacts } from './ec2-port.js';
import type { ParametersFor } from './parameter-port.js';
import type { Region, RegionFor } from './region.js';
import { imageOfParameter } from './image-of-parameter.js';

type Spec = z.output<(typeof ec2BaseImage)['spec']>;
type Filter = Extract<Spec['query'], { readonly type: 'filter' }>;
export type BaseAmi = { readonly id: string; readonly name: string; readonly rootDevice: string; readonly architecture: string };

const pinSchema = z.object({ id: z.string().regex(/^ami-[0-9a-f]+$/), name: z.string() });

/** Finds the image that a machine starts from. */
export function baseImageHandler(regionFor: RegionFor, parametersFor: ParametersFor): ActionHandler<Spec, BaseAmi> {
  return {
    async run({ access, query }, ctx) {
      const region = regionFor(access);
      if (query.type === 'id') return known(query.id, region, ctx);
      const name = `ami ${await region.ec2.region()} ${query.type === 'ssm' ? `ssm ${query.name}` : describe(query)}`;
      let found: ImageFacts | undefined;
      const pin = await ctx.pin(name, pinSchema, async () => {
        found = query.type === 'ssm' ? await available(await imageOfParameter(query.name, parametersFor(access), ctx), region, ctx) : await newest(query, region, ctx);
        return { id: found.id, name: found.name };
      });
      const base = found === undefined ? await known(pin!.id, region, ctx).catch((error: unknown) => { throw withPin(error, name); }) : baseOf(found);
      ctx.log(`${base.id} ${base.name}`, 'info');
      return base;
    },
  };
}

async function known(id: string, region: Region, ctx: StepContext): Promise<BaseAmi> {
  return baseOf(await available(id, region, ctx));
}

async function available(id: string, { ec2 }: Region, ctx: StepContext): Promise<ImageFacts> {
  const [image] = await ec2.images({ ids: [id], includeDeprecated: true }, ctx.signal);
  if (image === undefined) throw new BakeError({ code: 'Ec2NotFound', message: `there is no image ${id} in ${await ec2.region()}`, hint: 'an image has another id in each region; is it shared with this account?' });
  if (image.state !== 'available') throw new BakeError({ code: 'AmiNotAvailable', message: `the image ${id} is ${image.state}, not available${image.reason === undefined ? '' : `: ${image.reason}`}`, hint: 'wait until it is, or take another one' });
  return image;
}

async function newest({ owners, filters, includeDeprecated }: Filter, { ec2 }: Region, ctx: StepContext): Promise<ImageFacts> {
  const image = (await ec2.images({ owners, filters, ...(includeDeprecated === undefined ? {} : { includeDeprecated }) }, ctx.signal)).at(-1);
  if (image !== undefined) return image;
  const asked = Object.entries(filters).map(([name, values]) => `${name}=${values.join(',')}`).join(' ');
  throw new BakeError({ code: 'NoAmiFound', message: `no image of ${owners.join(', ')} in ${await ec2.region()} has ${asked}`, hint: 'look at the name (* stands for any characters), the owners, the architecture and the region' });
}

function withPin(error: unknown, name: string): BakeError {
  return BakeError.from(error).with({ hint: `bake.lock.json pins it; run "bake run --update='${name}'" to look for a newer one` });
}

function baseOf({ id, name, rootDevice, architecture }: ImageFacts): BaseAmi {
  return { id, name, rootDevice, architecture };
}

/** What its pin is called: what most people would say of it, and what else was asked for. */
function describe({ owners, filters, includeDeprecated }: Filter): string {
  const { name = [], architecture = [], state: _, 'root-device-type': _type, 'virtualization-type': _kind, ...more } = filters;
  return [owners.join(','), name.join(','), architecture.join(','), ...Object.entries(more).map(([key, values]) => `${key}=${values.join(',')}`), ...(includeDeprecated === true ? ['deprecated too'] : [])].filter((part) => part !== '').join(' ');
}
