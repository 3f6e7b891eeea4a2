import { join } from 'node:path';
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

/** Says what a run of what was synthesized would do. Nothing is written. */
export async function forecastApp(app: SynthesizedApp, options: ForecastOptions, extensions: readonly Extension[], env: NodeJS.ProcessEnv): Promise<readonly BuildForecast[]> {
  const { project } = app;
  const builds = options.resume === undefined ? selectBuilds(app.plans, options) : await resumedBuilds(app, options.resume);
  const folder = cacheFolder(env);
  const cache = await runCache(app.plans, options, { project, cache: folder, clock: systemClock });
  const masker = new Masker();
  const nowhere = { append: () => Promise.resolve(), close: () => Promise.resolve() };
  return forecast({ plans: app.plans, builds, cache, signal: options.signal }, {
    registry: new Registry(extensions), journal: new Journal(nowhere), masker, exec: systemExec(), host: { notify: () => {}, ask: ({ fallback }) => Promise.resolve(fallback) }, clock: systemClock, ids: systemIds,
    secrets: new SecretStore({ env, variables: app.variables, literals: app.literals, project }, masker),
    outputs: new OutputClaims({ folder: join(project, '.bake', 'outputs'), force: options.force }), pins: projectPins(project, masker),
    run: { id: 'forecast', folder: join(project, '.bake', 'runs', 'forecast'), project, cache: folder, assets: join(app.outDir, 'assets'), force: options.force },
  });
}
