import { BakeError } from '../../../../core/bake-error.js';
import type { BootFiles } from './boot-files.js';

/** The configuration that GRUB reads from the root file system at each start: no menu, no waiting. */
export function grubConfig({ kernel, initrd }: BootFiles, fileSystem: string, parameters: readonly string[]): string {
  return [
    `search --no-floppy --fs-uuid --set=root ${fileSystem}`, 'set timeout=0',
    'menuentry "Linux" {', `  linux ${kernel} ${parameters.map(grubQuote).join(' ')}`, ...(initrd === undefined ? [] : [`  initrd ${initrd}`]), '}', '',
  ].join('\n');
}

/** The configuration inside GRUB's own image, which finds the other one. */
export function earlyConfig(fileSystem: string): string {
  return `search --no-floppy --fs-uuid --set=root ${fileSystem}\nset prefix=($root)/boot/grub\nconfigfile $prefix/grub.cfg\n`;
}

/** One word for GRUB's shell. Inside single quotes nothing has a meaning. */
function grubQuote(text: string): string {
  if (/[\n\r\0]/.test(text)) throw new BakeError({ code: 'BadKernelParameter', message: `the kernel parameter ${JSON.stringify(text)} has a line break in it`, hint: 'give each parameter as a text of its own in "kernelParameters"' });
  // Several in one text are several words, as on the kernel's own command line.
  return /^[\w.,:=/@%+ -]*$/.test(text) ? text : `'${text.replaceAll("'", String.raw`'\''`)}'`;
}
