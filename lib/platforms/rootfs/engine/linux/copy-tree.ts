import type { StepContext } from '../../../../engine/handler.js';
import { commandFailure } from './command-failure.js';
import { runInSpaces } from './spaces.js';

/** Copies a folder with owners, times, links and attributes kept, sharing its blocks where the file system can. @throws BakeError `RootfsCopyFailed`, `DiskFull` */
export async function copyTree(folder: string, target: string, ctx: StepContext): Promise<void> {
  const result = await runInSpaces(ctx, ['cp', '--archive', '--reflink=auto', '--one-file-system', '--no-target-directory', '--', folder, target]);
  if (result.code !== 0) throw commandFailure(result, { code: 'RootfsCopyFailed', what: `${folder} could not be copied`, where: target });
}
