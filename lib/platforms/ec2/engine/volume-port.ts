import type { Ec2Access } from '../steps.js';
import type { RegisteredDevice } from '../volume-steps.js';
import type { Tags } from './ec2-port.js';

export interface VolumeFacts {
  readonly id: string;
  readonly state: 'creating' | 'available' | 'in-use' | 'deleting' | 'error';
  readonly zone: string;
  readonly tags: Tags;
  /** The instance that has it; absent if none has. */
  readonly attached?: {
    readonly instanceId: string;
    readonly deviceName: string;
    /** Absent if the server does not say. */
    readonly endsWithInstance?: boolean;
  };
}

export interface SnapshotFacts {
  readonly id: string;
  readonly volumeId: string;
  readonly state: 'pending' | 'completed' | 'failed';
  /** Why it failed. */
  readonly reason?: string;
  readonly tags: Tags;
}

export interface SnapshotRequest {
  readonly volumeId: string;
  readonly description?: string | undefined;
  readonly tags: Tags;
}

export interface RegisterRequest {
  readonly name: string;
  readonly description?: string | undefined;
  readonly architecture: string;
  readonly rootDeviceName: string;
  readonly devices: readonly RegisteredDevice[];
  readonly bootMode?: 'legacy-bios' | 'uefi' | 'uefi-preferred' | undefined;
  /** Base64. */
  readonly uefiData?: string | undefined;
  readonly tpmSupport?: 'v2.0' | undefined;
  readonly ena: boolean;
  readonly sriov: boolean;
  readonly tags: Tags;
}

/** Volumes and snapshots of a region. Failures, and how late something is seen, as of `Ec2Port`; the rules' numbers are those of fake-volumes.md. */
export interface VolumePort {
  /** With ids, `Ec2NotFound` if one is not there. */
  volumes(query: { readonly ids: readonly string[] } | { readonly tags: Tags } | { readonly instanceId: string }, signal: AbortSignal): Promise<readonly VolumeFacts[]>;
  /** Whether a volume goes when its instance ends. `Ec2NotFound` or `Ec2InUse` of an instance that has ended. */
  setEnd(instanceId: string, deviceName: string, endsWithInstance: boolean, signal: AbortSignal): Promise<void>;
  /** Of an instance that stands still; it stays as a volume of its own. */
  detach(volumeId: string, instanceId: string, signal: AbortSignal): Promise<void>;
  /** It does not end with the instance, unless told so. */
  attach(volumeId: string, instanceId: string, deviceName: string, signal: AbortSignal): Promise<void>;
  /** `Ec2InUse` while an instance has it. */
  deleteVolume(id: string, signal: AbortSignal): Promise<void>;
  /** Made twice if it is called twice: EC2 takes no client token for it. @returns the id, which is pending */
  createSnapshot(request: SnapshotRequest, signal: AbortSignal): Promise<string>;
  /** Of this account. With ids, `Ec2NotFound` if one is not there. */
  snapshots(query: { readonly ids: readonly string[] } | { readonly tags: Tags }, signal: AbortSignal): Promise<readonly SnapshotFacts[]>;
  /** `Ec2InUse` while an image has it. */
  deleteSnapshot(id: string, signal: AbortSignal): Promise<void>;
  /** Puts an image together of snapshots; virtualization is hvm. `Ec2NameTaken`. @returns its id */
  register(request: RegisterRequest, signal: AbortSignal): Promise<string>;
}

export type VolumesFor = (access: Ec2Access) => VolumePort;
