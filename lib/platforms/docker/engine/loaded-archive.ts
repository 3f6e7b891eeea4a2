import { createReadStream } from 'node:fs';
import { mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { BakeError } from '../../../core/bake-error.js';
import type { JsonObject } from '../../../core/json.js';
import type { StepContext } from '../../../engine/handler.js';
import type { DockerEngine } from './docker-engine.js';
import { type NamesBefore, rememberNames, restoreNames } from './names-before.js';
import { tryParseReference } from '../reference.js';

/** An archive of `docker save` that was loaded. Its image has the id it had before, so it cannot carry a stamp. */
export interface LoadedArchive extends JsonObject {
  readonly id: string;
  /** Whether the daemon had it already: then it is not ours to remove. */
  readonly wasThere: boolean;
  readonly before: NamesBefore;
}

const fileOf = (ctx: StepContext) => join(ctx.run.tmp, 'loaded.json');

/** Loads the first image of an archive; what was there before is written down first. @throws BakeError `DockerImportFailed` */
export async function loadArchive(engine: DockerEngine, path: string, ctx: StepContext): Promise<LoadedArchive> {
  const { id, tags } = await describeArchive(path);
  const before = await rememberNames(engine, tags, ctx);
  const loaded: LoadedArchive = { id, wasThere: await engine.inspectImage(id, ctx) !== undefined, before };
  await mkdir(ctx.run.tmp, { recursive: true });
  await writeFile(`${fileOf(ctx)}.part`, JSON.stringify(loaded));
  await rename(`${fileOf(ctx)}.part`, fileOf(ctx));
  const archive = createReadStream(path, { highWaterMark: 1024 * 1024 });
  try {
    await engine.load(archive, ctx);
  } finally {
    archive.destroy();
  }
  return loaded;
}

/** What an earlier process began to load, if it came so far. */
export async function recallLoaded(engine: DockerEngine, ctx: StepContext): Promise<LoadedArchive | undefined> {
  const text = await readFile(fileOf(ctx), 'utf8').catch(() => undefined);
  if (text === undefined) return undefined;
  const loaded = JSON.parse(text) as LoadedArchive;
  return await engine.inspectImage(loaded.id, ctx) === undefined ? undefined : loaded;
}

export async function forgetLoaded(engine: DockerEngine, { id, wasThere, before }: LoadedArchive, ctx: StepContext): Promise<void> {
  await restoreNames(engine, id, before, ctx);
  if (!wasThere) await engine.removeImage(id);
}

/** Reads `manifest.json`: image-spec of `docker save`, https://github.com/moby/docker-image-spec */
async function describeArchive(path: string): Promise<{ readonly id: string; readonly tags: readonly string[] }> {
  const fail = (what: string, cause?: unknown) => new BakeError({ code: 'DockerImportFailed', message: `${path} ${what}`, hint: 'give an archive that "docker save" wrote', cause });
  const { extract } = await import('tar-stream');
  const entries = extract();
  const source = createReadStream(path, { highWaterMark: 1024 * 1024 });
  source.on('error', (error) => entries.destroy(error));
  source.pipe(entries);
  try {
    for await (const entry of entries) {
      if (entry.header.name !== 'manifest.json') { entry.resume(); continue; }
      const chunks: Buffer[] = [];
      for await (const chunk of entry) chunks.push(chunk as Buffer);
      const [image] = JSON.parse(Buffer.concat(chunks).toString()) as { Config?: string; RepoTags?: string[] | null }[];
      const digest = /([0-9a-f]{64})(?:\.json)?$/.exec(image?.Config ?? '')?.[1];
      if (digest === undefined) break;
      return { id: `sha256:${digest}`, tags: (image?.RepoTags ?? []).filter((tag) => tryParseReference(tag) !== undefined) };
    }
  } catch (error) {
    throw fail(`is no image archive: ${(error as Error).message}`, error);
  } finally {
    source.destroy();
  }
  throw fail('is no image archive: it has no manifest.json');
}
