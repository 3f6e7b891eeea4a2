import type { Extension } from '../../engine/extension.js';
import { ec2AmiCopy, ec2FastLaunch, ec2Image, ec2ImageNames, ec2ImageProtection, ec2ImageSettings, ec2SsmParameter } from './image-steps.js';
import { ec2DiskSnapshot, ec2ImportedSnapshot, ec2UploadedDisk } from './import-steps.js';
import { ec2Ami, ec2BaseImage, ec2Instance, ec2InstanceProfile, ec2KeyPair, ec2LaunchCheck, ec2Network, ec2NetworkDrivers, ec2Nothing, ec2Ready, ec2SecurityGroup, ec2Stop, ec2Tunnel } from './steps.js';
import { ec2ImageSnapshot, ec2RegisteredAmi, ec2Snapshot, ec2SnapshotSharing, ec2SwappedRoot, ec2Volume, ec2VolumeSet } from './volume-steps.js';

const regions = async () => (await import('./engine/region.js')).awsRegions;
const images = async () => (await import('./engine/aws-images.js')).awsImages;
const storage = async () => (await import('./engine/aws-volumes.js')).awsVolumes;
const volumeRegions = async () => (await import('./engine/volume-region.js')).awsVolumeRegions;
const parameters = async () => (await import('./engine/aws-parameters.js')).awsParameters;

/** Images of Amazon EC2. */
export const ec2Extension: Extension = {
  name: 'ec2',
  steps: [
    { kind: ec2BaseImage, load: async () => (await import('./engine/base-image-handler.js')).baseImageHandler(await regions(), await parameters()) },
    { kind: ec2Network, load: async () => (await import('./engine/network-handler.js')).networkHandler(await regions()) },
    { kind: ec2LaunchCheck, load: async () => (await import('./engine/launch-check-handler.js')).launchCheckHandler(await regions()) },
    { kind: ec2SecurityGroup, load: async () => (await import('./engine/security-group-handler.js')).securityGroupHandler(await regions()) },
    { kind: ec2KeyPair, load: async () => (await import('./engine/key-pair-handler.js')).keyPairHandler(await regions()) },
    { kind: ec2InstanceProfile, load: async () => (await import('./engine/profile-handler.js')).profileHandler((await import('./engine/aws-profiles.js')).awsProfiles) },
    { kind: ec2Instance, load: async () => (await import('./engine/instance-handler.js')).instanceHandler(await regions()) },
    { kind: ec2Tunnel, load: async () => (await import('./engine/tunnel-handler.js')).tunnelHandler(await regions(), (await import('./engine/aws-sessions.js')).awsSessions) },
    { kind: ec2Ready, load: async () => (await import('./engine/ready-handler.js')).readyHandler(await regions(), (await import('./engine/aws-instance-connect.js')).sendKey) },
    { kind: ec2Stop, load: async () => (await import('./engine/stop-handler.js')).stopHandler(await regions()) },
    { kind: ec2Ami, load: async () => (await import('./engine/ami-handler.js')).amiHandler(await regions()) },
    { kind: ec2NetworkDrivers, load: async () => (await import('./engine/network-drivers-handler.js')).networkDriversHandler(await images()) },
    { kind: ec2ImageNames, load: async () => (await import('./engine/image-names-handler.js')).imageNamesHandler(await regions()) },
    { kind: ec2AmiCopy, load: async () => (await import('./engine/ami-copy-handler.js')).amiCopyHandler(await regions(), await images()) },
    { kind: ec2ImageSettings, load: async () => (await import('./engine/image-settings-handler.js')).imageSettingsHandler(await images()) },
    { kind: ec2FastLaunch, load: async () => (await import('./engine/fast-launch-handler.js')).fastLaunchHandler(await images()) },
    { kind: ec2ImageProtection, load: async () => (await import('./engine/image-protection-handler.js')).imageProtectionHandler(await images()) },
    { kind: ec2SsmParameter, load: async () => (await import('./engine/ssm-parameter-handler.js')).ssmParameterHandler(await parameters()) },
    { kind: ec2Image, load: async () => (await import('./engine/image-handler.js')).imageHandler(await regions(), await parameters()) },
    { kind: ec2ImageSnapshot, load: async () => (await import('./engine/snapshot-handler.js')).snapshotHandler(await volumeRegions()) },
    { kind: ec2Snapshot, load: async () => (await import('./engine/snapshot-handler.js')).snapshotHandler(await volumeRegions()) },
    { kind: ec2SnapshotSharing, load: async () => (await import('./engine/snapshot-sharing-handler.js')).snapshotSharingHandler(await images()) },
    { kind: ec2Volume, load: async () => (await import('./engine/volume-handler.js')).volumeHandler(await volumeRegions()) },
    { kind: ec2SwappedRoot, load: async () => (await import('./engine/swapped-root-handler.js')).swappedRootHandler(await volumeRegions()) },
    { kind: ec2RegisteredAmi, load: async () => (await import('./engine/registered-ami-handler.js')).registeredAmiHandler(await regions(), await storage()) },
    { kind: ec2VolumeSet, load: async () => (await import('./engine/volume-set-handler.js')).volumeSetHandler(await volumeRegions()) },
    { kind: ec2DiskSnapshot, load: async () => (await import('./engine/disk-snapshot-handler.js')).diskSnapshotHandler(await volumeRegions(), (await import('./engine/aws-uploads.js')).awsUploads) },
    { kind: ec2UploadedDisk, load: async () => (await import('./engine/uploaded-disk-handler.js')).uploadedDiskHandler((await import('./engine/aws-objects.js')).awsObjects) },
    { kind: ec2ImportedSnapshot, load: async () => (await import('./engine/imported-snapshot-handler.js')).importedSnapshotHandler(await volumeRegions(), (await import('./engine/aws-imports.js')).awsImports) },
    { kind: ec2Nothing, load: async () => (await import('./engine/nothing-handler.js')).nothingHandler },
  ],
  async pruneImages(options, host) {
    const [{ pruneImages }, { awsOldImages }, regionFor] = await Promise.all([import('./engine/prune-images.js'), import('./engine/aws-old-images.js'), regions()]);
    return pruneImages(options, host, awsOldImages, () => regionFor({}).ec2.regions(host.signal));
  },
  policy: async (planned) => (await import('./engine/policy.js')).ec2Policy(planned),
  scan: async (host, unseen) => (await import('./engine/scan.js')).scanEc2(host, unseen, await volumeRegions(), (await import('./engine/aws-profiles.js')).awsProfiles),
};
