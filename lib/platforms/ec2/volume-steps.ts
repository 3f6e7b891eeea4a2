import * as z from 'zod';
import { late } from '../../plan/late.js';
import { defineStepKind } from '../../plan/step-kind.js';
import { access, amiName, tags, volumeTypes } from './steps.js';

export const architectures = ['x86_64', 'arm64', 'i386', 'x86_64_mac', 'arm64_mac'] as const;
export const bootModes = ['legacy-bios', 'uefi', 'uefi-preferred'] as const;

const text = late(z.string().min(1));
const accountId = z.string().regex(/^\d{12}$/, 'must be the id of an account: 12 digits');
/** One volume of a machine. */
const attachedFields = { access, instanceId: text, deviceName: z.string().min(1) };

const snapshot = {
  type: 'resource', part: true, noun: 'snapshot', version: 1,
  spec: z.strictObject({ ...attachedFields, description: late(z.string().max(255)).optional(), tags }),
} as const;
/** A snapshot of a volume that an image is put together of. It is made again with the image: two images of one snapshot could not be removed one by one. */
export const ec2ImageSnapshot = defineStepKind({ ...snapshot, kind: 'ec2.imageSnapshot', outputs: ['id', 'region', 'volumeId', 'deviceName', 'token'] });

/** A snapshot of a volume that stays for itself. */
export const ec2Snapshot = defineStepKind({
  ...snapshot,
  kind: 'ec2.snapshot',
  outputs: ['artifact', 'id', 'region', 'volumeId', 'deviceName', 'token'],
});
export type SnapshotSpec = z.output<typeof ec2Snapshot['spec']>;

/** Who else may make volumes of a snapshot. */
export const ec2SnapshotSharing = defineStepKind({
  kind: 'ec2.snapshotSharing',
  type: 'action',
  version: 1,
  spec: z.strictObject({
    access,
    snapshotId: text,
    /** Of the step that made it: what a run has set that is over is taken back first. */
    token: text,
    users: z.array(accountId).optional(),
    groups: z.array(z.literal('all', 'must be "all": EC2 knows no other group')).optional(),
  }),
  outputs: [],
});
export type SnapshotSharingSpec = z.output<typeof ec2SnapshotSharing['spec']>;

/** A volume that outlives its machine. */
export const ec2Volume = defineStepKind({
  kind: 'ec2.volume',
  type: 'resource',
  part: true,
  noun: 'volume',
  version: 1,
  spec: z.strictObject({ ...attachedFields, tags }),
  outputs: ['artifact', 'id', 'region', 'zone', 'deviceName', 'token'],
});
export type VolumeSpec = z.output<typeof ec2Volume['spec']>;

/** The volume that becomes the root device of a machine which stands still, instead of the one that it was started from. */
export const ec2SwappedRoot = defineStepKind({
  kind: 'ec2.swappedRoot',
  type: 'resource',
  noun: 'exchange of the root volume',
  version: 1,
  spec: z.strictObject({ access, instanceId: text, sourceDeviceName: z.string().min(1), rootDeviceName: text, /** Devices that the image is not to have. */ omit: z.array(z.string().min(1)), tags }),
  outputs: ['volumeId'],
});
export type SwappedRootSpec = z.output<typeof ec2SwappedRoot['spec']>;

const registeredDevice = z.strictObject({
  deviceName: z.string().min(1),
  /** Absent: an empty volume. */
  snapshotId: text.optional(),
  size: z.int().min(1).optional(),
  type: z.enum(volumeTypes).optional(),
  iops: z.int().min(1).optional(),
  throughput: z.int().min(1).optional(),
  encrypted: z.boolean().optional(),
  kmsKeyId: z.string().min(1).optional(),
  deleteOnTermination: z.boolean().optional(),
});
export type RegisteredDevice = z.output<typeof registeredDevice>;

/** An image that is put together of snapshots. */
export const ec2RegisteredAmi = defineStepKind({
  kind: 'ec2.registeredAmi',
  type: 'resource',
  part: true,
  noun: 'AMI',
  version: 1,
  spec: z.strictObject({
    access,
    name: amiName.optional(),
    /** Of a name that no other run gives: the run's id follows. */
    namePrefix: z.string(),
    description: late(z.string().max(255)).optional(),
    replace: z.boolean(),
    architecture: late(z.enum(architectures)),
    rootDeviceName: z.string().min(1),
    devices: z.array(registeredDevice).min(1),
    bootMode: late(z.enum(bootModes)).optional(),
    /** Base64. */
    uefiData: text.optional(),
    tpmSupport: z.literal('v2.0').optional(),
    ena: z.boolean(),
    sriov: z.boolean(),
    /** Of other steps, which remove them. */
    snapshots: z.array(text),
    tags,
  }),
  outputs: ['artifact', 'id', 'region', 'name', 'snapshots', 'token'],
});
export type RegisteredAmiSpec = z.output<typeof ec2RegisteredAmi['spec']>;

const madeOfDevice = z.strictObject({ deviceName: z.string(), id: text, region: text });

/** The volumes and snapshots of a build, once all is done for them. */
export const ec2VolumeSet = defineStepKind({
  kind: 'ec2.volumeSet',
  type: 'resource',
  owns: false,
  version: 1,
  spec: z.strictObject({ access, volumes: z.array(madeOfDevice), snapshots: z.array(madeOfDevice), zone: late(z.string()).optional(), sourceAmi: text, sourceAmiName: late(z.string()) }),
  outputs: ['artifact', 'volumes', 'snapshots'],
});
export type VolumeSetSpec = z.output<typeof ec2VolumeSet['spec']>;
