import * as z from 'zod';
import { artifactField } from '../../plan/artifact-field.js';
import { late } from '../../plan/late.js';
import { defineStepKind } from '../../plan/step-kind.js';
import { access, tags } from './steps.js';
import { bootModes } from './volume-steps.js';

/** Formats of disks that are read. */
export const importFormats = ['raw', 'qcow2', 'vmdk', 'vdi', 'vhdx', 'vpc'] as const;
/** What EC2 can start of an imported disk. */
export const importArchitectures = ['x86_64', 'arm64'] as const;

/** What EC2 reads from a bucket. */
export const sentFormats = ['vmdk', 'vhd', 'raw'] as const;

const text = late(z.string().min(1));

/** Which disk, and what it is. */
const diskFields = {
  access,
  artifact: artifactField,
  /** Absent: as the artifact says. */
  format: z.enum(importFormats).optional(),
  architecture: z.enum(importArchitectures).optional(),
  bootMode: z.enum(bootModes).optional(),
  /** GiB that the volumes of the image have; absent: as the disk. */
  volumeSize: z.int().min(1).optional(),
};
/** What the snapshot is to be. */
const snapshotFields = { description: late(z.string().max(255)).optional(), encrypted: z.boolean().optional(), kmsKeyId: z.string().min(1).optional(), tags };

/** A snapshot whose blocks are those of a disk of this computer; made again with the image, as `ec2.imageSnapshot`. */
export const ec2DiskSnapshot = defineStepKind({
  kind: 'ec2.diskSnapshot',
  type: 'resource',
  part: true,
  noun: 'snapshot',
  version: 1,
  cost: 'io',
  spec: z.strictObject({ ...diskFields, ...snapshotFields }),
  outputs: ['id', 'region', 'architecture', 'bootMode', 'token'],
});
export type DiskSnapshotSpec = z.output<typeof ec2DiskSnapshot['spec']>;

const bucket = z.string().regex(/^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$/, 'must be the name of a bucket: 3 to 63 small letters, digits, dots and hyphens');

/** A disk in a bucket, for EC2 to read. */
export const ec2UploadedDisk = defineStepKind({
  kind: 'ec2.uploadedDisk',
  type: 'resource',
  noun: 'object in a bucket',
  version: 1,
  cost: 'io',
  whereabouts: ['bucket', 'prefix', 'kmsKeyId'],
  spec: z.strictObject({ ...diskFields, bucket, prefix: z.string().max(900).regex(/^[^/]/, 'must not begin with a slash').or(z.literal('')), sent: z.enum(sentFormats), kmsKeyId: z.string().min(1).optional() }),
  outputs: ['bucket', 'key', 'format', 'architecture', 'bootMode'],
});
export type UploadedDiskSpec = z.output<typeof ec2UploadedDisk['spec']>;

/** A snapshot that EC2 makes of an object in a bucket; made again with the image, as `ec2.imageSnapshot`. */
export const ec2ImportedSnapshot = defineStepKind({
  kind: 'ec2.importedSnapshot',
  type: 'resource',
  part: true,
  noun: 'snapshot',
  version: 1,
  whereabouts: ['bucket', 'key', 'roleName'],
  spec: z.strictObject({
    access, bucket: text, key: text, format: late(z.enum(sentFormats)),
    roleName: z.string().regex(/^[\w+=,.@-]{1,64}$/, 'must be the name of a role, not its ARN').optional(),
    /** Of the disk, handed on: so the object need not be there any longer than it is read. */
    architecture: text, bootMode: text,
    ...snapshotFields,
  }),
  outputs: ['id', 'region', 'architecture', 'bootMode', 'token'],
});
export type ImportedSnapshotSpec = z.output<typeof ec2ImportedSnapshot['spec']>;
