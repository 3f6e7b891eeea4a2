import type { Ec2Access } from '../steps.js';
import type { Tags } from './ec2-port.js';

export interface ProfileRequest {
  /** Of the profile and of its role. */
  readonly name: string;
  /** A policy document, as JSON. */
  readonly policy?: string | undefined;
  /** ARNs of managed policies. */
  readonly managedPolicies: readonly string[];
  readonly tags: Tags;
}

/**
 * Instance profiles, each with a role of its own that the machines of EC2 may take on. Making is repeatable: what is there
 * of the name already is taken, so that a lost answer does no harm. Failures are BakeErrors, as those of `Ec2Port`.
 */
export interface ProfilePort {
  create(request: ProfileRequest, signal: AbortSignal): Promise<void>;
  /** Whether there is anything of it, however little. */
  exists(name: string, signal: AbortSignal): Promise<boolean>;
  /** With its role and policies. What is not there is removed already. */
  remove(name: string, signal: AbortSignal): Promise<void>;
  /** All that bake has made. */
  list(signal: AbortSignal): Promise<readonly { readonly name: string; readonly tags: Tags }[]>;
}

/** Those of an account: regions share them. */
export type ProfilesFor = (access: Ec2Access) => ProfilePort;
