import { type FSWatcher, watch } from 'node:fs';

/** Tells of whatever happens in folders; not of what happens in their folders. */
export class FolderWatch {
  readonly #watchers = new Map<string, FSWatcher>();
  readonly #onEvent: () => void;

  constructor(onEvent: () => void) {
    this.#onEvent = onEvent;
  }

  /** Watches these folders from now on, and no others. One that cannot be watched, or is gone, is left out. */
  set(folders: ReadonlySet<string>): void {
    for (const [folder, watcher] of this.#watchers) {
      if (folders.has(folder)) continue;
      watcher.close();
      this.#watchers.delete(folder);
    }
    for (const folder of folders) if (!this.#watchers.has(folder)) this.#add(folder);
  }

  close(): void {
    this.set(new Set());
  }

  #add(folder: string): void {
    try {
      const watcher = watch(folder, this.#onEvent);
      this.#watchers.set(folder, watcher);
      watcher.on('error', () => {
        watcher.close();
        this.#watchers.delete(folder);
        this.#onEvent();
      });
    } catch {
      // Gone, or there are too many: a change of what holds it is still seen.
    }
  }
}
