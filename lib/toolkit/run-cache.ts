import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { BakeError } from '../core/bake-error.js';
import { closest } from '../core/closest.js';
import { matchesGlob } from '../core/glob.js';
import type { Clock } from '../core/ports.js';
import { Size } from '../core/size.js';
import { BuildRecords } from '../engine/cache/build-records.js';
import { cacheKey } from '../engine/cache/cache-key.js';
import { CheckpointStore } from '../engine/cache/checkpoint-store.js';
import { LastBuilds } from '../engine/cache/last-builds.js';
import { Makers } from '../engine/cache/makers.js';
import { OutcomeStore } from '../engine/cache/outcome-store.js';
import type { FileDigests } from '../engine/cache/file-digests.js';
import type { RunCache } from '../engine/cache/build-cache.js';
import { FileSums } from '../vm/download/engine/file-sums.js';
import type { Plan, PlanStep } from '../plan/plan.js';
import type { RunOptions } from './toolkit-api.js';

export interface CachePlaces {
  readonly project: string;
  /** The user's. */
  readonly cache: string;
  readonly clock: Clock;
}

/** Bytes that checkpoints may take, where nobody says otherwise. */
const defaultLimit = Size.gibibytes(20);

/** How much checkpoints may take: `BAKE_CACHE_SIZE`, or 20 GB; bytes. @throws BakeError `InvalidSize` */
export function cacheLimit(env: NodeJS.ProcessEnv): number {
  const text = env['BAKE_CACHE_SIZE'];
  if (text === undefined || text === '') return defaultLimit.toBytes();
  try {
    return Size.parse(text).toBytes();
  } catch (error) {
    const { message, hint } = BakeError.from(error);
    throw new BakeError({ code: 'InvalidSize', message: `BAKE_CACHE_SIZE: ${message}`, ...(hint === undefined ? {} : { hint }) });
  }
}

/** Where a run looks for what earlier ones left. @throws BakeError `NoSuchStep` for a glob that matches nothing */
export async function runCache(plans: readonly Plan[], { noCache, checkpoints = 'auto' }: Pick<RunOptions, 'noCache' | 'checkpoints'>, places: CachePlaces): Promise<RunCache> {
  return { ...cacheStores(places), key: await cacheKey(places.cache), fresh: freshSteps(plans, noCache), save: checkpoints };
}

export function cacheStores({ project, cache, clock }: CachePlaces): Pick<RunCache, 'checkpoints' | 'makers' | 'outcomes' | 'lastBuilds' | 'digests'> & { readonly records: BuildRecords } {
  const digests = fileDigests(cache, clock);
  return { digests, checkpoints: new CheckpointStore({ folder: join(cache, 'checkpoints'), clock }), makers: new Makers({ folder: join(cache, 'makers'), clock }), outcomes: new OutcomeStore(join(project, '.bake', 'outcomes')), lastBuilds: new LastBuilds(join(project, '.bake', 'last')), records: new BuildRecords(join(project, '.bake', 'images')) };
}

function fileDigests(cache: string, clock: Clock): FileDigests {
  const sums = new FileSums(join(cache, 'sums'));
  const { signal } = new AbortController();
  return {
    of: async (path) => {
      if (!(await stat(path).then((facts) => facts.isFile(), () => false))) return undefined;
      return (await sums.of(path, ['sha256'], { clock, signal, progress: () => {} })).sha256;
    },
  };
}

function freshSteps(plans: readonly Plan[], noCache: RunOptions['noCache']): ReadonlySet<string> {
  const steps = plans.flatMap((plan) => plan.steps.map((step) => ({ id: step.id, names: namesOf(step, plan) })));
  if (noCache === undefined) return new Set();
  if (noCache === true) return new Set(steps.map(({ id }) => id));
  return new Set(noCache.flatMap((glob) => {
    const found = steps.filter(({ names }) => names.some((name) => matchesGlob(name, glob)));
    if (found.length > 0) return found.map(({ id }) => id);
    const near = closest(glob, steps.flatMap(({ names }) => names));
    throw new BakeError({ code: 'NoSuchStep', message: `nothing in this app matches --no-cache="${glob}"`, hint: near === undefined ? 'give an image, a build, or the path of a construct, such as Web/Nginx' : `did you mean "${near}"?` });
  }));
}

/** What a step is called on a command line: its id, its construct's path, its build, its source and its image. */
function namesOf(step: PlanStep, { image, builds }: Plan): readonly string[] {
  const build = builds.find(({ id }) => id === step.build);
  const construct = step.id.startsWith(`${step.build}:`) ? [`${image}/${step.id.slice(step.build.length + 1)}`] : [];
  return [step.id, ...construct, step.build, image, ...(build === undefined ? [] : [build.name])];
}
