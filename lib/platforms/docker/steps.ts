import * as z from 'zod';
import { asset, late } from '../../plan/late.js';
import { defineStepKind } from '../../plan/step-kind.js';
import { artifact, auth, change, environment, image, importChange, labels, path, platform, repository, tag, taggable, text } from './step-fields.js';

/** Ensures that a base image is with the daemon. What was pulled stays there, as after `docker pull`. */
export const baseImageStep = defineStepKind({
  kind: 'docker.base-image', type: 'action', version: 1, lookup: ['id'], outputs: ['id', 'digest', 'reference'],
  spec: z.strictObject({ image: late(image), pull: z.enum(['missing', 'always', 'never']).optional(), platform: platform.optional(), auth: auth.optional() }),
});

/** A temporary base image from a Dockerfile. */
export const dockerfileImageStep = defineStepKind({
  kind: 'docker.dockerfile-image', type: 'resource', atCheckpoint: 'inside', noun: 'temporary image', version: 1, cost: 'cpu', outputs: ['id', 'digest', 'reference'],
  spec: z.strictObject({
    dockerfile: asset('file'), context: asset('directory'), dockerfileName: z.string().optional(), args: z.record(z.string(), text).optional(),
    pull: z.boolean().optional(), target: text.optional(), platform: platform.optional(), noCache: z.boolean().optional(), buildKit: z.boolean().optional(),
    network: text.optional(), auth: auth.optional(),
  }),
});

/** A temporary base image from a tarball or from what another build made. */
export const importedImageStep = defineStepKind({
  kind: 'docker.imported-image', type: 'resource', atCheckpoint: 'inside', noun: 'temporary image', version: 1, cost: 'io', outputs: ['id', 'digest', 'reference'],
  spec: z.strictObject({ import: path.optional(), artifact: artifact.optional(), importChanges: z.array(late(importChange)).optional(), platform: platform.optional() }),
});

/** The machine. */
export const containerStep = defineStepKind({
  kind: 'docker.container', type: 'resource', noun: 'container', version: 1, outputs: ['id', 'name', 'host', 'ports', 'user', 'connection', 'image'], opaque: ['env'],
  spec: z.strictObject({
    /** Runs what the image runs by itself, instead of a shell that waits. */
    ownCommand: z.boolean().optional(),
    publish: z.array(z.int().min(1).max(65_535)).optional(),
    image: late(image), platform: platform.optional(), runCommand: z.array(text).min(1).optional(), execUser: text.optional(), workdir: text.optional(), env: environment.optional(),
    pty: z.boolean().optional(), fixUploadOwner: z.boolean().optional(), privileged: z.boolean().optional(), capAdd: z.array(text).optional(), capDrop: z.array(text).optional(),
    devices: z.array(text).optional(), tmpfs: z.array(text).optional(), volumes: z.record(z.string(), text).optional(), runtime: text.optional(), network: text.optional(),
    hostname: text.optional(), extraHosts: z.array(text).optional(), dns: z.array(text).optional(), securityOptions: z.array(text).optional(), init: z.boolean().optional(),
    memory: z.number().int().positive().optional(), cpus: z.number().positive().optional(), shmSize: z.number().int().positive().optional(), gpus: z.union([z.literal('all'), z.number().int().positive()]).optional(),
  }),
});

/** The container's file system as an image. */
export const imageStep = defineStepKind({
  kind: 'docker.image', type: 'resource', noun: 'image', version: 1, cost: 'io', outputs: ['artifact', 'id', 'tags'],
  spec: z.strictObject({
    container: text, base: text.optional(), changes: z.array(late(change)).optional(), author: text.optional(), message: text.optional(), labels: labels.optional(), tags: z.array(late(taggable)).optional(),
  }),
});

/** The container's file system as a tarball. */
export const exportStep = defineStepKind({
  kind: 'docker.export', type: 'resource', noun: 'file', version: 1, cost: 'io', outputs: ['artifact', 'path'],
  spec: z.strictObject({ container: text, path }),
});

/** Nothing is kept of the container; the build is a test of its provisioners. */
export const discardStep = defineStepKind({
  kind: 'docker.discard', type: 'action', version: 1, outputs: ['artifact'],
  spec: z.strictObject({ container: text }),
});

export const tagStep = defineStepKind({
  kind: 'docker.tag', type: 'resource', noun: 'tag', version: 1, outputs: ['artifact', 'tags'],
  spec: z.strictObject({ artifact, tags: z.array(late(taggable)).min(1) }),
});

export const pushStep = defineStepKind({
  kind: 'docker.push', type: 'action', version: 1, cost: 'io', outputs: ['artifact', 'digest', 'references'],
  spec: z.strictObject({ artifact, platform: platform.optional(), auth: auth.optional() }),
});

export const saveStep = defineStepKind({
  kind: 'docker.save', type: 'resource', noun: 'file', version: 1, cost: 'io', outputs: ['artifact', 'path'],
  spec: z.strictObject({ artifact, path }),
});

export const importStep = defineStepKind({
  kind: 'docker.import', type: 'resource', noun: 'image', version: 1, cost: 'io', outputs: ['artifact', 'id', 'tags'],
  spec: z.strictObject({
    artifact, repository: late(repository).optional(), tag: late(tag).optional(), changes: z.array(late(importChange)).optional(), message: text.optional(), platform: platform.optional(), labels: labels.optional(),
  }),
});
