import { networkInterfaces } from 'node:os';
import type * as z from 'zod';
import { type JsonObject, sha256 } from '../../../core/json.js';
import { BakeError } from '../../../core/bake-error.js';
import type { ResourceHandler, StepContext } from '../../../engine/handler.js';
import type { ec2SecurityGroup } from '../steps.js';
import type { Ec2Port, SecurityGroupRequest } from './ec2-port.js';
import { publicAddress } from './public-address.js';
import type { RegionFor } from './region.js';
import { SharedGroups } from './shared-groups.js';
import { stamped } from './stamps.js';

type Spec = z.output<(typeof ec2SecurityGroup)['spec']>;
type Handle = JsonObject & { readonly id: string; readonly name: string; readonly access: JsonObject };

/** A group goes only when the last instance in it is gone, which may take minutes. Milliseconds. */
const longestUse = 10 * 60_000;
const [firstPause, longestPause] = [500, 2_000];

/** A temporary group; the builds of a run that ask for the same have one together. */
export function securityGroupHandler(regionFor: RegionFor): ResourceHandler<Spec, Handle> {
  const shared = new SharedGroups();
  return {
    async acquire(spec, ctx) {
      const { ec2 } = regionFor(spec.access);
      const name = nameOf(spec, ctx.run.id);
      const id = await shared.use(keyOf(spec.access, name), ctx.token, ctx.signal, (signal) => make(name, spec, ec2, { ...ctx, signal }));
      return { id, name, access: spec.access };
    },
    async find(token, spec, ctx) {
      const name = nameOf(spec, token.slice(0, token.lastIndexOf('-')));
      const [group] = await regionFor(spec.access).ec2.securityGroups(named(name), ctx.signal);
      return group === undefined ? undefined : { id: group.id, name, access: spec.access };
    },
    release: ({ id, name, access }, ctx) => shared.leave(keyOf(access, name), ctx.token, (isWanted) => removeSecurityGroup(id, regionFor(access).ec2, ctx, isWanted)),
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

/**
 * Waits as long as an instance that is on its way out still has it.
 * @returns false if somebody wants it after all, so that it stays
 */
export async function removeSecurityGroup(id: string, ec2: Ec2Port, { clock, signal }: Pick<StepContext, 'clock' | 'signal'>, isWanted: () => boolean = () => false): Promise<boolean> {
  const deadline = clock.now() + longestUse;
  for (let pause = firstPause; ; pause = Math.min(pause * 2, longestPause)) {
    if (isWanted()) return false;
    try {
      await ec2.deleteSecurityGroup(id, signal);
      return true;
    } catch (error) {
      if (!BakeError.is(error) || error.code !== 'Ec2InUse' || clock.now() > deadline) throw error;
      await clock.sleep(pause, signal);
    }
  }
}

/** In two regions, or two accounts, groups of one name are two. */
function keyOf(access: JsonObject, name: string): string {
  return JSON.stringify([access, name]);
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
