import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { BakeError } from '../core/bake-error.js';
import { closest } from '../core/closest.js';
import { matchesGlob } from '../core/glob.js';
import { isJsonObject } from '../core/json.js';
import type { BuildRecord } from '../engine/cache/build-records.js';
import type { FileDigests } from '../engine/cache/file-digests.js';
import { digestOf } from '../engine/cache/record-build.js';
import type { Extension } from '../engine/extension.js';
import { Journal } from '../engine/journal.js';
import { Masker } from '../engine/masker.js';
import { OutputClaims } from '../engine/output-claims.js';
import { Registry } from '../engine/registry.js';
import { SecretStore } from '../engine/secret-store.js';
import type { EngineServices } from '../engine/services.js';
import { makeStepContext } from '../engine/step-context.js';
import { cacheFolder } from './host/cache-folder.js';
import { systemClock } from './host/clock.js';
import { systemExec } from './host/exec.js';
import { systemIds } from './host/ids.js';
import { projectPins } from './project-pins.js';
import { cacheStores } from './run-cache.js';
import type { BuildOutputs, BuiltImage, RecordOptions } from './toolkit-api.js';

/** A platform that does not answer in this time is not known to have the image still; milliseconds. */
const longestLook = 10_000;

/** What the builds of a project have made, newest first, and what of it is still there. */
export async function builtImages({ project, selectors }: RecordOptions, extensions: readonly Extension[], env: NodeJS.ProcessEnv): Promise<readonly BuiltImage[]> {
  const cache = cacheFolder(env);
  const all = (await cacheStores({ project, cache, clock: systemClock }).records.list()).filter(({ artifact }) => artifact.type !== 'none');
  const services = lookingServices(project, cache, extensions);
  const latest = latestRuns(all);
  return Promise.all(chosen(all, selectors).map(async (record) => {
    const holds = await stillHolds(record, services);
    const { image, build, platform, step, isMain, artifact: { type, id, title, files }, parents, fingerprint, at, milliseconds, run, commit } = record;
    return { ...artifactFacts(record), image, build, platform, step, isMain, type, id, title, files, parents, fingerprint, at, milliseconds, run, commit, isLatest: latest.get(build) === record.lastRun, ...(holds === undefined ? {} : { holds }) };
  }));
}

/** The artifacts of the last run of each build that succeeded. @throws BakeError `NeverBuilt` */
export async function buildOutputs({ project, selectors }: RecordOptions, env: NodeJS.ProcessEnv): Promise<readonly BuildOutputs[]> {
  const { records: store, digests } = cacheStores({ project, cache: cacheFolder(env), clock: systemClock });
  const all = await store.list();
  if (all.length === 0) throw new BakeError({ code: 'NeverBuilt', message: selectors.length === 0 ? 'nothing was built in this project yet' : `${selectors.map((one) => `"${one}"`).join(', ')}: nothing was built in this project yet`, hint: 'run "bake run" first' });
  const latest = latestRuns(all);
  const wanted = chosen(all, selectors).filter(({ build, lastRun }) => latest.get(build) === lastRun);
  return Promise.all([...new Set(wanted.map(({ build }) => build))].sort().map(async (build) => {
    const records = wanted.filter((record) => record.build === build);
    const { lastRun: run, lastAt: at } = records[0]!;
    const artifacts = await Promise.all(records.map(async (record) => {
      const { step, isMain, artifact: { type, id, title, files }, commit, fingerprint } = record;
      return { ...await fileDigest(record, digests), ...artifactFacts(record), ...regionsOf(record), name: step.slice(build.length + 1), isMain, type, id, title, files, ...(commit === undefined ? {} : { commit: commit.id }), ...(fingerprint === undefined ? {} : { fingerprint }) };
    }));
    return { build, run, at, artifacts: artifacts.sort((a, b) => Number(b.isMain) - Number(a.isMain) || (a.name < b.name ? -1 : 1)) };
  }));
}

/** Of an artifact that is one file, which is read only if it is not known as it is. */
async function fileDigest({ artifact: { files } }: BuildRecord, digests: FileDigests): Promise<{ readonly digest?: string }> {
  const [file] = files;
  if (file === undefined || files.length > 1 || (await stat(file.path).catch(() => undefined))?.size !== file.size) return {};
  const sum = await digests.of(file.path);
  return sum === undefined ? {} : { digest: `sha256:${sum}` };
}

function artifactFacts({ artifact }: BuildRecord): { readonly digest?: string; readonly size?: number } {
  const digest = digestOf(artifact);
  const { data, files } = artifact;
  const size = files.length > 0 ? files.reduce((sum, file) => sum + file.size, 0) : data['size'];
  return { ...(digest === undefined ? {} : { digest }), ...(typeof size === 'number' ? { size } : {}) };
}

function regionsOf({ artifact: { data: { id, regions } } }: BuildRecord): Pick<BuildOutputs['artifacts'][number], 'imageId' | 'regions'> {
  if (!isJsonObject(regions)) return {};
  return { ...(typeof id === 'string' ? { imageId: id } : {}), regions: Object.fromEntries(Object.entries(regions).filter((entry): entry is [string, string] => typeof entry[1] === 'string')) };
}

function latestRuns(records: readonly BuildRecord[]): ReadonlyMap<string, string> {
  const latest = new Map<string, BuildRecord>();
  for (const record of records) if ((latest.get(record.build)?.lastAt ?? -Infinity) < record.lastAt) latest.set(record.build, record);
  return new Map([...latest].map(([build, { lastRun }]) => [build, lastRun]));
}

function chosen<R extends BuildRecord>(records: readonly R[], selectors: readonly string[]): readonly R[] {
  const matches = ({ image, build }: R, glob: string) => matchesGlob(build, glob) || matchesGlob(image, glob);
  for (const glob of selectors) {
    if (records.some((record) => matches(record, glob))) continue;
    const near = closest(glob, records.flatMap(({ image, build }) => [image, build]));
    throw new BakeError({ code: 'NeverBuilt', message: `"${glob}" was never built in this project`, hint: near === undefined ? `run "bake run ${glob}" first` : `did you mean "${near}"?` });
  }
  return selectors.length === 0 ? records : records.filter((record) => selectors.some((glob) => matches(record, glob)));
}

/** Undefined if nobody can tell. */
async function stillHolds(record: BuildRecord, services: EngineServices): Promise<boolean | undefined> {
  const { kind, step, build, platform, token, outputs, artifact: { files, title } } = record;
  try {
    const loaded = services.registry.knows(kind) ? await services.registry.handler(kind) : undefined;
    if (loaded?.type === 'resource' && loaded.handler.holds !== undefined) {
      const facts = { id: step, kind, title, build, buildName: build.slice(build.lastIndexOf('/') + 1), platform };
      const connect = () => Promise.reject(new Error('only what was made is looked at'));
      const context = makeStepContext({ step: facts, signal: AbortSignal.timeout(longestLook), services, notify: () => {}, connect });
      return await loaded.handler.holds(outputs, { ...context, token });
    }
  } catch {
    return undefined;
  }
  if (files.length === 0) return undefined;
  const found = await Promise.all(files.map(async ({ path, size }) => (await stat(path).catch(() => undefined))?.size === size));
  return found.every(Boolean);
}

function lookingServices(project: string, cache: string, extensions: readonly Extension[]): EngineServices {
  const masker = new Masker();
  const nowhere = { append: () => Promise.resolve(), close: () => Promise.resolve() };
  return {
    registry: new Registry(extensions), journal: new Journal(nowhere), masker, exec: systemExec(), clock: systemClock, ids: systemIds,
    host: { notify: () => {}, ask: ({ fallback }) => Promise.resolve(fallback) },
    secrets: new SecretStore({ env: {}, variables: {}, literals: [], project }, masker),
    outputs: new OutputClaims({ folder: join(project, '.bake', 'outputs'), force: false }), pins: projectPins(project, masker),
    run: { id: 'images', folder: join(project, '.bake', 'runs', 'images'), project, cache, assets: '', force: false },
  };
}
