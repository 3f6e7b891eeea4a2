export { HostKey } from '../../communicators/ssh/index.js';
export type { Ec2AccessProps, Ec2AssumeRole } from './access.js';
export { Ami, AmiLookup, type AmiLookupProps } from './ami.js';
export type { Ec2Copy, Ec2FastLaunch, Ec2ImageProps, Ec2RegionProps, Ec2Sharing } from './image-props.js';
export type { Ec2BlockDevice, Ec2CapacityReservation, Ec2Filters, Ec2Placement, Ec2SourceProps, Ec2SshProps, Ec2TemporaryProfile } from './ec2-props.js';
export { Ec2Source } from './ec2-source.js';
