// As aws-sdk.ts, for Systems Manager.
export { DeleteParameterCommand, GetParameterCommand, DescribeParametersCommand, GetParameterHistoryCommand, GetParametersCommand, PutParameterCommand, SSMClient, StartSessionCommand, TerminateSessionCommand } from '@aws-sdk/client-ssm';
