import { access } from 'node:fs/promises';
import { join } from 'node:path';
import type { Checkpointing, SavedPlace } from '../../../engine/handler.js';
import type { RootfsPort, TreeSpec } from './rootfs-port.js';
import type { TreeHandle } from './tree-handler.js';

const archiveName = 'tree.tar';

/** Notes of the tree's state at each checkpoint, which the next one starts from: they are true of this tree only. */
const noteOf = (folder: string, key: string) => join(folder, `${key}.snapshot`);

/** A root tree, kept as what has changed since the checkpoint before. @param make an empty folder for a tree, marked with the token */
export function treeCheckpoint(port: RootfsPort, make: (spec: TreeSpec, ctx: Parameters<Checkpointing<TreeSpec, TreeHandle>['restore']>[2]) => Promise<TreeHandle>): Checkpointing<TreeSpec, TreeHandle> {
  return {
    async save({ folder, tree }, { key, folder: place, parent }, ctx) {
      const before = parent === undefined ? undefined : noteOf(folder, parent.key);
      const since = before !== undefined && await access(before).then(() => true, () => false) ? before : undefined;
      await port.savePatch(tree, { archive: join(place, archiveName), note: noteOf(folder, key), ...(since === undefined ? {} : { since }) }, ctx);
      return { isWhole: since === undefined };
    },
    async restore(from, spec, ctx) {
      const handle = await make(spec, ctx);
      await port.applyPatches(archivesOf(from), handle.tree, noteOf(handle.folder, from.key), ctx);
      return handle;
    },
  };
}

/** From the last one that holds the whole tree on. */
function archivesOf({ folder, saved, parent }: SavedPlace): readonly string[] {
  const before = saved['isWhole'] === true || parent === undefined ? [] : archivesOf(parent);
  return [...before, join(folder, archiveName)];
}
