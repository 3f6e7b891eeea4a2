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
  description: late(z.string().max(255)).optional(),
  encrypted: z.boolean().optional(),
  kmsKeyId: z.string().min(1).optional(),
  tags,
};

/** A snapshot whose blocks are those of a disk of this computer; made again with the image, as `ec2.imageSnapshot`. */
export const ec2DiskSnapshot = defineStepKind({
  kind: 'ec2.diskSnapshot',
  type: 'resource',
  part: true,
  noun: 'snapshot',
  version: 1,
  cost: 'io',
  spec: z.strictObject(diskFields),
  outputs: ['id', 'region', 'architecture', 'bootMode', 'token'],
});
export type DiskSnapshotSpec = z.output<typeof ec2DiskSnapshot['spec']>;
