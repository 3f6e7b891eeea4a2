import { availableParallelism } from 'node:os';
import type { Extension } from '../engine/extension.js';
import { preflight } from '../engine/preflight.js';
import { executeRun } from '../engine/run.js';
import { cacheFolder } from './host/cache-folder.js';
import { systemClock } from './host/clock.js';
import { gitCommit } from './host/git-commit.js';
import { openRun } from './open-run.js';
import { cacheLimit, runCache } from './run-cache.js';
import { checkPinChoice } from './project-pins.js';
import { resumedBuilds } from './resumed-builds.js';
import { selectBuilds } from './select-builds.js';
import type { SynthesizedApp } from './synth-app.js';
import type { RunOptions, RunReport } from './toolkit-api.js';

/** Carries out what was synthesized. */
export async function runApp(app: SynthesizedApp, options: RunOptions, extensions: readonly Extension[], env: NodeJS.ProcessEnv): Promise<RunReport> {
  const builds = options.resume === undefined ? selectBuilds(app.plans, options) : await resumedBuilds(app, options.resume);
  const limit = cacheLimit(env);
  const cache = await runCache(app.plans, options, { project: app.project, cache: cacheFolder(env), clock: systemClock });
  await checkPinChoice(app.project, options);
  const { services, notify, log, startedAt, close } = await openRun(app, { extensions, env, host: options.host, force: options.force, pins: options, builds: [...builds] });
  const { journal, run: { id: run } } = services;
  try {
    await preflight(app.plans, builds, services, options.signal);
    const planned = app.plans.flatMap((plan) => plan.builds.map((build) => ({ id: build.id, platform: build.platform, steps: plan.steps.filter((step) => step.build === build.id).length })));
    notify({ type: 'run.started', run, builds: planned.filter((build) => builds.has(build.id)), log });
    const outcome = await executeRun({
      plans: app.plans, builds, onError: options.onError, cache: { ...cache, limit, commit: () => gitCommit(app.project, services.exec) }, cores: availableParallelism(), signal: options.signal,
      ...(options.parallel === undefined ? {} : { parallel: options.parallel }),
    }, services);
    notify({ type: 'run.finished', run, milliseconds: systemClock.now() - startedAt, ...outcome });
    return { run, ...outcome };
  } catch (error) {
    // Nothing was begun: preflight comes before the first effect, and the run itself reports failures as outcomes.
    await journal.append({ type: 'run.closed', at: systemClock.now() }, 'eventual');
    throw error;
  } finally {
    await close();
  }
}
