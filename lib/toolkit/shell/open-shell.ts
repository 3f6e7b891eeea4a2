import { join } from 'node:path';
import { availableParallelism } from 'node:os';
import type { RemoteResult } from '../../core/communicator.js';
import { LastBuilds } from '../../engine/cache/last-builds.js';
import type { Extension } from '../../engine/extension.js';
import { executeRun } from '../../engine/run.js';
import { RunStore } from '../../engine/run-store.js';
import { sessionExtension } from '../../engine/session.js';
import { forecastApp } from '../forecast-app.js';
import { systemClock } from '../host/clock.js';
import { findApp } from '../load/find-app.js';
import { openRun } from '../open-run.js';
import { runCache } from '../run-cache.js';
import { type SynthesizedApp, synthApp, type SynthHost } from '../synth-app.js';
import type { ShellOptions, ShellReport } from '../toolkit-api.js';
import { enterKept } from './enter-kept.js';
import { requireState } from './require-state.js';
import { sessionPlans, type SessionPlans } from './session-plans.js';
import { type ShellTarget, shellTarget } from './shell-target.js';

/** Lets somebody into what a run kept, or into a copy of what a checkpoint holds. */
export async function openShell(options: ShellOptions, host: SynthHost, extensions: readonly Extension[]): Promise<ShellReport> {
  const { project } = await findApp(options.app, host.cwd);
  if ((await new RunStore(project).list()).includes(options.target)) return enterKept(project, options, extensions, host.env);
  const app = await synthApp(options, host);
  const asked = shellTarget(app.plans, options.target);
  const known = [...extensions, sessionExtension(options.session, { onStart: () => {}, onEnd: () => {} })];
  const plans = sessionPlans(app.plans, asked, known);
  const { signal } = options;
  const forecasts = await forecastApp({ ...app, plans: plans.plans }, { ...options, selectors: [], only: [], except: [], force: false, signal }, known, host.env);
  const target = requireState(asked, plans, forecasts);
  return enterCopy(app, target, target === asked ? plans : sessionPlans(app.plans, target, known), options, extensions, host.env);
}

/** A run of its own, so that `bake clean` finds what it leaves if it is killed. */
async function enterCopy(app: SynthesizedApp, { build, after }: ShellTarget, { plans, builds, untouched }: SessionPlans, options: ShellOptions, extensions: readonly Extension[], env: NodeJS.ProcessEnv): Promise<ShellReport> {
  let result: RemoteResult = { code: null, disconnected: true };
  const last = after.at(-1);
  const session = sessionExtension(options.session, {
    onStart: () => options.onEnter(last === undefined ? build.id : `${build.id} after ${last.id.slice(build.id.length + 1)}`),
    onEnd: (ended) => { result = ended; },
  });
  const { services, close } = await openRun(app, { extensions: [...extensions, session], env, host: options.host, force: false, builds: [] });
  const { id: run, folder, project, cache: cachePlace } = services.run;
  try {
    const stores = await runCache(plans, { checkpoints: 'none' }, { project, cache: cachePlace, clock: systemClock });
    // How builds went last is no matter of this one.
    const cache = { ...stores, lastBuilds: new LastBuilds(join(folder, 'last')) };
    const { status, builds: outcomes, leftovers } = await executeRun({ plans, builds, untouched, onError: 'cleanup', cache, cores: availableParallelism(), signal: options.signal }, services);
    const error = outcomes.find((outcome) => outcome.error !== undefined)?.error;
    return { run, status, code: result.code, leftovers, ...(error === undefined ? {} : { error }) };
  } finally {
    await close();
  }
}
