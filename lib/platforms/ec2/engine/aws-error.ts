import { BakeError, type BakeErrorOptions } from '../../../core/bake-error.js';

const throttled = new Set(['RequestLimitExceeded', 'Throttling', 'ThrottlingException', 'ThrottledException', 'RequestThrottled', 'EC2ThrottledException', 'SlowDown', 'SnapshotCreationPerVolumeRateExceeded', 'RequestThrottledException', 'ConcurrentLimitExceededException']);
const passing = new Set(['InternalError', 'InternalFailure', 'ServiceUnavailable', 'Unavailable', 'RequestTimeout', 'TimeoutError', 'ECONNRESET', 'ECONNREFUSED', 'EPIPE', 'ETIMEDOUT']);
const noCapacity = new Set(['InsufficientInstanceCapacity', 'InsufficientHostCapacity', 'Unsupported', 'SpotMaxPriceTooLow', 'MaxSpotInstanceCountExceeded', 'InsufficientCapacity']);
const inUse = new Set(['DependencyViolation', 'InvalidGroup.InUse', 'ResourceInUse', 'IncorrectInstanceState', 'InvalidSnapshot.InUse', 'VolumeInUse', 'IncorrectState']);
const expired = new Set(['ExpiredToken', 'ExpiredTokenException', 'RequestExpired', 'TokenRefreshRequired']);
const wrongLogin = new Set(['AuthFailure', 'InvalidClientTokenId', 'SignatureDoesNotMatch', 'UnrecognizedClientException', 'MissingAuthenticationToken']);
const notFound = /\.NotFound$|^InvalidAMIID\.Unavailable$|NotFoundException$/;

/** What the SDK threw, in our words; an abort and our own errors pass through. */
export function ec2Error(error: unknown, action: string, service = 'ec2'): unknown {
  if (!(error instanceof Error) || BakeError.is(error) || error.name === 'AbortError') return error;
  const { name: code, message } = error;
  const make = (options: Omit<BakeErrorOptions, 'message'> & { readonly message?: string }) => new BakeError({ source: 'platform', message: `${action}: ${message} (${code})`, cause: error, ...options });
  if (code === 'InvalidParameterValue' && /IAM Instance Profile/i.test(message)) return make({ code: 'Ec2ProfileUnknown', transient: true, source: 'user', hint: 'is it the name of an instance profile (not of a role) of this account?' });
  if (throttled.has(code)) return make({ code: 'Ec2Throttled', transient: true, hint: 'EC2 takes no more requests of this account just now: try again later, or build fewer images at once' });
  if (notFound.test(code)) return make({ code: 'Ec2NotFound', source: 'user', hint: 'is it in this region, and in the account of these credentials?' });
  if (code === 'TargetNotConnected') return make({ code: 'Ec2AgentOffline', transient: true, source: 'user', hint: 'does the image run the SSM agent, may its instance profile use Session Manager (AmazonSSMManagedInstanceCore), and does its subnet reach that service?' });
  if (inUse.has(code)) return make({ code: 'Ec2InUse', transient: true });
  if (noCapacity.has(code)) return make({ code: 'Ec2NoCapacity', hint: 'give several instance types, or another zone' });
  if (code === 'InvalidAMIName.Duplicate' || code === 'InvalidGroup.Duplicate' || code === 'InvalidKeyPair.Duplicate') return make({ code: 'Ec2NameTaken', source: 'user' });
  if (code === 'UnauthorizedOperation' || code === 'AccessDenied' || code === 'AccessDeniedException') return make({ code: 'Ec2Denied', source: 'user', message: `these credentials may not call ${service}:${action}: ${plain(message)}`, hint: `add { "Effect": "Allow", "Action": "${service}:${action}", "Resource": "*" } to their policy` });
  if (action === 'DeregisterImage' && /protect/i.test(message)) return make({ code: 'Ec2Protected', source: 'user', hint: 'take its deregistration protection off; of one with a cooldown EC2 lets it go 24 hours after that: try again then' });
  if (expired.has(code)) return make({ code: 'Ec2CredentialsExpired', source: 'user', hint: 'log in again, for example with "aws sso login"' });
  if (wrongLogin.has(code)) return make({ code: 'Ec2CredentialsRefused', source: 'user', hint: 'look at AWS_ACCESS_KEY_ID and AWS_PROFILE, and at the clock of this computer' });
  if (code === 'CredentialsProviderError' && /multi-factor/i.test(message)) return make({ code: 'Ec2NoCredentials', source: 'user', message: `the profile wants a code of your MFA device: ${message}`, hint: 'log in first, in the same shell: eval "$(aws configure export-credentials --format env --profile NAME)" asks for the code; then leave the profile out' });
  if (code === 'CredentialsProviderError') return make({ code: 'Ec2NoCredentials', source: 'user', message: `there are no AWS credentials: ${message}`, hint: 'set AWS_PROFILE, log in with "aws sso login", or give "profile"' });
  if (/region is missing/i.test(message)) return make({ code: 'Ec2NoRegion', source: 'user', message: 'nothing says which region of AWS is meant', hint: "give region: 'eu-west-1', or set AWS_REGION" });
  if (/LimitExceeded$|^VcpuLimitExceeded$|^ServiceQuotaExceededException$/.test(code)) return make({ code: 'Ec2QuotaExceeded', source: 'user', hint: 'ask for a higher quota of this account, or remove what is not needed' });
  if (code === 'VPCIdNotSpecified' || code === 'MissingInput') return make({ code: 'Ec2NoDefaultVpc', source: 'user', hint: 'this account has no default VPC in this region: give subnetId' });
  const status = (error as { readonly $metadata?: { readonly httpStatusCode?: number } }).$metadata?.httpStatusCode ?? 0;
  const isPassing = passing.has(code) || passing.has((error as NodeJS.ErrnoException).code ?? '') || status >= 500;
  return make({ code: isPassing ? 'Ec2Unavailable' : 'Ec2Refused', transient: isPassing, ...(isPassing ? {} : { source: 'user' }) });
}

/** The encoded message of a denial is long, and only its account can read it. */
function plain(message: string): string {
  return message.replace(/\s*Encoded authorization failure message:.*$/s, '');
}
