import { networkInterfaces } from 'node:os';
import type * as z from 'zod';
import { type JsonObject, sha256 } from '../../../core/json.js';
import { BakeError } from '../../../core/bake-error.js';
import type { ResourceHandler, StepContext } from '../../../engine/handler.js';
import type { ec2SecurityGroup } from '../steps.js';
import type { Ec2Port, SecurityGroupRequest } from './ec2-port.js';
import { Joint } from './joint.js';
import { publicAddress } from './public-address.js';
import type { RegionFor } from './region.js';
import { stamped } from './stamps.js';

type Spec = z.output<(typeof ec2SecurityGroup)['spec']>;
type Handle = JsonObject & { readonly id: string; readonly name: string; readonly access: JsonObject };

/** A group goes only when the last instance in it is gone, which may take minutes. Milliseconds. */
const longestUse = 10 * 60_000;
const [firstPause, longestPause] = [500, 2_000];

interface Made {
  readonly id: string;
  users: number;
}

/** A temporary group; the builds of a run that ask for the same have one together. */
export function securityGroupHandler(regionFor: RegionFor): ResourceHandler<Spec, Handle> {
  const made = new Map<string, Made>();
  const making = new Joint<string>();
  return {
    async acquire(spec, ctx) {
      const { ec2 } = regionFor(spec.access);
      const name = nameOf(spec, ctx.run.id);
      const id = made.get(name)?.id ?? await making.join(name, ctx.signal, (signal) => make(name, spec, ec2, { ...ctx, signal }));
      const mine = made.get(name) ?? { id, users: 0 };
      made.set(name, mine);
      mine.users++;
      return { id, name, access: spec.access };
    },
    async find(token, spec, ctx) {
      const name = nameOf(spec, token.slice(0, token.lastIndexOf('-')));
      const [group] = await regionFor(spec.access).ec2.securityGroups(named(name), ctx.signal);
      return group === undefined ? undefined : { id: group.id, name, access: spec.access };
    },
    async release({ id, name, access }, ctx) {
      const mine = made.get(name);
      if (mine !== undefined && --mine.users > 0) return;
      made.delete(name);
      await removeSecurityGroup(id, regionFor(access).ec2, ctx);
    },
    settle: 5_000,
  };
}

async function make(name: string, spec: Spec, ec2: Ec2Port, ctx: StepContext): Promise<string> {
  const [vpcId, networks] = await Promise.all([
    spec.vpcId ?? (spec.subnetId === undefined ? undefined : ec2.subnets({ ids: [spec.subnetId] }, ctx.signal).then(([subnet]) => subnet?.vpcId)),
    spec.allowFrom ?? (spec.isPrivate ? ownNetworks() : publicAddress(ctx).then((address) => [`${address}/${address.includes(':') ? 128 : 32}`])),
  ]);
  const id = await create({ name, vpcId, tags: stamped(spec.tags, ctx) }, ec2, ctx);
  ctx.log(`it lets ${networks.join(', ')} in at port ${spec.port}`, 'info');
  await ec2.allow(id, spec.port, networks, ctx.signal);
  return id;
}

/** The run is in its name: one that is there already is of a call whose answer was lost. */
async function create(request: SecurityGroupRequest, ec2: Ec2Port, { signal }: StepContext): Promise<string> {
  try {
    return await ec2.createSecurityGroup(request, signal);
  } catch (error) {
    if (!BakeError.is(error) || error.code !== 'Ec2NameTaken') throw error;
    const [group] = await ec2.securityGroups(named(request.name), signal);
    if (group === undefined) throw error;
    return group.id;
  }
}

/** Waits as long as an instance that is on its way out still has it. */
export async function removeSecurityGroup(id: string, ec2: Ec2Port, ctx: Pick<StepContext, 'clock' | 'signal'>): Promise<void> {
  const deadline = ctx.clock.now() + longestUse;
  for (let pause = firstPause; ; pause = Math.min(pause * 2, longestPause)) {
    try {
      return await ec2.deleteSecurityGroup(id, ctx.signal);
    } catch (error) {
      if (!BakeError.is(error) || error.code !== 'Ec2InUse' || ctx.clock.now() > deadline) throw error;
      await ctx.clock.sleep(pause, ctx.signal);
    }
  }
}

/** Says which run it is of and what it lets in: so it is found again from the token alone, whichever build made it. */
function nameOf({ vpcId, subnetId, port, allowFrom, isPrivate }: Spec, run: string): string {
  return `bake-${run}-${sha256(JSON.stringify([vpcId, subnetId, port, allowFrom, isPrivate])).slice(0, 8)}`;
}

function named(name: string) {
  return { filters: { 'group-name': [name] } };
}

/** The addresses of this computer, of which one is in the VPC or leads there. */
function ownNetworks(): readonly string[] {
  const addresses = Object.values(networkInterfaces()).flatMap((list) => list ?? []).filter(({ internal, family }) => !internal && family === 'IPv4');
  return [...new Set(addresses.map(({ address }) => `${address}/32`))];
}
