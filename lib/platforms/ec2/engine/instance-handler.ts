import { readFile } from 'node:fs/promises';
import { BakeError } from '../../../core/bake-error.js';
import type { Connection } from '../../../core/communicator.js';
import type { JsonObject } from '../../../core/json.js';
import type { ResourceHandler, StepContext } from '../../../engine/handler.js';
import { loginConfig } from '../../../vm/media/engine/cloud-init/login-config.js';
import { readDocument } from '../../../vm/media/engine/cloud-init/read-document.js';
import { combineUserData } from '../../../vm/media/engine/cloud-init/user-data.js';
import type { InstanceSpec, LaunchSpec } from '../steps.js';
import type { FleetChoice, InstanceFacts, InstanceRequest, LaunchPlace } from './ec2-port.js';
import type { Region, RegionFor } from './region.js';
import { runFleet, templateOf } from './run-fleet.js';
import { stamped, tokenTag } from './stamps.js';

export type InstanceHandle = JsonObject & {
  readonly connection: Connection & JsonObject; readonly id: string; readonly host: string; readonly type: string; readonly zone: string;
  readonly publicIp: string; readonly privateIp: string; readonly access: JsonObject;
};

/** How often an instance is started in the place of one that EC2 took away before it could be used. */
const mostRestarts = 3;
/** EC2 takes no more user data than this, in bytes. */
const longestUserData = 16 * 1024;
/** Milliseconds that a running instance may go without its address. */
const longestUntilAddress = 30_000;
/** Milliseconds until EC2 knows of a new instance profile. */
const longestUntilKnown = 60_000;
/** States in which an instance is on its way out, or gone. */
const ended: ReadonlySet<InstanceFacts['state']> = new Set(['shutting-down', 'terminated']);

/** Starts instances, of the first type that there is capacity for, and terminates them. */
export function instanceHandler(regionFor: RegionFor): ResourceHandler<InstanceSpec, InstanceHandle> {
  return {
    async acquire(spec, ctx) {
      const region = regionFor(spec.access);
      for (let left = mostRestarts; ; left--) {
        const started = await start(spec, region, ctx);
        ctx.log(`${started.id} (${started.type}${started.zone === '' ? '' : ` in ${started.zone}`})`, 'info');
        try {
          return handleOf(await region.instances.until(started.id, reached(spec, ctx), ctx), spec);
        } catch (error) {
          if (!BakeError.is(error) || error.code !== 'InstanceEnded' || !error.transient || left === 0) throw error;
          ctx.log(`${error.message}; starting another one`, 'stderr');
        }
      }
    },
    async find(token, spec, ctx) {
      const { ec2 } = regionFor(spec.access);
      if (spec.spot?.allocationStrategy !== undefined) await ec2.deleteLaunchTemplate(templateOf(token), ctx.signal);
      const [found, ...twins] = (await ec2.instances({ tags: { [tokenTag]: token } }, ctx.signal)).filter(({ state }) => !ended.has(state));
      // Of calls whose answers were lost, where the client token counts for nothing.
      await Promise.all(twins.map(({ id }) => ec2.terminateInstance(id, ctx.signal)));
      return found === undefined ? undefined : handleOf(found, spec);
    },
    release: ({ id, access }, ctx) => regionFor(access).ec2.terminateInstance(id, ctx.signal),
    async lost({ id, access }, ctx) {
      const [facts] = await regionFor(access).ec2.instances({ ids: [id] }, ctx.signal);
      return facts !== undefined && ended.has(facts.state) && isTakenAway(facts) ? facts.reason : undefined;
    },
    settle: 10_000,
  };
}

/** Whether it is known where to connect to. @throws BakeError `InstanceEnded`, `NoAddress` */
function reached(spec: InstanceSpec, { clock }: Pick<StepContext, 'clock'>): (now: InstanceFacts) => boolean {
  let runningSince: number | undefined;
  return (now) => {
    requireAlive(now);
    if (spec.address === 'session-manager') return now.state === 'running';
    if (addressOf(now, spec) !== undefined) return now.state !== 'stopped';
    if (now.state === 'running') runningSince ??= clock.now();
    if (runningSince === undefined || clock.now() < runningSince + longestUntilAddress) return false;
    throw new BakeError({ code: 'NoAddress', message: `the instance ${now.id} runs and has no ${spec.address}`, hint: spec.address.startsWith('public') ? "does its subnet give public addresses? associatePublicIp: true asks for one; address: 'private-ip' connects within the VPC" : 'does its subnet give addresses of that kind? "address" names another kind' });
  };
}

/** Whether EC2 ended it, for spot capacity or a fault of its own: another one may stay. */
function isTakenAway({ reason }: Pick<InstanceFacts, 'reason'>): boolean {
  return /spot|^Server\./i.test(reason);
}

/** @throws BakeError `InstanceEnded` */
export function requireAlive({ id, state, reason }: InstanceFacts): void {
  if (!ended.has(state)) return;
  throw new BakeError({
    code: 'InstanceEnded', source: 'platform', message: `the instance ${id} ended by itself${reason === '' ? '' : `: ${reason}`}`, transient: isTakenAway({ reason }),
    hint: /KMS|client error/i.test(reason) ? 'may these credentials use the key that its volumes are encrypted with?' : /spot/i.test(reason) ? 'spot capacity was taken back: give more types, or no spot' : 'look at its system log in the console of EC2',
  });
}

async function start(spec: InstanceSpec, { ec2 }: Region, ctx: StepContext): Promise<InstanceFacts> {
  const userData = await userDataOf(spec, ctx);
  // Of this attempt: with the token alone EC2 would give a later one the instance that ended. It is found again by its tag.
  const attempt = () => `${ctx.token}-${ctx.ids.hex(4)}`;
  const tries = triesOf(spec);
  const strategy = spec.spot?.allocationStrategy;
  if (strategy !== undefined) return onceProfileIsKnown(() => runFleet(requestOf(spec, { ...tries[0]!, userData, clientToken: attempt() }, ctx), { ec2, strategy, choices: tries }, ctx), ctx);
  const [clientToken, refusals]: [string, BakeError[]] = [attempt(), []];
  for (const [index, { type, place }] of tries.entries()) {
    try {
      return await onceProfileIsKnown(() => ec2.runInstance(requestOf(spec, { type, place, userData, clientToken: `${clientToken}-${index}` }, ctx), ctx.signal), ctx);
    } catch (error) {
      if (!BakeError.is(error) || error.code !== 'Ec2NoCapacity') throw error;
      refusals.push(error);
      if (index < tries.length - 1) ctx.log(`${error.message}; going on to ${describe(tries[index + 1]!)}`, 'stderr');
    }
  }
  throw refusals.length === 1 ? refusals[0]! : new BakeError({ code: 'Ec2NoCapacity', source: 'platform', message: `none of ${tries.map(describe).join(', ')} can be had: ${refusals.map(({ message }) => message).join('; ')}`, hint: 'give more types, zones or subnets' });
}

/** IAM tells EC2 of a new profile after some seconds; that the name is right was seen before. */
async function onceProfileIsKnown<T>(work: () => Promise<T>, { clock, signal }: StepContext): Promise<T> {
  const deadline = clock.now() + longestUntilKnown;
  for (let pause = 500; ; pause = Math.min(pause * 2, 4_000)) {
    try {
      return await work();
    } catch (error) {
      if (!BakeError.is(error) || error.code !== 'Ec2ProfileUnknown' || clock.now() > deadline) throw error;
      await clock.sleep(pause, signal);
    }
  }
}

/** What is asked for, one after the other: the type that is wished most in each place, then the next type. */
export function triesOf({ types, subnetIds, availabilityZones }: Pick<LaunchSpec, 'types' | 'subnetIds' | 'availabilityZones'>): readonly FleetChoice[] {
  const places: readonly LaunchPlace[] = subnetIds?.map((subnetId) => ({ subnetId })) ?? availabilityZones?.map((availabilityZone) => ({ availabilityZone })) ?? [{}];
  return types.flatMap((type) => places.map((place) => ({ type, place })));
}

function describe({ type, place: { subnetId, availabilityZone } }: FleetChoice): string {
  return [type, subnetId ?? availabilityZone].filter((part) => part !== undefined).join(' in ');
}

/** What EC2 is asked for. */
export function requestOf(spec: LaunchSpec & Pick<InstanceSpec, 'securityGroupIds'>, { type, place, userData, clientToken }: Pick<InstanceRequest, 'type' | 'place' | 'userData' | 'clientToken'>, ctx: Pick<StepContext, 'token' | 'run' | 'step'>): InstanceRequest {
  const { access: _access, types: _types, subnetIds: _subnetIds, availabilityZones: _zones, securityGroupIds = [], blockDevices = [], metadata = {}, tags, ...as } = spec;
  return {
    ...as, clientToken, type, place, securityGroupIds, blockDevices, userData,
    metadata: { tokens: metadata.tokens ?? 'required', hopLimit: metadata.hopLimit, tags: metadata.tags }, tags: stamped(tags, ctx),
  };
}

async function userDataOf({ cloudInit }: InstanceSpec, ctx: StepContext): Promise<Uint8Array | undefined> {
  if (cloudInit === undefined) return undefined;
  const { userData, user, authorizedKey, hostKey, longestLife } = cloudInit;
  const privateKey = hostKey === undefined ? undefined : await readFile(hostKey.privateKeyFile, 'utf8');
  const { user: account, config } = loginConfig({ user, authorizedKeys: authorizedKey === undefined ? [] : [authorizedKey], hostKey: privateKey === undefined || hostKey === undefined ? undefined : { privateKey, publicKey: hostKey.publicKey } });
  const login = { config: { ...config, runcmd: [['shutdown', '-P', `+${Math.ceil(longestLife / 60_000)}`]] }, ...(account === undefined ? {} : { user: account }) };
  const data = Buffer.from(combineUserData(await readDocument(userData), login, ctx.warn));
  if (data.length > longestUserData) throw new BakeError({ code: 'UserDataTooLong', message: `the user data has ${data.length} bytes with what bake adds, and EC2 takes ${longestUserData}`, hint: 'let it fetch the rest, or do it with provisioners' });
  return data;
}

function addressOf({ publicIp, privateIp, publicDns, privateDns, ipv6 }: InstanceFacts, { address, knownHost }: Pick<InstanceSpec, 'address' | 'knownHost'>): string | undefined {
  return knownHost ?? { 'public-ip': publicIp, 'private-ip': privateIp, 'public-dns': publicDns, 'private-dns': privateDns, 'ipv6': ipv6, 'session-manager': privateIp }[address];
}

function handleOf(facts: InstanceFacts, spec: InstanceSpec): InstanceHandle {
  const { id, type, zone, publicIp = '', privateIp = '' } = facts;
  const host = addressOf(facts, spec) ?? '';
  return { connection: { ...spec.connection, host } as InstanceHandle['connection'], id, host, type, zone, publicIp, privateIp, access: spec.access };
}
