import type { Ec2Access } from '../steps.js';

export interface ParameterVersion {
  readonly version: number;
  readonly value: string;
  /** `aws:ec2:image` of one that Systems Manager lets only name images that are there. */
  readonly dataType: string;
}

/**
 * The parameters of Systems Manager of an account and region. Failures as of `Ec2Port`; `undefined` and an empty list for
 * what is not there, and removing that succeeds.
 */
export interface ParameterPort {
  /** With its version or label after a colon, that one. */
  get(name: string, signal: AbortSignal): Promise<ParameterVersion | undefined>;
  /** Writes a new version; the ones before stay in its history. With the data type `aws:ec2:image` it is there only some time later, or never if there is no such image. */
  put(name: string, content: Pick<ParameterVersion, 'value' | 'dataType'>, signal: AbortSignal): Promise<void>;
  /** The last hundred, oldest first. */
  history(name: string, signal: AbortSignal): Promise<readonly ParameterVersion[]>;
  remove(name: string, signal: AbortSignal): Promise<void>;
}

export type ParametersFor = (access: Ec2Access) => ParameterPort;
