import type { Ec2Access } from '../steps.js';
import type { Tags } from './ec2-port.js';

export interface ImportRequest {
  readonly clientToken: string;
  readonly bucket: string;
  readonly key: string;
  readonly format: 'vmdk' | 'vhd' | 'raw';
  readonly roleName?: string | undefined;
  readonly description?: string | undefined;
  readonly encrypted?: boolean | undefined;
  readonly kmsKeyId?: string | undefined;
  /** Of the task: the snapshot gets none. */
  readonly tags: Tags;
}

export interface ImportFacts {
  /** Of the task. */
  readonly id: string;
  /** `ended` without a snapshot: it failed, or was cancelled. */
  readonly state: 'active' | 'completed' | 'ended';
  /** What it does just now, or why it failed. */
  readonly message?: string;
  /** Percent. */
  readonly progress?: number;
  readonly snapshotId?: string;
  readonly tags: Tags;
}

/** Imports of snapshots in a region. Failures as of `Ec2Port`. */
export interface ImportPort {
  /** Has EC2 make a snapshot of an object; the same client token makes one. @returns the id of the task */
  start(request: ImportRequest, signal: AbortSignal): Promise<string>;
  /** With ids, `Ec2NotFound` if one is not there. EC2 tells of those that are over for some days. */
  tasks(query: { readonly ids: readonly string[] } | { readonly tags: Tags }, signal: AbortSignal): Promise<readonly ImportFacts[]>;
  /** It ends some time later. Succeeds if it is over. */
  cancel(id: string, signal: AbortSignal): Promise<void>;
}

export type ImportsFor = (access: Ec2Access) => ImportPort;
