import { mkdir, realpath, rm } from 'node:fs/promises';
import { dirname, isAbsolute, posix, relative, resolve, sep } from 'node:path';
import { BakeError } from '../../../core/bake-error.js';
import { asDiskError } from '../../../core/disk-error.js';
import type { Artifact } from '../../../core/artifact.js';
import type { ResourceHandler, StepContext } from '../../../engine/handler.js';
import type { ManifestSpec } from '../steps.js';
import { withFileLock } from '../../../engine/file-lock.js';
import { emptyManifest, type ManifestFile, readManifest, writeManifest } from './manifest-file.js';

type Output = { readonly artifact: Artifact; readonly path: string };

/** Adds an artifact to the manifest file, and hands it on. The entry carries the run and the step, so that it can be taken back. */
export const manifestHandler: ResourceHandler<ManifestSpec, Output> = {
  async checkKnown({ output }, ctx) {
    if (output !== undefined && !ctx.run.force) await readManifest(resolve(ctx.run.project, output));
  },
  async acquire(spec, ctx) {
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
  async find(_token, spec, ctx) {
    if (spec.output === undefined) return undefined; // a secret in it is out of reach
    const path = resolve(ctx.run.project, spec.output);
    const { builds } = await readOurs(path);
    return builds.some((entry) => isOfThisStep(entry, ctx)) ? { artifact: spec.artifact, path } : undefined;
  },
  async release({ path }, ctx) {
    const file = await realpath(path).catch(() => undefined);
    if (file === undefined) return;
    await withFileLock(`${file}.lock`, ctx, async () => {
      const manifest = await readOurs(file);
      const builds = manifest.builds.filter((entry) => !isOfThisStep(entry, ctx));
      if (builds.length === manifest.builds.length) return;
      if (builds.length === 0 && Object.keys(manifest).length === Object.keys(emptyManifest).length) await rm(file, { force: true });
      else await writeManifest(file, { ...manifest, builds }, ctx.token);
    });
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

/** What is no manifest any more holds no entry of ours. */
async function readOurs(path: string): Promise<ManifestFile> {
  try {
    return await readManifest(path);
  } catch (error) {
    if (!BakeError.is(error)) throw error;
    return emptyManifest;
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
  return { ...base, builds: [...base.builds.filter((entry) => !isOfThisStep(entry, ctx)), entryOf(spec, ctx)], last_run_uuid: ctx.run.id };
}

/** Whether this step wrote it, in this or an earlier attempt. */
function isOfThisStep(entry: Readonly<Record<string, unknown>>, { run, step }: Pick<StepContext, 'run' | 'step'>): boolean {
  return entry['packer_run_uuid'] === run.id && entry['build'] === step.build && entry['step'] === step.id;
}

function entryOf({ artifact, stripPath, stripTime, customData }: ManifestSpec, { step, run, clock }: StepContext): Record<string, unknown> {
  const nameOf = (path: string) => shownPath(path, run.project, stripPath === true);
  return {
    name: step.buildName,
    builder_type: step.platform,
    ...(stripTime === true ? {} : { build_time: Math.floor(clock.now() / 1_000) }),
    files: artifact.files.map(({ path, size }) => ({ name: nameOf(path), size })),
    artifact_id: artifact.files.some(({ path }) => path === artifact.id) ? nameOf(artifact.id) : artifact.id,
    ...(artifact.files.length > 0 || Object.keys(artifact.data).length === 0 ? {} : { data: artifact.data }),
    packer_run_uuid: run.id,
    custom_data: customData ?? null,
    build: step.build,
    step: step.id,
  };
}

/** Relative to the project for what is in it, with slashes. */
function shownPath(path: string, project: string, strip: boolean): string {
  const inside = relative(project, path);
  const shown = (inside.startsWith('..') || isAbsolute(inside) ? path : inside).split(sep).join('/');
  return strip ? posix.basename(shown) : shown;
}
