import type { Artifact } from '../../../core/artifact.js';
import { BakeError } from '../../../core/bake-error.js';
import type { JsonObject } from '../../../core/json.js';
import type { ActionHandler } from '../../../engine/handler.js';
import { parseReference } from '../reference.js';
import type { pushStep } from '../steps.js';
import { authFor } from './credentials.js';
import type { DockerEngine } from './docker-engine.js';
import { imageOf } from './image-of.js';
import { LayerSum } from './layer-sum.js';
import type { SpecOf } from './spec-of.js';

/** What a push gives. */
export interface PushOutput extends JsonObject {
  readonly artifact: Artifact;
  /** Of the first name. */
  readonly digest: string;
  /** `<repository>@sha256:…` for each name. */
  readonly references: readonly string[];
}

/** Pushes an image under all of its names. */
export function pushHandler(engine: DockerEngine): ActionHandler<SpecOf<typeof pushStep>, PushOutput> {
  return {
    async run({ artifact, platform, auth }, ctx) {
      const { tags } = imageOf(artifact, 'push');
      const [first] = tags;
      if (first === undefined) throw new BakeError({ code: 'DockerNothingToPush', message: 'the image has no name, so there is no registry to push it to', hint: 'give the source tags, or put a DockerTag before the push' });
      // The names may be of several registries, and only one of them may see the login.
      const given = auth === undefined ? undefined : { ...auth, server: auth.server ?? parseReference(first).registry ?? 'docker.io' };
      const digests: Record<string, string> = {};
      for (const tag of tags) {
        const login = await authFor(tag, given, ctx);
        const sum = new LayerSum(`push ${tag}`, ctx.progress);
        ctx.log(`pushing ${tag}`, 'info');
        digests[tag] = await engine.push({ reference: tag, ...(platform === undefined ? {} : { platform }), ...(login === undefined ? {} : { auth: login }), signal: ctx.signal, onProgress: (progress) => sum.add(progress) });
      }
      const digest = digests[first] ?? '';
      const references = tags.map((tag) => `${tag.slice(0, tag.lastIndexOf(':'))}@${digests[tag] ?? ''}`);
      return { artifact: { ...artifact, data: { ...artifact.data, digest, repoDigests: references } }, digest, references };
    },
  };
}
