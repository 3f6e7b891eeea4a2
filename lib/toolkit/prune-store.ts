import { BakeError } from '../core/bake-error.js';
import type { Extension } from '../engine/extension.js';
import { pruneCheckpoints } from '../engine/cache/prune.js';
import { Registry } from '../engine/registry.js';
import { cacheFolder } from './host/cache-folder.js';
import { systemClock } from './host/clock.js';
import { systemExec } from './host/exec.js';
import { systemIds } from './host/ids.js';
import { cacheLimit, cacheStores } from './run-cache.js';
import type { PruneOptions, PruneReport } from './toolkit-api.js';

/** Makes room in the user's store of checkpoints, and forgets old outcomes of the project. */
export async function pruneStore({ project, keepStorage, olderThan, dryRun, signal }: PruneOptions, extensions: readonly Extension[], env: NodeJS.ProcessEnv): Promise<PruneReport> {
  const cache = cacheFolder(env);
  const clock = systemClock;
  const { checkpoints, makers, outcomes } = cacheStores({ project, cache, clock });
  const services = { clock, exec: systemExec(), registry: new Registry(extensions) };
  const before = olderThan === undefined ? undefined : clock.now() - olderThan;
  const limit = keepStorage ?? (olderThan === undefined ? cacheLimit(env) : undefined);
  const { removed, left, used, failed } = await pruneCheckpoints({ checkpoints, services, signal, dryRun, limit, before });
  const old = before === undefined ? [] : (await outcomes.list()).filter(({ at }) => at < before);
  if (!dryRun) for (const { fingerprint } of old) await outcomes.forget(fingerprint);
  if (!dryRun) await makers.sweep(signal);
  const rests = dryRun ? [] : await checkpoints.sweep(signal);
  const strays: string[] = [];
  const problems = failed.map(({ title, reason }) => ({ title, reason }));
  for (const { name, savedOutside } of extensions) {
    if (savedOutside === undefined) continue;
    try {
      for (const { key, title, remove } of await savedOutside({ exec: services.exec, clock, ids: systemIds, signal, project }, cache)) {
        if (await checkpoints.peek(key) !== undefined) continue;
        // While nobody is writing it: what is outside is there before the checkpoint is.
        const isStray = await checkpoints.tryLocked(key, signal, async () => {
          if (await checkpoints.peek(key) !== undefined) return false;
          if (!dryRun) await remove();
          return true;
        });
        if (isStray === true) strays.push(title);
      }
    } catch (error) {
      signal.throwIfAborted();
      problems.push({ title: `what checkpoints keep on ${name}`, reason: BakeError.from(error).message });
    }
  }
  return {
    removed, outcomes: old.map(({ step, at, build }) => ({ step, build, at })), rests: [...rests, ...strays], problems, ...(limit === undefined ? {} : { limit }),
    left: { count: left.length, bytes: left.reduce((sum, { bytes }) => sum + bytes, 0), used: left.filter(({ key }) => used.has(key)).length },
  };
}
