import { BakeError } from '../core/bake-error.js';
import { closest } from '../core/closest.js';
import { withNeededBuilds } from '../engine/run-state.js';
import { RunStore, type StoredRun } from '../engine/run-store.js';
import { systemExec } from './host/exec.js';
import { isAlive } from './host/processes.js';
import type { SynthesizedApp } from './synth-app.js';

/**
 * The builds that an earlier run was to make, or the last one that failed to make something which no later one made.
 * @throws BakeError `NoSuchRun`, `NothingFailed`, `RunIsAlive`, `RunSucceeded`, `RunNotResumable`, `NoSuchBuild`
 */
export async function resumedBuilds({ plans, project }: Pick<SynthesizedApp, 'plans' | 'project'>, wanted: true | string): Promise<ReadonlySet<string>> {
  const store = new RunStore(project);
  const { id, builds } = wanted === true ? await lastFailed(store) : await failedRun(store, wanted);
  const known = new Set(plans.flatMap((plan) => plan.builds.map((build) => build.id)));
  const missing = builds.find((build) => !known.has(build));
  if (missing !== undefined) throw new BakeError({ code: 'NoSuchBuild', message: `the run ${id} built ${missing}, which is not in the app any more`, hint: 'name what to build: bake run goes on from the checkpoints as well' });
  return withNeededBuilds(plans, new Set(builds));
}

interface FailedRun {
  readonly id: string;
  readonly builds: readonly string[];
}

async function lastFailed(store: RunStore): Promise<FailedRun> {
  const madeSince = new Set<string>();
  for (const id of (await store.list()).toReversed()) {
    const stored = await store.read(id).catch(() => undefined); // one that cannot be read is no candidate
    const builds = stored === undefined ? undefined : buildsOf(stored);
    if (stored === undefined || builds === undefined || await isGoingOn(stored)) continue;
    for (const build of stored.ledger.succeeded) madeSince.add(build);
    if (builds.some((build) => !madeSince.has(build))) return { id, builds };
  }
  throw new BakeError({ code: 'NothingFailed', message: 'no run of this project has failed, or all that did was built since', hint: 'run "bake run"' });
}

async function failedRun(store: RunStore, id: string): Promise<FailedRun> {
  const all = await store.list();
  const stored = all.includes(id) ? await store.read(id) : undefined;
  if (stored === undefined) {
    const near = closest(id, all);
    throw new BakeError({ code: 'NoSuchRun', message: `there is no run "${id}" in this project`, hint: near === undefined ? 'give --resume without a run for the last one that failed' : `did you mean "${near}"?` });
  }
  const builds = buildsOf(stored);
  if (await isGoingOn(stored)) throw new BakeError({ code: 'RunIsAlive', message: `the run ${id} is still going on, as process ${stored.ledger.opened?.pid}`, hint: 'stop it with Ctrl-C, or wait for its end' });
  if (builds === undefined) throw new BakeError({ code: 'RunNotResumable', message: `the run ${id} does not tell what it was to build`, hint: 'name what to build: bake run goes on from the checkpoints as well' });
  if (hasSucceeded(stored)) throw new BakeError({ code: 'RunSucceeded', message: `the run ${id} succeeded`, hint: 'there is nothing to go on with; run "bake run" to build again what has changed' });
  return { id, builds };
}

/** Undefined of a run that built nothing, such as a session in a machine, or whose journal is too old to say. */
function buildsOf({ ledger }: StoredRun): readonly string[] | undefined {
  const builds = ledger.opened?.builds;
  return builds === undefined || builds.length === 0 ? undefined : builds;
}

function hasSucceeded(stored: StoredRun): boolean {
  return buildsOf(stored)?.every((build) => stored.ledger.succeeded.has(build)) === true;
}

async function isGoingOn({ ledger: { opened, closed } }: StoredRun): Promise<boolean> {
  return opened !== undefined && !closed && await isAlive({ pid: opened.pid, start: opened.processStart }, systemExec());
}
