import { readdir } from 'node:fs/promises';
import { dirname } from 'node:path';
import { allProcesses, endProcesses, environmentOf, markedProcesses } from '../../../../communicators/chroot/linux-processes.js';
import type { ScanHost, Stray } from '../../../../engine/extension.js';
import { treeFolder } from '../tree-handler.js';
import { removeTree } from './remove.js';
import { stepVariable } from './spaces.js';

/** A token is `<run id>-<10 hex>`. */
const tokenPattern = /^(.+)-[0-9a-f]{10}$/;

/** Lists the trees of a project, and the processes of any, that a run may have left. */
export async function scanRootfs(host: ScanHost): Promise<readonly Stray[]> {
  if (process.platform !== 'linux') return [];
  const strays: Stray[] = [];
  for (const token of await processTokens()) {
    const [, run] = tokenPattern.exec(token) ?? [];
    if (run !== undefined) strays.push({ kind: 'rootfs.machine', title: 'processes in namespaces', run, remove: () => endProcesses(() => markedProcesses(stepVariable, token), host.clock) });
  }
  const trees = dirname(treeFolder(host.project, 'x'));
  for (const token of await readdir(trees).catch(() => [])) {
    const [, run] = tokenPattern.exec(token) ?? [];
    if (run === undefined) continue;
    const folder = treeFolder(host.project, token);
    strays.push({
      kind: 'rootfs.tree', title: folder, run,
      async remove() {
        await endProcesses(() => markedProcesses(stepVariable, token), host.clock);
        await removeTree(folder, { exec: host.exec, token, signal: host.signal });
      },
    });
  }
  return strays;
}

async function processTokens(): Promise<ReadonlySet<string>> {
  const tokens = await Promise.all((await allProcesses()).map(({ pid }) => environmentOf(pid, stepVariable)));
  return new Set(tokens.filter((token) => token !== undefined));
}
