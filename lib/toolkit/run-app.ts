import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import type { IoHost } from '../core/events.js';
import type { Extension } from '../engine/extension.js';
import { Masker } from '../engine/masker.js';
import { OutputClaims } from '../engine/output-claims.js';
import { preflight } from '../engine/preflight.js';
import { Registry } from '../engine/registry.js';
import { executeRun } from '../engine/run.js';
import { RunStore } from '../engine/run-store.js';
import { SecretStore } from '../engine/secret-store.js';
import type { EngineServices } from '../engine/services.js';
import { cacheFolder } from './host/cache-folder.js';
import { systemClock } from './host/clock.js';
import { systemExec } from './host/exec.js';
import { systemIds } from './host/ids.js';
import { announceRun } from './host/live-runs.js';
import { LoggingHost } from './host/log-file.js';
import { ownIdentity } from './host/processes.js';
import { runCache } from './run-cache.js';
import { selectBuilds } from './select-builds.js';
import type { SynthesizedApp } from './synth-app.js';
import type { RunOptions, RunReport } from './toolkit-api.js';

/** Carries out what was synthesized. */
export async function runApp(app: SynthesizedApp, options: RunOptions, extensions: readonly Extension[], env: NodeJS.ProcessEnv): Promise<RunReport> {
  const builds = selectBuilds(app.plans, options);
  const cache = await runCache(app.plans, options, { project: app.project, cache: cacheFolder(env), clock: systemClock });
  const run = systemIds.runId();
  const exec = systemExec(run);
  const startedAt = systemClock.now();
  const store = new RunStore(app.project);
  const identity = await ownIdentity(exec);
  const { folder, journal } = await store.create(run, identity, app.project, startedAt);
  const retire = await announceRun(run, identity);
  const log = join(folder, 'log.jsonl');
  const host = new LoggingHost(options.host, log);
  const masker = new Masker();
  const services: EngineServices = {
    registry: new Registry(extensions), journal, masker, exec, host, clock: systemClock, ids: systemIds,
    secrets: new SecretStore({ env, variables: app.variables, literals: app.literals, project: app.project }, masker),
    outputs: new OutputClaims({ folder: join(app.project, '.bake', 'outputs'), force: options.force }),
    run: { id: run, folder, project: app.project, cache: cacheFolder(env), assets: join(app.outDir, 'assets'), force: options.force },
  };
  const notify = (event: Parameters<IoHost['notify']>[0]) => host.notify(masker.value(event));
  try {
    await preflight(app.plans, builds, services, options.signal);
    const planned = app.plans.flatMap((plan) => plan.builds.map((build) => ({ id: build.id, platform: build.platform, steps: plan.steps.filter((step) => step.build === build.id).length })));
    notify({ type: 'run.started', run, builds: planned.filter((build) => builds.has(build.id)), log, at: systemClock.now() });
    const outcome = await executeRun({
      plans: app.plans, builds, onError: options.onError, cache, cores: availableParallelism(), signal: options.signal,
      ...(options.parallel === undefined ? {} : { parallel: options.parallel }),
    }, services);
    notify({ type: 'run.finished', run, milliseconds: systemClock.now() - startedAt, ...outcome, at: systemClock.now() });
    return { run, ...outcome };
  } catch (error) {
    // Nothing was begun: preflight comes before the first effect, and the run itself reports failures as outcomes.
    await journal.append({ type: 'run.closed', at: systemClock.now() }, 'eventual');
    throw error;
  } finally {
    await journal.close();
    await host.close();
    await retire();
  }
}
