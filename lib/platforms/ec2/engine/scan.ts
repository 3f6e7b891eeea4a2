import { BakeError } from '../../../core/bake-error.js';
import type { ScanHost, Stray } from '../../../engine/extension.js';
import type { Tags } from './ec2-port.js';
import type { ProfilesFor } from './profile-port.js';
import type { Region, RegionFor } from './region.js';
import { removeSecurityGroup } from './security-group-handler.js';
import { homeTag, runTag, stateTag } from './stamps.js';

const temporary = { [runTag]: '*', [stateTag]: 'temporary' };
const nobody = new Set(['Ec2NoCredentials', 'Ec2NoRegion']);

/** What carries our stamp and goes with its run. Without credentials there is nothing to look at, unless regions are named. */
export async function scanEc2(host: ScanHost, regionFor: RegionFor, profilesFor: ProfilesFor): Promise<readonly Stray[]> {
  try {
    const names = host.regions?.includes('all') === true ? await regionFor({}).ec2.regions(host.signal) : host.regions;
    const regions = names?.map((region) => regionFor({ region })) ?? [regionFor({})];
    const found = await Promise.all(regions.map((region) => scanRegion(region, host)));
    return [...found.flat(), ...await scanProfiles(profilesFor, host)];
  } catch (error) {
    if (host.regions === undefined && BakeError.is(error) && nobody.has(error.code)) return [];
    throw error;
  }
}

/** The instances before what they use. */
async function scanRegion({ ec2 }: Region, host: ScanHost): Promise<readonly Stray[]> {
  const { signal } = host;
  const [region, instances, groups, keyPairs, images] = await Promise.all([
    ec2.region(), ec2.instances({ tags: temporary }, signal), ec2.securityGroups({ tags: temporary }, signal), ec2.keyPairs({ tags: temporary }, signal),
    ec2.images({ owners: ['self'], filters: { 'tag-key': [runTag], [`tag:${stateTag}`]: ['temporary'] }, includeDeprecated: true }, signal),
  ]);
  const stray = (kind: string, title: string, tags: Tags, remove: () => Promise<void>) => strayOf(kind, `${title} in ${region}`, tags, remove);
  return [
    ...instances.filter(({ state }) => state !== 'terminated' && state !== 'shutting-down').map(({ id, tags }) => stray('instance', id, tags, () => ec2.terminateInstance(id, signal))),
    ...images.map(({ id, name, snapshots, tags }) => stray('AMI', `${id} ${name}`, tags, () => ec2.deregisterImage(id, snapshots, signal))),
    ...keyPairs.map(({ name, tags }) => stray('key pair', name, tags, () => ec2.deleteKeyPair(name, signal))),
    ...groups.map(({ id, name, tags }) => stray('security group', `${id} ${name}`, tags, () => removeSecurityGroup(id, ec2, host))),
  ].filter(({ run }) => run !== '');
}

function strayOf(kind: string, title: string, tags: Tags, remove: () => Promise<void>): Stray {
  const home = tags[homeTag];
  return { kind, title, run: tags[runTag] ?? '', ...(home === undefined ? {} : { home }), remove };
}

/** Those of an account, of whichever region's run. Who may not list them has made none. */
async function scanProfiles(profilesFor: ProfilesFor, { signal }: ScanHost): Promise<readonly Stray[]> {
  const profiles = profilesFor({});
  try {
    const found = await profiles.list(signal);
    return found.map(({ name, tags }) => strayOf('instance profile', name, tags, () => profiles.remove(name, signal))).filter(({ run }) => run !== '');
  } catch (error) {
    if (BakeError.is(error) && error.code === 'Ec2Denied') return [];
    throw error;
  }
}
