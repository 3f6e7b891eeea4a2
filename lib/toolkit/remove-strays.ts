import { BakeError } from '../core/bake-error.js';
import type { Leftover } from '../core/events.js';
import type { Extension, ScanHost, Stray, Unseen } from '../engine/extension.js';
import { systemClock } from './host/clock.js';
import { systemExec } from './host/exec.js';
import { startOfRun, systemIds } from './host/ids.js';
import { homeOfRuns, isRunAlive } from './host/live-runs.js';
import { namedExtensions } from './named-extensions.js';
import type { CleanOptions, CleanReport } from './toolkit-api.js';

/** Milliseconds after which a run of another computer is taken for dead. */
const longestRun = 24 * 60 * 60_000;

/** Removes what carries a stamp of bake and is of no run that is alive, wherever its journal is. */
export async function removeStrays(options: Pick<CleanOptions, 'project' | 'platforms' | 'regions' | 'olderThan' | 'dryRun' | 'signal'>, extensions: readonly Extension[]): Promise<CleanReport> {
  const { platforms, regions, olderThan = longestRun, dryRun, signal, project } = options;
  const report = { removed: [] as Leftover[], left: [] as Leftover[], spared: [] as Leftover[] };
  const unseenOf = (name: string): Unseen => (place, error) => { report.left.push({ step: name, kind: name, token: '', title: `scan of ${place}`, reason: BakeError.from(error).message }); };
  const host: ScanHost = { exec: systemExec(), clock: systemClock, ids: systemIds, signal, project, ...(regions === undefined ? {} : { regions }) };
  const home = await homeOfRuns();
  for (const extension of chosen(extensions, platforms)) {
    const unseen = unseenOf(extension.name);
    const strays = await extension.scan!(host, unseen).catch((error: unknown) => {
      unseen(extension.name, error);
      return [];
    });
    for (const stray of strays) {
      const entry = (reason: string): Leftover => ({ step: stray.title, kind: stray.kind, token: stray.run, title: stray.title, reason });
      if (await isRunAlive(stray.run, host.exec)) continue;
      if (mayBeAlive(stray, home, host.clock.now() - olderThan)) {
        report.spared.push(entry(`run ${stray.run} of another computer may still be going on`));
        continue;
      }
      try {
        if (!dryRun) await stray.remove();
        report.removed.push(entry('carries our stamp'));
      } catch (error) {
        report.left.push(entry(BakeError.from(error).message));
      }
    }
  }
  return report;
}

function mayBeAlive({ home: its, run }: Stray, home: string, before: number): boolean {
  return its !== undefined && its !== home && (startOfRun(run) ?? Infinity) > before;
}

function chosen(extensions: readonly Extension[], names: readonly string[] | undefined): readonly Extension[] {
  const able = extensions.filter(({ scan }) => scan !== undefined);
  return names === undefined || names.length === 0 ? able : namedExtensions(able, names);
}
