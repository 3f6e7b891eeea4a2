import { mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { StepContext } from '../../../engine/handler.js';
import { withTag } from '../reference.js';
import type { DockerEngine } from './docker-engine.js';
import { stamp } from './labels.js';

/** For each name that a step gives: the image that had it before, or null. */
export type NamesBefore = Readonly<Record<string, string | null>>;

const fileOf = (ctx: StepContext) => join(ctx.run.tmp, 'names-before.json');

/** Writes down who has the names now. To be called before they are given, so that a crash in between can be undone. */
export async function rememberNames(engine: DockerEngine, tags: readonly string[], ctx: StepContext): Promise<NamesBefore> {
  if (tags.length === 0) return {};
  // A second attempt must not take the first one's work for what was there before.
  const known = await recallNames(ctx);
  if (known !== undefined) return known;
  const names = tags.map(withTag);
  const before = Object.fromEntries(await Promise.all(names.map(async (name) => [name, (await engine.inspectImage(name, ctx))?.id ?? null] as const)));
  await mkdir(ctx.run.tmp, { recursive: true });
  await writeFile(`${fileOf(ctx)}.part`, JSON.stringify(before));
  await rename(`${fileOf(ctx)}.part`, fileOf(ctx));
  return before;
}

/** What was written down; undefined if nothing was, and then no name was given either. */
export async function recallNames(ctx: StepContext): Promise<NamesBefore | undefined> {
  const text = await readFile(fileOf(ctx), 'utf8').catch(() => undefined);
  return text === undefined ? undefined : JSON.parse(text) as NamesBefore;
}

/** Gives names that still stand for `image` back to who had them; names that somebody moved meanwhile are let be. */
export async function restoreNames(engine: DockerEngine, image: string, before: NamesBefore, ctx: StepContext): Promise<void> {
  for (const [name, previous] of Object.entries(before)) {
    if (previous === image || (await engine.inspectImage(name))?.id !== image) continue;
    const isThere = previous !== null && await engine.inspectImage(previous) !== undefined;
    if (isThere) await engine.tag(previous, name);
    else await engine.untag(name, stamp(ctx, true));
  }
}
