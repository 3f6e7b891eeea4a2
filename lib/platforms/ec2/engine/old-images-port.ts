import type { Ec2Access } from '../steps.js';
import type { Tags } from './ec2-port.js';

/** An image that bake has made. */
export interface OldImage {
  readonly id: string;
  readonly name: string;
  /** Milliseconds since 1970. */
  readonly created: number;
  readonly isDisabled: boolean;
  readonly isDeprecated: boolean;
  readonly isProtected: boolean;
  readonly snapshots: readonly string[];
  readonly tags: Tags;
}

/** What is needed to retire images. Every failure is a BakeError; not to be allowed to see what uses an image is one. */
export interface OldImagesPort {
  region(): Promise<string>;
  /** Those of the account that are finished. */
  finished(signal: AbortSignal): Promise<readonly OldImage[]>;
  /** By image: what uses it, such as `instance i-1`. */
  users(ids: readonly string[], signal: AbortSignal): Promise<ReadonlyMap<string, string>>;
  deprecate(id: string, at: Date, signal: AbortSignal): Promise<void>;
  /** Nobody can start a machine of it any more; EnableImage takes that back. */
  disable(id: string, signal: AbortSignal): Promise<void>;
  /** With its snapshots. */
  remove(id: string, snapshots: readonly string[], signal: AbortSignal): Promise<void>;
  tag(id: string, tags: Tags, signal: AbortSignal): Promise<void>;
}

export type OldImagesFor = (access: Ec2Access) => OldImagesPort;
