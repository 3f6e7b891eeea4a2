import { BakeError } from '../../../core/bake-error.js';
import type { ScanHost, Stray } from '../../../engine/extension.js';
import type { Region } from './region.js';
import { runTag, stateTag } from './stamps.js';

const temporary = { [runTag]: '*', [stateTag]: 'temporary' };

/** What carries our stamp and goes with its run, in one region: the instances before the groups that they are in. Without credentials there is nothing to look at. */
export async function scanRegion({ ec2 }: Region, { signal }: ScanHost): Promise<readonly Stray[]> {
  try {
    const [instances, groups, images] = await Promise.all([
      ec2.instances({ tags: temporary }, signal), ec2.securityGroups({ tags: temporary }, signal),
      ec2.images({ owners: ['self'], filters: { 'tag-key': [runTag], [`tag:${stateTag}`]: ['temporary'] } }, signal),
    ]);
    const stray = (kind: string, title: string, run: string | undefined, remove: () => Promise<void>): Stray => ({ kind, title, run: run ?? '', remove });
    return [
      ...instances.filter(({ state }) => state !== 'terminated' && state !== 'shutting-down').map(({ id, tags }) => stray('instance', id, tags[runTag], () => ec2.terminateInstance(id, signal))),
      ...images.map(({ id, name, snapshots, tags }) => stray('AMI', `${id} ${name}`, tags[runTag], () => ec2.deregisterImage(id, snapshots, signal))),
      ...groups.map(({ id, name, tags }) => stray('security group', `${id} ${name}`, tags[runTag], () => ec2.deleteSecurityGroup(id, signal))),
    ].filter(({ run }) => run !== '');
  } catch (error) {
    if (BakeError.is(error) && (error.code === 'Ec2NoCredentials' || error.code === 'Ec2NoRegion')) return [];
    throw error;
  }
}
