// As aws-sdk.ts, for the direct APIs of EBS.
export { CompleteSnapshotCommand, EBSClient, PutSnapshotBlockCommand, StartSnapshotCommand } from '@aws-sdk/client-ebs';
