import { join, relative, resolve } from 'node:path';
import { BakeError } from '../../core/bake-error.js';
import type { Clock } from '../../core/ports.js';
import { findApp } from '../load/find-app.js';
import type { Toolkit, WatchOptions } from '../toolkit-api.js';
import { Bell } from './bell.js';
import { FolderWatch } from './folder-watch.js';
import { InputStates } from './input-states.js';

export interface WatchHost {
  readonly cwd: string;
  readonly clock: Clock;
  /** A toolkit that tells of each file and folder that the app is made of, before it is read. */
  readonly toolkit: (onInput: (path: string) => void) => Pick<Toolkit, 'forecast' | 'run'>;
}

/** One round at once and one after each change, until the signal is aborted. A change ends the round that is going on. */
export async function watchApp({ app, outDir, signal, round, onChange, onWait }: WatchOptions, { cwd, clock, toolkit }: WatchHost): Promise<void> {
  const project = await findApp(app, cwd).then((found) => found.project, () => resolve(cwd, app));
  const inputs = new InputStates({ project, outDir: outDir === undefined ? join(project, 'bake.out') : resolve(cwd, outDir) });
  const bell = new Bell();
  const ring = () => bell.ring();
  const folders = new FolderWatch(ring);
  const telling = toolkit((path) => { if (inputs.add(path)) ring(); });
  signal.addEventListener('abort', ring, { once: true });
  try {
    while (!signal.aborted) {
      const change = new AbortController();
      let isOver = false;
      const working = round(telling, AbortSignal.any([signal, change.signal])).finally(() => {
        isOver = true;
        ring();
      });
      working.catch(ring); // told where it is awaited
      let changed: readonly string[] = [];
      for (let isTold = false; changed.length === 0 && !signal.aborted;) {
        const seen = inputs.look();
        folders.set(seen.folders);
        changed = seen.changed.map((path) => relative(project, path));
        if (changed.length > 0) break;
        if (isOver && !isTold) onWait(inputs.count);
        isTold = isOver;
        await bell.quiet(clock);
      }
      if (changed.length > 0) onChange(changed);
      change.abort(new BakeError({ code: 'Interrupted', message: `${changed[0] ?? 'it'} changed` }));
      await working;
    }
  } finally {
    signal.removeEventListener('abort', ring);
    folders.close();
  }
}
