import type { ScanHost, Stray } from '../../../engine/extension.js';
import { controlFolders, removeControlFolder } from './control-folder.js';
import { endProcessesWith } from './processes.js';

/** A token is `<run id>-<10 hex>`. */
const tokenPattern = /^(.+)-[0-9a-f]{10}$/;

/** Lists the virtual machines, and the folders of their sockets, that a run may have left. */
export async function scanQemu(host: ScanHost): Promise<readonly Stray[]> {
  return (await controlFolders()).flatMap(({ folder, token }) => {
    const [, run] = tokenPattern.exec(token) ?? [];
    if (run === undefined) return [];
    return [{
      kind: 'qemu.machine', title: `virtual machine in ${folder}`, run,
      async remove() {
        await endProcessesWith(folder, host);
        await removeControlFolder(folder);
      },
    }];
  });
}
