import type { Ec2Access } from '../steps.js';
import { awsEc2 } from './aws-ec2.js';
import type { Ec2Port, ImageFacts, InstanceFacts } from './ec2-port.js';
import { Watch } from './watch.js';

/** An account's EC2 in a region, and what all builds of the process share of it. */
export interface Region {
  readonly ec2: Ec2Port;
  readonly instances: Watch<InstanceFacts>;
  readonly images: Watch<ImageFacts>;
}

export type RegionFor = (access: Ec2Access) => Region;

/** One of each account and region. */
export function regionsOf(ec2For: (access: Ec2Access) => Ec2Port): RegionFor {
  const known = new Map<Ec2Port, Region>();
  return (access) => {
    const ec2 = ec2For(access);
    const region = known.get(ec2) ?? {
      ec2, instances: new Watch((ids: readonly string[], signal: AbortSignal) => ec2.instances({ ids }, signal)), images: new Watch((ids: readonly string[], signal: AbortSignal) => ec2.images({ ids }, signal)),
    };
    known.set(ec2, region);
    return region;
  };
}

/** Amazon's. */
export const awsRegions: RegionFor = regionsOf(awsEc2);
