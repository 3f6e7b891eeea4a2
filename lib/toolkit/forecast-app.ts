import { join } from 'node:path';
import { BakeError } from '../core/bake-error.js';
import { type BuildForecast, forecast } from '../engine/cache/forecast.js';
import type { Extension } from '../engine/extension.js';
import { Journal } from '../engine/journal.js';
import { Masker } from '../engine/masker.js';
import { OutputClaims } from '../engine/output-claims.js';
import { Registry } from '../engine/registry.js';
import { SecretStore } from '../engine/secret-store.js';
import { cacheFolder } from './host/cache-folder.js';
import { systemClock } from './host/clock.js';
import { systemExec } from './host/exec.js';
import { systemIds } from './host/ids.js';
import { projectPins } from './project-pins.js';
import { runCache } from './run-cache.js';
import { resumedBuilds } from './resumed-builds.js';
import { selectBuilds } from './select-builds.js';
import type { SynthesizedApp } from './synth-app.js';
import type { ForecastOptions } from './toolkit-api.js';

/**
 * Says what a run of what was synthesized would do. Nothing is written.
 * @param onUnknown told of builds of which nothing can be said, and why; without it that is an error
 */
export async function forecastApp(app: SynthesizedApp, options: ForecastOptions, extensions: readonly Extension[], env: NodeJS.ProcessEnv, onUnknown?: (build: string, reason: string) => void): Promise<readonly BuildForecast[]> {
  const { project } = app;
  const builds = options.resume === undefined ? selectBuilds(app.plans, options) : await resumedBuilds(app, options.resume);
  const folder = cacheFolder(env);
  const cache = await runCache(app.plans, options, { project, cache: folder, clock: systemClock });
  const masker = new Masker();
  const nowhere = { append: () => Promise.resolve(), close: () => Promise.resolve() };
  return forecast({ plans: app.plans, builds, cache, signal: options.signal, ...(onUnknown === undefined ? {} : { onUnknown: (build: string, error: unknown) => onUnknown(build, masker.text(BakeError.from(error).message)) }) }, {
    registry: new Registry(extensions), journal: new Journal(nowhere), masker, exec: systemExec(), host: { notify: () => {}, ask: ({ fallback }) => Promise.resolve(fallback) }, clock: systemClock, ids: systemIds,
    secrets: new SecretStore({ env, variables: app.variables, literals: app.literals, project }, masker),
    outputs: new OutputClaims({ folder: join(project, '.bake', 'outputs'), force: options.force }), pins: projectPins(project, masker),
    run: { id: 'forecast', folder: join(project, '.bake', 'runs', 'forecast'), project, cache: folder, assets: join(app.outDir, 'assets'), force: options.force },
  });
}
