import { mkdir, realpath } from 'node:fs/promises';
import { dirname, isAbsolute, posix, relative, resolve, sep } from 'node:path';
import { BakeError } from '../../../core/bake-error.js';
import { asDiskError } from '../../../core/disk-error.js';
import type { Artifact } from '../../../core/artifact.js';
import type { ActionHandler, StepContext } from '../../../engine/handler.js';
import type { ManifestSpec } from '../steps.js';
import { withFileLock } from './file-lock.js';
import { type ManifestFile, readManifest, writeManifest } from './manifest-file.js';

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
      await withFileLock(`${file}.lock`, ctx, async () => {
        const manifest = await current(file, ctx);
        const builds = [...manifest.builds.filter((entry) => !isOfThisStep(entry, spec, ctx)), entryOf(spec, ctx)];
        await writeManifest(file, { ...manifest, builds, last_run_uuid: ctx.run.id }, ctx.token);
      });
    } catch (error) {
      throw asDiskError(error, path);
    }
    return { artifact: spec.artifact, path };
  },
};

/** With `--force`, what an earlier run wrote is replaced, whatever it is. */
async function current(path: string, { run }: StepContext): Promise<ManifestFile> {
  try {
    const manifest = await readManifest(path);
    if (!run.force || manifest.last_run_uuid === run.id) return manifest;
  } catch (error) {
    if (!run.force || !BakeError.is(error)) throw error;
  }
  return { builds: [], last_run_uuid: run.id };
}

/** Whether an earlier attempt of this step wrote it. */
function isOfThisStep(entry: Readonly<Record<string, unknown>>, spec: ManifestSpec, ctx: StepContext): boolean {
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
