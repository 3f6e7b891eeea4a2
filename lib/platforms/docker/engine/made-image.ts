import type { Artifact } from '../../../core/artifact.js';
import type { JsonObject } from '../../../core/json.js';
import type { StepContext } from '../../../engine/handler.js';
import { withTag } from '../reference.js';
import type { DockerEngine } from './docker-engine.js';
import { withToken } from './labels.js';
import { type NamesBefore, recallNames, rememberNames, restoreNames } from './names-before.js';

/** The handle of an image that stays. */
export interface MadeImageHandle extends JsonObject {
  readonly id: string;
  readonly tags: readonly string[];
  readonly artifact: Artifact;
  readonly before: NamesBefore;
}

/** An image as an artifact. */
export function imageArtifact(id: string, tags: readonly string[], data: JsonObject = {}): Artifact {
  return { type: 'docker.image', id, title: tags.length > 0 ? `image ${tags.join(', ')} (${shortId(id)})` : `image ${shortId(id)}`, files: [], data: { ...data, repoTags: tags } };
}

/** As `docker images` shows it. */
export function shortId(id: string): string {
  return id.replace(/^sha256:/, '').slice(0, 12);
}

/** Gives a stamped image its names and makes the handle. */
export async function nameImage(engine: DockerEngine, id: string, tags: readonly string[], ctx: StepContext, data: JsonObject = {}): Promise<MadeImageHandle> {
  const before = await rememberNames(engine, tags, ctx);
  const names = tags.map(withTag);
  for (const name of names) await engine.tag(id, name);
  return { id, tags: names, artifact: imageArtifact(id, names, data), before };
}

export async function findMadeImage(engine: DockerEngine, token: string, ctx: StepContext): Promise<MadeImageHandle | undefined> {
  const [found] = await engine.listImages(withToken(token), ctx);
  if (found === undefined) return undefined;
  const before = await recallNames(ctx) ?? {};
  return { id: found.id, tags: Object.keys(before), artifact: imageArtifact(found.id, Object.keys(before)), before };
}

export async function releaseMadeImage(engine: DockerEngine, { id, before }: MadeImageHandle, ctx: StepContext): Promise<void> {
  await restoreNames(engine, id, before, ctx);
  const removal = await engine.removeImage(id);
  if (removal === 'kept') ctx.warn({ code: 'DockerImageKept', message: `other images are made from ${shortId(id)}, so only its names were removed`, hint: `it goes with "docker rmi ${shortId(id)}" after them` });
}

/** Whether the image, and each of its names, is as it was made. */
export async function holdsMadeImage(engine: DockerEngine, { id, tags }: MadeImageHandle, ctx: StepContext): Promise<boolean> {
  const found = await Promise.all([id, ...tags].map((name) => engine.inspectImage(name, ctx)));
  return found.every((image) => image?.id === id);
}
