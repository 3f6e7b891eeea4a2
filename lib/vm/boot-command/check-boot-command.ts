import { LateText, type TextInput } from '../../image/ref.js';
import { parseBootText } from './parse-boot-command.js';

/**
 * Finds the faults of a boot command when the plan is made, with late values in it or not. A late value counts as the digit
 * 1, which is right as a character as well as in `<wait…>`, and is shown as `…`; what it really is, is read when it is typed.
 * @remarks Errors: those of `parseBootCommand`.
 */
export function checkBootCommand(command: TextInput | readonly TextInput[]): void {
  const items: readonly TextInput[] = Array.isArray(command) ? (command as readonly TextInput[]) : [command as TextInput];
  parseBootText(items.map((item) => textOf(item, '1')), items.map((item) => textOf(item, '…')));
}

function textOf(item: TextInput, late: string): string {
  if (typeof item === 'string') return item;
  if (item instanceof LateText) return item.parts.map((part) => (typeof part === 'string' ? part : late)).join('');
  return late;
}
