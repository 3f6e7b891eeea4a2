import * as z from 'zod';
import { late } from '../../plan/late.js';
import { defineStepKind } from '../../plan/step-kind.js';
import { access, amiName, tags } from './steps.js';

const text = late(z.string().min(1));
const texts = late(z.array(z.string()));
const accountId = z.string().regex(/^\d{12}$/, 'must be the id of an account: 12 digits');
const groups = z.array(z.literal('all', 'must be "all": EC2 knows no other group'));
const arn = (what: string, path: RegExp) => z.string().regex(new RegExp(`^arn:aws[\\w-]*:organizations::\\d{12}:${path.source}$`), `must be the ARN of ${what}`);
const organization = arn('an organization, such as arn:aws:organizations::123456789012:organization/o-123example', /organization\/o-[a-z0-9]{10,32}/);
const unit = arn('an organizational unit, such as arn:aws:organizations::123456789012:ou/o-123example/ou-1234-5example', /ou\/o-[a-z0-9]{10,32}\/ou-[0-9a-z]{4,32}-[0-9a-z]{8,32}/);

/** Makes sure that names are free before there is a machine. */
export const ec2ImageNames = defineStepKind({
  kind: 'ec2.imageNames',
  type: 'action',
  version: 1,
  spec: z.strictObject({ names: z.array(z.strictObject({ access, name: amiName })).min(1) }),
  outputs: [],
});

/** An image in another region, or another one in its own. */
export const ec2AmiCopy = defineStepKind({
  kind: 'ec2.amiCopy',
  type: 'resource',
  part: true,
  noun: 'AMI',
  version: 1,
  spec: z.strictObject({
    access,
    /** Where its source is. */
    from: access,
    sourceId: text,
    sourceRegion: text,
    name: amiName.optional(),
    /** Of a name that no other run gives: the run's id follows. */
    namePrefix: z.string(),
    description: late(z.string().max(255)).optional(),
    encrypted: z.boolean().optional(),
    kmsKeyId: z.string().min(1).optional(),
    /** Milliseconds. */
    completionDuration: z.number().min(15 * 60_000).max(48 * 3_600_000).multipleOf(15 * 60_000, 'must be a whole number of quarters of an hour').optional(),
    replace: z.boolean(),
    tags,
    snapshotTags: tags,
  }),
  outputs: ['artifact', 'id', 'region', 'name', 'snapshots', 'token'],
});
export type AmiCopySpec = z.output<(typeof ec2AmiCopy)['spec']>;

/** Who may use an image, and for how long it is found. */
export const ec2ImageSettings = defineStepKind({
  kind: 'ec2.imageSettings',
  type: 'action',
  version: 1,
  spec: z.strictObject({
    access,
    imageId: text,
    snapshots: texts,
    /** Of the step that made it: what a run has set that is over is taken back first. */
    token: text,
    launch: z.strictObject({ users: z.array(accountId).optional(), groups: groups.optional(), organizations: z.array(organization).optional(), organizationalUnits: z.array(unit).optional() }).optional(),
    snapshot: z.strictObject({ users: z.array(accountId).optional(), groups: groups.optional() }).optional(),
    imdsSupport: z.literal('v2.0').optional(),
    /** A time in ISO 8601, or milliseconds from now. */
    deprecateAt: z.union([z.iso.datetime(), z.number().positive()]).optional(),
  }),
  outputs: [],
});
export type ImageSettingsSpec = z.output<(typeof ec2ImageSettings)['spec']>;

/** Snapshots of a Windows image that are prepared beforehand. */
export const ec2FastLaunch = defineStepKind({
  kind: 'ec2.fastLaunch',
  type: 'resource',
  part: true,
  noun: 'fast launch',
  version: 1,
  spec: z.strictObject({
    access,
    imageId: text,
    launchTemplate: z.strictObject({ id: z.string().min(1).optional(), name: z.string().min(1).optional(), version: z.string().min(1).optional() }).optional(),
    maxParallelLaunches: z.int().min(6).optional(),
    targetResourceCount: z.int().min(1).optional(),
  }),
  outputs: ['imageId'],
});
export type FastLaunchSpec = z.output<(typeof ec2FastLaunch)['spec']>;

/** What keeps an image from being deregistered. */
export const ec2ImageProtection = defineStepKind({
  kind: 'ec2.imageProtection',
  type: 'resource',
  part: true,
  noun: 'deregistration protection',
  version: 1,
  spec: z.strictObject({ access, imageId: text, cooldown: z.boolean() }),
  outputs: ['imageId'],
});

/** A parameter of Systems Manager that names an image. */
export const ec2SsmParameter = defineStepKind({
  kind: 'ec2.ssmParameter',
  type: 'resource',
  part: true,
  noun: 'SSM parameter',
  version: 1,
  spec: z.strictObject({ access, name: late(z.string().regex(/^[a-zA-Z0-9_.\-/]{1,1011}$/, 'must be the name of a parameter, such as /web/ami')), imageId: text }),
  outputs: ['name', 'imageId'],
});
export type SsmParameterSpec = z.output<(typeof ec2SsmParameter)['spec']>;

/** The image in all its regions, once all is done for it. */
export const ec2Image = defineStepKind({
  kind: 'ec2.image',
  type: 'resource',
  owns: false,
  version: 1,
  spec: z.strictObject({
    images: z.array(z.strictObject({ access, id: text, region: text, name: text, snapshots: texts, token: text, tags, snapshotTags: tags })).min(1),
    parameters: z.array(z.strictObject({ access, name: text, imageId: text })),
    /** Absent: it was made of a disk. */
    sourceAmi: text.optional(),
    sourceAmiName: late(z.string()).optional(),
    architecture: late(z.string()),
  }),
  outputs: ['artifact', 'images', 'parameters'],
});
export type ImageSpec = z.output<(typeof ec2Image)['spec']>;
