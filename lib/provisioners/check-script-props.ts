import { BakeError } from '../core/bake-error.js';
import type { TextInput } from '../image/ref.js';
import { variableName } from './script-fields.js';

/** The props that say what a script is. */
export interface ScriptChoice {
  readonly command?: TextInput | undefined;
  readonly inline?: readonly TextInput[] | undefined;
  readonly script?: string | undefined;
  readonly scripts?: readonly string[] | undefined;
}

/**
 * Exactly one form of a script, and nothing empty.
 * @param owner the construct's class
 * @throws BakeError `ScriptChoice`
 */
export function checkScriptChoice(owner: string, props: ScriptChoice, forms: readonly (keyof ScriptChoice)[]): void {
  const given = forms.filter((form) => props[form] !== undefined);
  const [form] = given;
  if (given.length !== 1 || form === undefined) {
    const message = form === undefined ? `${owner} has nothing to run` : `${owner} has ${given.join(' and ')}, so it is not clear what to run`;
    throw new BakeError({ code: 'ScriptChoice', message, hint: `give exactly one of ${forms.join(', ')}` });
  }
  const value = props[form];
  const isList = form === 'inline' || form === 'scripts';
  if (isList && !Array.isArray(value)) throw new BakeError({ code: 'ScriptChoice', message: `"${form}" of ${owner} is not a list`, hint: `write ${form}: [ … ]` });
  if (isList && (value as readonly unknown[]).length === 0) throw new BakeError({ code: 'ScriptChoice', message: `"${form}" of ${owner} is empty`, hint: 'give at least one, or leave the step out' });
  if (value === '') throw new BakeError({ code: 'ScriptChoice', message: `"${form}" of ${owner} is empty`, hint: 'say what to run' });
}

/** @throws BakeError `InvalidVariableName` */
export function checkEnvironment(environment: Readonly<Record<string, unknown>> | undefined): void {
  const bad = Object.keys(environment ?? {}).find((name) => !variableName.test(name));
  if (bad === undefined) return;
  throw new BakeError({ code: 'InvalidVariableName', message: `"${bad}" cannot be the name of an environment variable`, hint: 'use letters, digits and _, and no digit first' });
}

/** What runs, in a few words: `3 lines`, `setup.sh`, `setup.sh and 2 more`. */
export function scriptSummary({ command, inline, script, scripts }: ScriptChoice): string {
  if (command !== undefined) return '1 command';
  if (inline !== undefined) return inline.length === 1 ? '1 line' : `${inline.length} lines`;
  const [first = '', ...more] = scripts ?? [script ?? ''];
  return more.length === 0 ? first : `${first} and ${more.length} more`;
}
