import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { BakeError } from '../core/bake-error.js';
import { findApp } from './load/find-app.js';
import { type SynthesizedApp, synthApp, type SynthHost } from './synth-app.js';
import type { SynthForecast, Synthesis, SynthOptions } from './toolkit-api.js';

/** Milliseconds that looking may take after synth. */
const longestLook = 1_000;

/** Synthesizes, and says what a run would do as far as that can be seen at once: what is in the way of that is told, and is no error. */
export async function foreseeApp(options: SynthOptions, host: SynthHost): Promise<Synthesis> {
  // The bundler works in a process of its own: meanwhile this one loads what looking needs, if there is something to look at.
  const engine = findApp(options.app, host.cwd).then(async ({ project }) => (await hasRecords(project) ? Promise.all([import('./forecast-app.js'), import('./catalogue.js')]) : undefined));
  engine.catch(() => {}); // told by synth, or where it is awaited
  const app = await synthApp(options, host);
  const forecast = await look(app, options, host, engine);
  return { ...app, ...(forecast === undefined ? {} : { forecast }) };
}

/** Undefined if nothing was ever built here. */
async function look(app: SynthesizedApp, options: SynthOptions, { env }: SynthHost, engine: Promise<readonly [typeof import('./forecast-app.js'), typeof import('./catalogue.js')] | undefined>): Promise<SynthForecast | undefined> {
  const reasons = new Map<string, string[]>();
  const onUnknown = (build: string, reason: string): void => void reasons.set(reason, [...reasons.get(reason) ?? [], build]);
  const all = app.plans.flatMap((plan) => plan.builds.map(({ id }) => id));
  let builds: SynthForecast['builds'] = [];
  const late = new AbortController();
  const timer = setTimeout(() => late.abort(new BakeError({ code: 'ForecastTimeout', message: 'it takes too long to look; "bake run --dry-run" waits for it' })), longestLook);
  try {
    const loaded = await engine;
    if (loaded === undefined) return undefined;
    const [{ forecastApp }, { extensions }] = loaded;
    builds = await forecastApp(app, { ...options, selectors: [], only: [], except: [], force: false, signal: late.signal }, extensions, env, onUnknown);
  } catch (error) {
    for (const build of all) onUnknown(build, BakeError.from(error).message);
  } finally {
    clearTimeout(timer);
  }
  return { builds, unknown: [...reasons].map(([reason, unseen]) => ({ builds: unseen, reason })) };
}

/** Whether a build was ever carried out here. */
function hasRecords(project: string): Promise<boolean> {
  return readdir(join(project, '.bake', 'last')).then((names) => names.length > 0, () => false);
}
