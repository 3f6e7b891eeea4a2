import { BakeError } from '../../core/bake-error.js';
import type { Arguments } from '../arguments/arguments.js';

/** What an option says, with the option's name in what is wrong with it; undefined if it was not given. @throws BakeError `InvalidOption` */
export function readOption<T>(args: Arguments, name: string, parse: (text: string) => T): T | undefined {
  const text = args.text(name);
  if (text === undefined) return undefined;
  try {
    return parse(text);
  } catch (error) {
    const { message, hint } = BakeError.from(error);
    throw new BakeError({ code: 'InvalidOption', message: `--${name}: ${message}`, ...(hint === undefined ? {} : { hint }) });
  }
}
