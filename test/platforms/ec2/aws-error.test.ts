import t from 'tap';
import { ec2Error } from '../../../lib/platforms/ec2/engine/aws-error.js';

/** As the SDK throws them. */
const thrown = (name: string, message: string) => Object.assign(new Error(message), { name });

t.test('what a service says becomes an error with what to do', (t) => {
  const cases: readonly (readonly [name: string, message: string, action: string, expected: object])[] = [
    ['OperationNotPermitted', 'The image ami-1 has deregistration protection enabled', 'DeregisterImage', { code: 'Ec2Protected', hint: /24 hours/ }],
    ['OperationNotPermitted', 'You may not do that', 'StopInstances', { code: 'Ec2Refused' }],
    ['TargetNotConnected', 'i-1 is not connected.', 'StartSession', { code: 'Ec2AgentOffline', transient: true, hint: /SSM agent/ }],
    ['UnauthorizedOperation', 'You are not authorized. Encoded authorization failure message: abc', 'RunInstances', { code: 'Ec2Denied', message: /may not call ec2:RunInstances/, hint: /"ec2:RunInstances"/ }],
    ['RequestLimitExceeded', 'Request limit exceeded.', 'DescribeImages', { code: 'Ec2Throttled', transient: true }],
    ['InvalidInstanceID.NotFound', 'no such instance', 'DescribeInstances', { code: 'Ec2NotFound', transient: false }],
    ['VcpuLimitExceeded', 'more vCPU capacity than your limit', 'RunInstances', { code: 'Ec2QuotaExceeded' }],
    ['CredentialsProviderError', 'Profile x requires multi-factor authentication, but no MFA code callback was provided.', 'DescribeImages', { code: 'Ec2NoCredentials', hint: /export-credentials/ }],
  ];
  for (const [name, message, action, expected] of cases) t.match(ec2Error(thrown(name, message), action), expected, `${name}: ${message}`);
  t.end();
});
