// As aws-sdk.ts, for EC2 Instance Connect.
export { EC2InstanceConnectClient, SendSSHPublicKeyCommand } from '@aws-sdk/client-ec2-instance-connect';
