import { BakeError } from '../../core/bake-error.js';

/** A boot command as the user wrote it: the items, which are typed one after the other. */
export interface BootCommandText {
  readonly items: readonly string[];
}

export interface BootCommandFault {
  readonly code: 'UnknownBootKey' | 'InvalidBootCommand';
  /** What is wrong; the position is added. */
  readonly message: string;
  readonly hint: string;
  /** Where it starts and how long it is, in UTF-16 units of the joined text. */
  readonly at: number;
  readonly length: number;
}

/**
 * The error of a boot command, with the item in which it is and a caret under the place. The item is shown whole: half a
 * password would not be masked.
 */
export function bootCommandError({ items }: BootCommandText, { code, message, hint, at, length }: BootCommandFault): BakeError {
  let index = 0;
  let offset = at;
  while (index < items.length - 1 && offset >= items[index]!.length) offset -= items[index++]!.length;
  const item = visible(items[index] ?? '');
  const where = items.length > 1 ? `item ${index + 1}, character ${offset + 1}` : `character ${offset + 1}`;
  const caret = ' '.repeat(offset) + '^'.repeat(Math.max(1, Math.min(length, item.length - offset)));
  return new BakeError({ code, message: `${message}, at ${where} of the boot command\n  ${item}\n  ${caret}`, hint });
}

/** Characters that move the cursor are shown as a blank, so that the caret stays under its place. */
function visible(text: string): string {
  return text.replaceAll(/[\u0000-\u001f\u007f]/g, ' ');
}
