import { join } from 'node:path';
import { BakeError } from '../core/bake-error.js';
import { closest } from '../core/closest.js';
import type { Leftover } from '../core/events.js';
import type { Extension } from '../engine/extension.js';
import { Masker } from '../engine/masker.js';
import { OutputClaims } from '../engine/output-claims.js';
import { recoverRun } from '../engine/recover.js';
import { Registry } from '../engine/registry.js';
import { leftoverOf } from '../engine/resources.js';
import { RunStore, type StoredRun } from '../engine/run-store.js';
import { SecretStore } from '../engine/secret-store.js';
import { cacheFolder } from './host/cache-folder.js';
import { systemClock } from './host/clock.js';
import { systemExec } from './host/exec.js';
import { systemIds } from './host/ids.js';
import { endStampedProcesses, isAlive } from './host/processes.js';
import { projectPins } from './project-pins.js';
import { removeStrays } from './remove-strays.js';
import { cacheStores } from './run-cache.js';
import type { CleanOptions, CleanReport } from './toolkit-api.js';

/** Removes what dead runs of a project left behind; with `scan`, also what no journal names. */
export async function cleanRuns(options: CleanOptions, extensions: readonly Extension[], env: NodeJS.ProcessEnv): Promise<CleanReport> {
  const store = new RunStore(options.project);
  const exec = systemExec();
  const registry = new Registry(extensions);
  const removed: Leftover[] = [];
  const left: Leftover[] = [];
  for (const id of await runsToClean(store, options.run)) {
    options.signal.throwIfAborted();
    let stored: StoredRun | undefined;
    try {
      stored = await store.read(id);
    } catch (error) {
      const { message, hint } = BakeError.from(error);
      left.push({ step: id, kind: 'run', token: id, title: `run ${id}`, reason: hint === undefined ? message : `${message}: ${hint}` });
      continue;
    }
    if (stored === undefined) continue; // the intent comes before the effect: there is nothing of it
    const { opened, closed } = stored.ledger;
    if (opened !== undefined && !closed && (await isAlive({ pid: opened.pid, start: opened.processStart }, exec))) {
      if (options.run !== undefined) throw new BakeError({ code: 'RunIsAlive', message: `the run ${id} is still going on, as process ${opened.pid}`, hint: 'stop it with Ctrl-C, then clean' });
      continue;
    }
    if (closed) continue;
    if (options.dryRun) {
      for (const { begun } of stored.ledger.owed) {
        if (!registry.owns(begun.kind)) continue;
        removed.push(leftoverOf({ id: begun.step, kind: begun.kind, title: begun.title, build: begun.build, buildName: '', platform: begun.platform }, begun.token, `run ${id}`));
      }
      continue;
    }
    const recovered = await recover(stored, store, registry, options, env);
    removed.push(...recovered.removed);
    left.push(...recovered.left);
  }
  if (options.scan) {
    const strays = await removeStrays(options, extensions);
    removed.push(...strays.removed);
    left.push(...strays.left);
    return { removed, left, spared: strays.spared };
  }
  return { removed, left, spared: [] };
}

async function runsToClean(store: RunStore, wanted: string | undefined): Promise<readonly string[]> {
  const all = await store.list();
  if (wanted === undefined) return all;
  if (all.includes(wanted)) return [wanted];
  const near = closest(wanted, all);
  throw new BakeError({ code: 'NoSuchRun', message: `there is no run "${wanted}" in this project`, hint: near === undefined ? 'call "bake clean" without a run to clean all' : `did you mean "${near}"?` });
}

async function recover(stored: StoredRun, store: RunStore, registry: Registry, options: CleanOptions, env: NodeJS.ProcessEnv): Promise<Pick<CleanReport, 'removed' | 'left'>> {
  const masker = new Masker();
  const journal = await store.reopen(stored.id);
  try {
    return await recoverRun({
      ledger: stored.ledger, checkpoints: cacheStores({ project: options.project, cache: cacheFolder(env), clock: systemClock }).checkpoints, signal: options.signal, endProcesses: async () => { await endStampedProcesses(stored.id, systemClock); },
      services: {
        registry, journal, masker, host: options.host, clock: systemClock, ids: systemIds, exec: systemExec(),
        secrets: new SecretStore({ env: {}, variables: {}, literals: [], project: options.project }, masker),
        outputs: new OutputClaims({ folder: join(options.project, '.bake', 'outputs'), force: false }), pins: projectPins(options.project, masker),
        run: { id: stored.id, folder: stored.folder, project: options.project, cache: cacheFolder(env), assets: '', force: false },
      },
    });
  } finally {
    await journal.close();
  }
}
