import type { Extension } from '../../engine/extension.js';
import { ec2Ami, ec2BaseImage, ec2Instance, ec2Nothing, ec2Ready, ec2SecurityGroup, ec2Stop } from './steps.js';

const regions = async () => (await import('./engine/region.js')).awsRegions;

/** Images of Amazon EC2. */
export const ec2Extension: Extension = {
  name: 'ec2',
  steps: [
    { kind: ec2BaseImage, load: async () => (await import('./engine/base-image-handler.js')).baseImageHandler(await regions()) },
    { kind: ec2SecurityGroup, load: async () => (await import('./engine/security-group-handler.js')).securityGroupHandler(await regions()) },
    { kind: ec2Instance, load: async () => (await import('./engine/instance-handler.js')).instanceHandler(await regions()) },
    { kind: ec2Ready, load: async () => (await import('./engine/ready-handler.js')).readyHandler(await regions()) },
    { kind: ec2Stop, load: async () => (await import('./engine/stop-handler.js')).stopHandler(await regions()) },
    { kind: ec2Ami, load: async () => (await import('./engine/ami-handler.js')).amiHandler(await regions()) },
    { kind: ec2Nothing, load: async () => (await import('./engine/nothing-handler.js')).nothingHandler },
  ],
  scan: async (host) => (await import('./engine/scan.js')).scanRegion((await regions())({}), host),
};
