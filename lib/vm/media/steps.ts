import * as z from 'zod';
import { asset, late } from '../../plan/late.js';
import { defineStepKind } from '../../plan/step-kind.js';
import { hasUserDataHead, userDataHeadHint } from './cloud-init/user-data-head.js';

/** A path inside a medium: parts between slashes, none of which leads out of it. */
const innerPath = /^(?!(.*\/)?\.{1,2}(\/|$))[^\\/\0-\u001f]+(\/[^\\/\0-\u001f]+)*$/;
const isInnerPath = (path: string): boolean => innerPath.test(path);

/** What a medium holds. */
const holdings = {
  files: z.array(z.strictObject({
    asset: asset(),
    /** What is in the folder, not the folder itself. */
    contents: z.boolean(),
  })).optional(),
  /** Texts by their path on the medium. */
  content: z.record(z.string(), late(z.string())).refine((content) => Object.keys(content).every(isInnerPath), {
    error: ({ input }) => `"${Object.keys(input as object).find((path) => !isInnerPath(path))}" must be a path on the medium, such as "preseed.cfg" or "scripts/first.sh", without .. and \\`,
  }).optional(),
};

/** An ISO 9660 image with Joliet and Rock Ridge names, in a file of this run that only its owner can read. */
export const cdImage = defineStepKind({
  kind: 'vm.cd',
  type: 'resource',
  noun: 'CD image',
  atCheckpoint: 'again',
  version: 1,
  cost: 'io',
  spec: z.strictObject({
    ...holdings,
    label: z.string().regex(/^[A-Za-z0-9_][A-Za-z0-9_ .-]{0,31}$/, 'must be a volume label: letters, digits, "_", ".", "-" and spaces, 32 at most'),
  }),
  outputs: ['file'],
});
export type CdSpec = z.output<typeof cdImage.spec>;

/** A floppy image of 1.44 MB, or of 2.88 MB where that is not enough, with a FAT12 file system, in a file of this run that only its owner can read. */
export const floppyImage = defineStepKind({
  kind: 'vm.floppy',
  type: 'resource',
  noun: 'floppy image',
  atCheckpoint: 'again',
  version: 1,
  cost: 'io',
  spec: z.strictObject({
    ...holdings,
    label: z.string().regex(/^[A-Za-z0-9_][A-Za-z0-9_ -]{0,10}$/, 'must be a FAT label: letters, digits, "_", "-" and spaces, 11 at most'),
  }),
  outputs: ['file'],
});
export type FloppySpec = z.output<typeof floppyImage.spec>;

const document = z.record(z.string(), z.json());
const text = late(z.string());

/**
 * A CD from which cloud-init configures a machine as it boots (its NoCloud data source). The host key is read from its
 * file, so that it is in no plan and no journal.
 */
export const cloudInitSeed = defineStepKind({
  kind: 'vm.cloudInitSeed',
  type: 'resource',
  noun: 'cloud-init CD',
  atCheckpoint: 'again',
  version: 1,
  cost: 'io',
  spec: z.strictObject({
    userData: z.union([asset('file'), late(z.string().refine(hasUserDataHead, userDataHeadHint)), document]).optional(),
    metaData: z.union([asset('file'), text, document]).optional(),
    networkConfig: z.union([asset('file'), text, document]).optional(),
    hostname: late(z.string().min(1)).optional(),
    /** Absent: one that no other run has. */
    instanceId: late(z.string().min(1)).optional(),
    user: late(z.string().min(1)).optional(),
    authorizedKeys: z.array(late(z.string().min(1))).optional(),
    password: late(z.string().min(1)).optional(),
    hostKey: z.strictObject({ privateKeyFile: late(z.string().min(1)), publicKey: late(z.string().min(1)) }).optional(),
  }),
  outputs: ['file'],
});
export type CloudInitSeedSpec = z.output<typeof cloudInitSeed.spec>;
