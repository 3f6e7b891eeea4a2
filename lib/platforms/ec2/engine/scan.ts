import { BakeError } from '../../../core/bake-error.js';
import type { ScanHost, Stray, Unseen } from '../../../engine/extension.js';
import type { Tags } from './ec2-port.js';
import type { ProfilePort, ProfilesFor } from './profile-port.js';
import { removeVolume } from './remove-volume.js';
import { removeSecurityGroup } from './security-group-handler.js';
import { removeSnapshot } from './snapshot-handler.js';
import { homeTag, runTag, stateTag } from './stamps.js';
import type { VolumeRegion, VolumeRegionFor } from './volume-region.js';

const temporary = { [runTag]: '*', [stateTag]: 'temporary' };
const nobody = new Set(['Ec2NoCredentials', 'Ec2NoRegion']);

/** What carries our stamp and goes with its run. Without credentials there is nothing to look at, unless regions are named. */
export async function scanEc2(host: ScanHost, unseen: Unseen, regionFor: VolumeRegionFor, profilesFor: ProfilesFor): Promise<readonly Stray[]> {
  try {
    const names = host.regions?.includes('all') === true ? await regionFor({}).ec2.regions(host.signal) : host.regions;
    const found = await Promise.all((names ?? [undefined]).map(async (region) => {
      try {
        return await scanRegion(regionFor(region === undefined ? {} : { region }), host);
      } catch (error) {
        if (region === undefined || names?.length === 1) throw error;
        unseen(`ec2 in ${region}`, error); // an account may be kept out of one by its organisation
        return [];
      }
    }));
    return [...found.flat(), ...await scanProfiles(profilesFor(names?.[0] === undefined ? {} : { region: names[0] }), host)];
  } catch (error) {
    if (host.regions === undefined && BakeError.is(error) && nobody.has(error.code)) return [];
    throw error;
  }
}

/** The instances before what they use, the images before their snapshots. */
export async function scanRegion(region: VolumeRegion, host: ScanHost): Promise<readonly Stray[]> {
  const { ec2, storage } = region;
  const { signal } = host;
  const [name, instances, groups, keyPairs, templates, images, volumes, snapshots] = await Promise.all([
    ec2.region(), ec2.instances({ tags: temporary }, signal), ec2.securityGroups({ tags: temporary }, signal), ec2.keyPairs({ tags: temporary }, signal), ec2.launchTemplates({ tags: temporary }, signal),
    ec2.images({ owners: ['self'], filters: { 'tag-key': [runTag], [`tag:${stateTag}`]: ['temporary'] }, includeDeprecated: true }, signal),
    storage.volumes({ tags: temporary }, signal), storage.snapshots({ tags: temporary }, signal),
  ]);
  const stray = (kind: string, title: string, tags: Tags, remove: () => Promise<void>) => strayOf(kind, `${title} in ${name}`, tags, remove);
  const ofImages = new Set(images.flatMap((image) => image.snapshots));
  return [
    ...instances.filter(({ state }) => state !== 'terminated' && state !== 'shutting-down').map(({ id, tags }) => stray('instance', id, tags, () => ec2.terminateInstance(id, signal))),
    ...images.map(({ id, name: of, snapshots: own, tags }) => stray('AMI', `${id} ${of}`, tags, () => ec2.deregisterImage(id, own, signal))),
    // The others go with their instances.
    ...volumes.filter(({ state, attached }) => state !== 'deleting' && attached?.endsWithInstance !== true).map(({ id, tags }) => stray('volume', id, tags, () => removeVolume(id, region, host))),
    ...snapshots.filter(({ id }) => !ofImages.has(id)).map(({ id, tags }) => stray('snapshot', id, tags, () => removeSnapshot(id, storage, host))),
    ...keyPairs.map(({ name: of, tags }) => stray('key pair', of, tags, () => ec2.deleteKeyPair(of, signal))),
    ...templates.map(({ name: of, tags }) => stray('launch template', of, tags, () => ec2.deleteLaunchTemplate(of, signal))),
    ...groups.map(({ id, name: of, tags }) => stray('security group', `${id} ${of}`, tags, async () => { await removeSecurityGroup(id, ec2, host); })),
  ].filter(({ run }) => run !== '');
}

function strayOf(kind: string, title: string, tags: Tags, remove: () => Promise<void>): Stray {
  // What has no mark may be anybody's.
  return { kind, title, run: tags[runTag] ?? '', home: tags[homeTag] ?? 'unknown', remove };
}

/** Those of an account, of whichever region's run. Who may not list them has made none. */
async function scanProfiles(profiles: ProfilePort, { signal }: ScanHost): Promise<readonly Stray[]> {
  try {
    const found = await profiles.list(signal);
    return found.map(({ name, tags }) => strayOf('instance profile', name, tags, () => profiles.remove(name, signal))).filter(({ run }) => run !== '');
  } catch (error) {
    if (BakeError.is(error) && error.code === 'Ec2Denied') return [];
    throw error;
  }
}
