import type { Duration } from '../../core/duration.js';
import type { Ec2Access } from './steps.js';

/** Which account and region, and how to get in. */
export interface Ec2AccessProps {
  /** @default - that of the environment (`AWS_REGION`) or of the profile */
  readonly region?: string;
  /** A profile of `~/.aws/config`. @default - the SDK's chain: environment, SSO, web identity, profile, the instance's role */
  readonly profile?: string;
  /** A role that is taken on with those credentials, such as one of another account. @default - none, or the profile's own */
  readonly assumeRole?: Ec2AssumeRole;
  /** Address of an EC2 that is not Amazon's, or is reached by another way, in each region; those of other services are `AWS_ENDPOINT_URL_SSM` and the like. @default - that of the region, or `AWS_ENDPOINT_URL_EC2` */
  readonly endpoint?: string;
}

/** A role to take on. https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRole.html */
export interface Ec2AssumeRole {
  /** `arn:aws:iam::123456789012:role/builder`. */
  readonly arn: string;
  /** Stands in the logs of the account. @default 'bake' */
  readonly sessionName?: string;
  /** What the role's trust policy asks for. It is no secret. @default - none */
  readonly externalId?: string;
  /** How long each set of credentials lasts; a new one is got when it is needed. From 15 minutes to 12 hours. @default - an hour */
  readonly duration?: Duration;
  /** A policy document that the session is narrowed to. @default - all that the role may do */
  readonly policy?: Readonly<Record<string, unknown>>;
  /** ARNs of managed policies that the session is narrowed to. @default - all that the role may do */
  readonly policyArns?: readonly string[];
  /** @default - none */
  readonly tags?: Readonly<Record<string, string>>;
  /** Keys of `tags` that go on to roles which are taken on from this one. @default - none */
  readonly transitiveTagKeys?: readonly string[];
}

/** For a source's own list. */
export const accessPropNames: Readonly<Record<keyof Required<Ec2AccessProps>, true>> = { region: true, profile: true, assumeRole: true, endpoint: true };
export const assumeRoleNames: Readonly<Record<keyof Required<Ec2AssumeRole>, true>> = { arn: true, sessionName: true, externalId: true, duration: true, policy: true, policyArns: true, tags: true, transitiveTagKeys: true };

/** As it stands in the specs of steps. */
export function accessOf({ region, profile, assumeRole, endpoint }: Ec2AccessProps): Ec2Access {
  return {
    ...(region === undefined ? {} : { region }), ...(profile === undefined ? {} : { profile }), ...(endpoint === undefined ? {} : { endpoint }),
    ...(assumeRole === undefined ? {} : { assumeRole: { ...assumeRole, ...(assumeRole.policy === undefined ? {} : { policy: JSON.stringify(assumeRole.policy) }), duration: assumeRole.duration?.toMilliseconds() } as Ec2Access['assumeRole'] }),
  };
}
