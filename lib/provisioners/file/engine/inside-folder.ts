import { BakeError } from '../../../core/bake-error.js';

/**
 * The path of `name` in a folder. The name may come from a plan or a machine, so it must not lead elsewhere.
 * @throws BakeError `InvalidFileName`
 */
export function insideFolder(folder: string, name: string): string {
  if (name === '' || name === '.' || name === '..' || /[/\0]/.test(name)) {
    throw new BakeError({ code: 'InvalidFileName', message: `"${name}" cannot be the name of a file in ${folder}`, hint: 'name the file or folder itself in source' });
  }
  return `${folder.replace(/\/+$/, '')}/${name}`;
}
