import * as z from 'zod';
import { late } from '../../plan/late.js';
import { defineStepKind } from '../../plan/step-kind.js';
import { asArtifact } from './artifact-input.js';

/** One word for another program: nothing that could be taken for an option, a list or two words. */
const word = (what: string) => z.string().regex(/^[^\s,-][^\s,]*$/, `must be ${what}, without spaces and commas`);
const line = z.string().regex(/^[^\n\0]+$/, 'must be one line');

export const variants = ['extract', 'custom', 'essential', 'apt', 'required', 'minbase', 'buildd', 'important', 'debootstrap', 'standard'] as const;
export const compressions = ['none', 'gzip', 'zstd', 'xz'] as const;

/** Seconds since the epoch. */
const instant = z.int().min(0);
const tree = z.string();

/** Stands in a mirror's address for the time of a snapshot. */
export const snapshotMark = '{snapshot}';

/** The newest snapshot that archives have, such as `20261123T090000Z`. */
export const rootfsSnapshot = defineStepKind({
  kind: 'rootfs.snapshot',
  type: 'action',
  lookup: ['snapshot'],
  version: 1,
  spec: z.strictObject({ mirrors: z.array(line).min(1) }),
  outputs: ['snapshot'],
});

export const rootfsTree = defineStepKind({
  kind: 'rootfs.tree',
  type: 'resource',
  noun: 'root tree',
  version: 1,
  cost: 'cpu',
  spec: z.strictObject({
    suite: word('the name of a suite, such as bookworm').optional(),
    variant: z.enum(variants).optional(),
    packages: z.array(word('the name of a package')).optional(),
    mirrors: z.array(line).optional(),
    /** What `{snapshot}` in them stands for. */
    snapshot: late(z.string()).optional(),
    components: z.array(word('the name of a component, such as main')).optional(),
    architecture: word('the name of an architecture, such as amd64').optional(),
    keyring: z.array(line).optional(),
    aptOptions: z.array(line).optional(),
    /** Path of a tarball, relative to the project. */
    tarball: late(z.string().min(1)).optional(),
    artifact: late(asArtifact).optional(),
    clampTime: instant,
  }),
  outputs: ['folder', 'tree', 'base'],
});

export const rootfsMachine = defineStepKind({
  kind: 'rootfs.machine',
  type: 'resource',
  noun: 'namespaces',
  endsWithProcess: true,
  version: 1,
  spec: z.strictObject({
    tree: late(tree),
    hostname: z.string().regex(/^[A-Za-z0-9]([A-Za-z0-9.-]{0,62}[A-Za-z0-9])?$/, 'must be a host name: letters, digits, dots and hyphens, 64 at most'),
    clampTime: instant,
  }),
  outputs: ['connection', 'id', 'init', 'initStart'],
});

export const rootfsSeal = defineStepKind({
  kind: 'rootfs.seal',
  type: 'action',
  version: 1,
  spec: z.strictObject({
    tree: late(tree),
    init: late(z.int()),
    initStart: late(z.string()),
    cleanPackageCache: z.boolean(),
    clearLogs: z.boolean(),
  }),
  outputs: [],
});

const imageFields = {
  tree: late(tree),
  path: late(z.string().min(1)),
  clampTime: instant,
  /** Tags of the source. */
  tags: z.record(z.string(), z.string()).optional(),
};

export const rootfsTarball = defineStepKind({
  kind: 'rootfs.tarball',
  type: 'resource',
  noun: 'tarball',
  version: 1,
  cost: 'cpu',
  spec: z.strictObject({ ...imageFields, compression: z.enum(compressions).optional() }),
  outputs: ['artifact', 'path'],
});

export const rootfsDirectory = defineStepKind({
  kind: 'rootfs.directory',
  type: 'resource',
  noun: 'folder',
  version: 1,
  cost: 'io',
  spec: z.strictObject(imageFields),
  outputs: ['artifact', 'path'],
});

export const rootfsOci = defineStepKind({
  kind: 'rootfs.oci',
  type: 'resource',
  noun: 'OCI layout',
  version: 1,
  cost: 'cpu',
  spec: z.strictObject({
    ...imageFields,
    compression: z.enum(['none', 'gzip', 'zstd']).optional(),
    tag: z.string().regex(/^[A-Za-z0-9]+([-._:@/+][A-Za-z0-9]+|--[A-Za-z0-9]+)*$/, 'must be a reference name, such as latest or web:1.2').optional(),
    architecture: word('the name of an architecture, such as amd64').optional(),
    entrypoint: z.array(late(z.string())).optional(),
    cmd: z.array(late(z.string())).optional(),
    env: z.record(z.string().regex(/^[^=\0]+$/, 'must be a name without ='), late(z.string())).optional(),
    exposedPorts: z.array(z.union([z.int().min(1).max(65_535), z.string().regex(/^\d{1,5}(\/(tcp|udp|sctp))?$/, 'must be a port, such as 80 or "53/udp"')])).optional(),
    labels: z.record(z.string(), late(z.string())).optional(),
    workdir: z.string().startsWith('/').optional(),
    user: z.string().min(1).optional(),
    volumes: z.array(z.string().startsWith('/')).optional(),
    stopSignal: z.string().min(1).optional(),
  }),
  outputs: ['artifact', 'path'],
});
