// As aws-sdk.ts, for Auto Scaling.
export { AutoScalingClient, DescribeLaunchConfigurationsCommand } from '@aws-sdk/client-auto-scaling';
