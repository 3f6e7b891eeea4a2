import { BakeError } from '../../../core/bake-error.js';
import type { ActionHandler, StepContext } from '../../../engine/handler.js';
import type { FileTransferSpec } from '../steps.js';
import { download } from './download.js';
import { type LocalSource, localSource, upload } from './upload.js';

/** Copies what a spec names, one after the other; streams, so the size of a file does not matter. */
export const fileHandler: ActionHandler<FileTransferSpec, Record<string, never>> = {
  async reads({ direction, paths }) {
    if (direction === 'download') return { unknown: 'it copies something to this computer' };
    return paths === undefined ? {} : { unknown: 'what it copies is made while the run goes on' };
  },
  async run(spec, ctx) {
    assertFolderForMany(spec);
    const machine = await ctx.connect(spec.connection);
    if (spec.direction === 'download') {
      for (const path of spec.paths ?? []) await download(machine, path, spec.destination, ctx);
    } else if (spec.content !== undefined) {
      await machine.upload(Buffer.from(spec.content), spec.destination, { signal: ctx.signal, ...(spec.mode === undefined ? {} : { mode: spec.mode }) });
    } else {
      for (const source of await sourcesOf(spec, ctx)) await upload(machine, source, spec, ctx);
    }
    return {};
  },
};

async function sourcesOf({ assets, paths = [] }: FileTransferSpec, ctx: StepContext): Promise<readonly LocalSource[]> {
  if (assets !== undefined) return assets.map(({ asset, contents }) => ({ path: asset.path, name: asset.name, type: asset.type, contents }));
  return Promise.all(paths.map((path) => localSource(path, ctx.run.project)));
}

/** A destination may have been unknown when the plan was made. */
function assertFolderForMany({ assets, paths, content, destination }: FileTransferSpec): void {
  const isFolder = destination.endsWith('/');
  if (isFolder ? content === undefined : (assets ?? paths ?? []).length <= 1) return;
  throw new BakeError({
    code: 'FileChoice',
    message: isFolder ? `content cannot go to "${destination}", which is a folder` : `the destination "${destination}" of several sources is not a folder`,
    hint: isFolder ? 'add a file name to the destination' : 'let it end in a slash',
  });
}
