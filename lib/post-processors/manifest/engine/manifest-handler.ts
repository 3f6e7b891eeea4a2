import { mkdir, realpath } from 'node:fs/promises';
import { dirname, isAbsolute, posix, relative, resolve, sep } from 'node:path';
import { BakeError } from '../../../core/bake-error.js';
import { asDiskError } from '../../../core/disk-error.js';
import type { Artifact } from '../../../core/artifact.js';
import type { ActionHandler, StepContext } from '../../../engine/handler.js';
import type { ManifestSpec } from '../steps.js';
import { withFileLock } from '../../../engine/file-lock.js';
import { emptyManifest, type ManifestFile, readManifest, writeManifest } from './manifest-file.js';

type Output = { readonly artifact: Artifact; readonly path: string };

/** Adds an artifact to the manifest file, and hands it on. */
export const manifestHandler: ActionHandler<ManifestSpec, Output> = {
  async checkKnown({ output }, ctx) {
    if (output !== undefined && !ctx.run.force) await readManifest(resolve(ctx.run.project, output));
  },
  async run(spec, ctx) {
    const path = resolve(ctx.run.project, spec.output);
    try {
      await mkdir(dirname(path), { recursive: true });
      const file = await realpath(path).catch(() => path); // a link to it stays one
      await append(file, spec, ctx);
    } catch (error) {
      throw asDiskError(error, path);
    }
    return { artifact: spec.artifact, path };
  },
};

interface Change {
  readonly spec: ManifestSpec;
  readonly ctx: StepContext;
  isWritten: boolean;
}

/** Builds of this process that wait for the same file: whoever has the lock writes the entries of all. */
const waiting = new Map<string, Set<Change>>();

async function append(path: string, spec: ManifestSpec, ctx: StepContext): Promise<void> {
  const change: Change = { spec, ctx, isWritten: false };
  const all = waiting.get(path) ?? new Set();
  waiting.set(path, all.add(change));
  try {
    await withFileLock(`${path}.lock`, ctx, async () => {
      if (change.isWritten) return;
      const batch = [...all];
      await writeManifest(path, batch.reduce(withEntry, await startingPoint(path, ctx)), ctx.token);
      for (const written of batch) {
        written.isWritten = true;
        all.delete(written);
      }
    });
  } finally {
    all.delete(change);
    if (all.size === 0) waiting.delete(path);
  }
}

/** With `--force` nothing that is there stands in the way. */
async function startingPoint(path: string, { run }: StepContext): Promise<ManifestFile> {
  try {
    return await readManifest(path);
  } catch (error) {
    if (!run.force || !BakeError.is(error)) throw error;
    return emptyManifest;
  }
}

/** With `--force` the entries of earlier runs go. */
function withEntry(manifest: ManifestFile, { spec, ctx }: Change): ManifestFile {
  const base = ctx.run.force && manifest.last_run_uuid !== ctx.run.id ? emptyManifest : manifest;
  return { ...base, builds: [...base.builds.filter((entry) => !isOfThisStep(entry, spec, ctx)), entryOf(spec, ctx)], last_run_uuid: ctx.run.id };
}

/** Whether an earlier attempt of this step wrote it. */
function isOfThisStep(entry: Readonly<Record<string, unknown>>, spec: ManifestSpec, ctx: StepContext): boolean {
  if (entry['packer_run_uuid'] !== ctx.run.id || entry['build'] !== ctx.step.build) return false;
  const { build_time: _, ...mine } = entryOf(spec, ctx);
  const { build_time: __, ...other } = entry;
  return JSON.stringify(mine) === JSON.stringify(other);
}

function entryOf({ artifact, stripPath, stripTime, customData }: ManifestSpec, { step, run, clock }: StepContext): Record<string, unknown> {
  const nameOf = (path: string) => shownPath(path, run.project, stripPath === true);
  return {
    name: step.buildName,
    builder_type: step.platform,
    ...(stripTime === true ? {} : { build_time: Math.floor(clock.now() / 1_000) }),
    files: artifact.files.map(({ path, size }) => ({ name: nameOf(path), size })),
    artifact_id: artifact.files.some(({ path }) => path === artifact.id) ? nameOf(artifact.id) : artifact.id,
    packer_run_uuid: run.id,
    custom_data: customData ?? null,
    build: step.build,
  };
}

/** Relative to the project for what is in it, with slashes. */
function shownPath(path: string, project: string, strip: boolean): string {
  const inside = relative(project, path);
  const shown = (inside.startsWith('..') || isAbsolute(inside) ? path : inside).split(sep).join('/');
  return strip ? posix.basename(shown) : shown;
}
