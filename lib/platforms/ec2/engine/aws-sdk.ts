// Only what is named here goes into the bundle: the whole SDK takes a second to load.
export {
  CancelImportTaskCommand, DescribeImportSnapshotTasksCommand, ImportSnapshotCommand,
  AttachVolumeCommand, CreateFleetCommand, CreateLaunchTemplateCommand, CreateSnapshotCommand, DeleteLaunchTemplateCommand, DeleteVolumeCommand, DescribeSnapshotsCommand, DescribeVolumesCommand, DetachVolumeCommand, RegisterImageCommand,
  AuthorizeSecurityGroupIngressCommand, CopyImageCommand, CreateImageCommand, CreateSecurityGroupCommand, CreateTagsCommand, DeleteKeyPairCommand, DeleteSecurityGroupCommand, DeleteSnapshotCommand, DeregisterImageCommand,
  DescribeFastLaunchImagesCommand, DescribeImageAttributeCommand, DescribeImagesCommand, DescribeInstancesCommand, DescribeKeyPairsCommand, DescribeLaunchTemplatesCommand, DescribeLaunchTemplateVersionsCommand, DescribeRegionsCommand, DescribeSecurityGroupsCommand, DescribeSnapshotAttributeCommand, DescribeSubnetsCommand, DescribeVpcsCommand, DisableFastLaunchCommand, DisableImageCommand, DisableImageDeprecationCommand,
  DisableImageDeregistrationProtectionCommand, EC2Client, EnableFastLaunchCommand, EnableImageDeprecationCommand, EnableImageDeregistrationProtectionCommand, ImportKeyPairCommand, ModifyImageAttributeCommand,
  ModifyInstanceAttributeCommand, ModifySnapshotAttributeCommand, RunInstancesCommand, StopInstancesCommand, TerminateInstancesCommand,
} from '@aws-sdk/client-ec2';
