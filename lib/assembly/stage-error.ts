import { BakeError } from '../core/bake-error.js';

/** What went wrong with an asset that the user calls `given` and that is at `path`, while it was read or copied into `stage`. */
export function unreadable(given: string, path: string, stage: string, error: NodeJS.ErrnoException): BakeError {
  if (error.path?.startsWith(stage) === true || ['ENOSPC', 'EDQUOT', 'EROFS'].includes(error.code ?? '')) return new BakeError({ code: 'StageNotWritable', message: `"${given}" cannot be copied: ${error.message}`, hint: 'see to it that there is room where bake.out is, and that it may be written to', cause: error });
  if ((error.path ?? path) === path && (error.code === 'ENOENT' || error.code === 'ENOTDIR')) return new BakeError({ code: 'FileNotFound', message: `"${given}" does not exist`, hint: `bake looked at ${path}: relative paths start at the folder of image.ts`, cause: error });
  return new BakeError({ code: 'FileNotReadable', message: `"${given}" cannot be read: ${error.message}`, hint: 'check its permissions', cause: error });
}

export function wrongType(given: string, what: string, hint: string): BakeError {
  return new BakeError({ code: 'WrongFileType', message: `"${given}" is ${what}`, hint });
}
