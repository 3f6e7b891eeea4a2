import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { BakeError } from '../../../core/bake-error.js';
import type { Exec } from '../../../core/ports.js';
import type { FloppySpec } from '../steps.js';
import { floppySizeFor } from './floppy-size.js';
import { firstLine } from './first-line.js';
import { mediumHandler } from './medium-handler.js';
import { type MediumContents, planTree, writeTree } from './medium-tree.js';
import { runTool } from './run-tool.js';

/** Settings of the user's own mtools must not matter; names are UTF-8 whatever the locale is. */
const env = { MTOOLSRC: '/dev/null', LC_ALL: 'C.UTF-8' };

/** Carries out `vm.floppy` with mtools, which needs no mount and no rights. */
export const floppyHandler = mediumHandler<FloppySpec>({
  name: 'floppy.img',
  async check(spec, { exec, signal }) {
    await checkTools(exec, signal);
    floppySizeFor(await treeOf(spec));
  },
  async make(spec, ctx, { tree, image }) {
    await checkTools(ctx.exec, ctx.signal);
    const entries = await treeOf(spec);
    const size = floppySizeFor(entries);
    await writeTree(tree, entries);
    await runTool(ctx, image, { command: 'mformat', args: ['-C', '-f', String(size), '-v', spec.label.toUpperCase(), '-i', image, '::'], env });
    const names = await readdir(tree);
    if (names.length > 0) await runTool(ctx, image, { command: 'mcopy', args: ['-s', '-i', image, ...names.map((name) => join(tree, name)), '::'], env });
  },
});

/** FAT keeps the case of a name and does not tell names apart by it. */
function treeOf(contents: MediumContents) {
  return planTree(contents, (path) => path.toLowerCase());
}

async function checkTools(exec: Exec, signal: AbortSignal): Promise<void> {
  if (await firstLine(exec, { command: 'mformat', args: ['--version'], signal }) !== undefined) return;
  throw new BakeError({
    code: 'FloppyToolNotFound', message: 'making a floppy needs mtools, which is not on this computer',
    hint: 'install it: "apt-get install mtools", "dnf install mtools" or "brew install mtools"',
  });
}
