import type { Ec2Access } from '../steps.js';
import type { Tags } from './ec2-port.js';

export interface CopyRequest {
  /** Asked again with the same one, EC2 makes no second copy. */
  readonly clientToken: string;
  readonly sourceId: string;
  readonly sourceRegion: string;
  readonly name: string;
  readonly description?: string | undefined;
  readonly encrypted?: boolean | undefined;
  readonly kmsKeyId?: string | undefined;
  readonly completionMinutes?: number | undefined;
  readonly tags: Tags;
  readonly snapshotTags: Tags;
}

export interface LaunchPermission {
  readonly users?: readonly string[] | undefined;
  readonly groups?: readonly 'all'[] | undefined;
  /** ARNs. */
  readonly organizations?: readonly string[] | undefined;
  /** ARNs. */
  readonly organizationalUnits?: readonly string[] | undefined;
}

export interface FastLaunchRequest {
  readonly launchTemplate?: { readonly id?: string | undefined; readonly name?: string | undefined; readonly version?: string | undefined } | undefined;
  readonly maxParallelLaunches?: number | undefined;
  readonly targetResourceCount?: number | undefined;
}

export interface FastLaunchFacts {
  /** The image's. */
  readonly id: string;
  readonly state: 'enabling' | 'enabled' | 'failed' | 'disabling';
  readonly reason?: string;
}

/**
 * What becomes of an image of a region, beyond making and removing it. Failures as of `Ec2Port`; whatever sets something
 * succeeds if it is so already, and taking back what is not set succeeds too.
 */
export interface ImagePort {
  /** Into the region of this port. @returns the id of the copy, which is pending */
  copy(request: CopyRequest, signal: AbortSignal): Promise<string>;
  /** Adds to who may start machines of it. */
  share(id: string, permission: LaunchPermission, signal: AbortSignal): Promise<void>;
  /** Adds to who may make volumes of it. */
  shareSnapshot(id: string, permission: Pick<LaunchPermission, 'users' | 'groups'>, signal: AbortSignal): Promise<void>;
  /** Nobody else may use the image and its snapshots any more; without an image, the snapshots. */
  makePrivate(id: string | undefined, snapshots: readonly string[], signal: AbortSignal): Promise<void>;
  requireTokens(id: string, signal: AbortSignal): Promise<void>;
  deprecate(id: string, at: Date, signal: AbortSignal): Promise<void>;
  undeprecate(id: string, signal: AbortSignal): Promise<void>;
  protect(id: string, withCooldown: boolean, signal: AbortSignal): Promise<void>;
  unprotect(id: string, signal: AbortSignal): Promise<void>;
  isProtected(id: string, signal: AbortSignal): Promise<boolean>;
  enableFastLaunch(id: string, request: FastLaunchRequest, signal: AbortSignal): Promise<void>;
  disableFastLaunch(id: string, signal: AbortSignal): Promise<void>;
  /** Only of images that have it. */
  fastLaunches(ids: readonly string[], signal: AbortSignal): Promise<readonly FastLaunchFacts[]>;
  /** Of an instance that stands still. */
  setNetworkDrivers(instance: string, drivers: { readonly ena: boolean; readonly sriov: boolean }, signal: AbortSignal): Promise<void>;
}

export type ImagesFor = (access: Ec2Access) => ImagePort;
