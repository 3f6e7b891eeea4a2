import type { Ec2Access } from '../steps.js';
import type { Tags } from './ec2-port.js';

/** Bytes of a block of EBS. */
export const blockSize = 512 * 1024;

export interface StartRequest {
  /** The same with the same request makes one snapshot, however often it is asked for. */
  readonly clientToken: string;
  readonly gibibytes: number;
  readonly description?: string | undefined;
  readonly encrypted?: boolean | undefined;
  /** ARN. */
  readonly kmsKeyId?: string | undefined;
  readonly tags: Tags;
}

export interface BlockRequest {
  /** Its place, counted in blocks. */
  readonly index: number;
  /** `blockSize` bytes. */
  readonly data: Uint8Array;
  /** Of `data`. */
  readonly sha256: Uint8Array;
}

/** What has been put, for the server to compare. */
export interface UploadSum {
  readonly blocks: number;
  /** Of the sums of all blocks, one after the other in the order of their places. */
  readonly sha256: Uint8Array;
}

/** Snapshots of what is no volume: the EBS direct APIs of a region. Failures, and how late something is seen, as of `Ec2Port`; the rules' numbers are those of fake-uploads.md. */
export interface UploadPort {
  /** @returns the id of a snapshot, which is pending and empty */
  start(request: StartRequest, signal: AbortSignal): Promise<string>;
  /** A block that is there is replaced. `Ec2NotFound` of a snapshot that is not there, or not known yet. */
  put(id: string, block: BlockRequest, signal: AbortSignal): Promise<void>;
  /** No more blocks. It is completed some time later. */
  complete(id: string, sum: UploadSum, signal: AbortSignal): Promise<void>;
}

export type UploadsFor = (access: Ec2Access) => UploadPort;
