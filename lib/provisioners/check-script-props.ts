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
  const wrong = problemOf(form, props[form]);
  if (wrong !== undefined) throw new BakeError({ code: 'ScriptChoice', message: `"${form}" of ${owner} ${wrong}`, hint: hints[form] });
}

const hints = {
  command: "say what to run, such as command: 'make dist'",
  inline: "give at least one line, such as inline: ['apt-get update'], or leave the step out",
  script: "name a file, such as script: 'setup.sh'",
  scripts: "name at least one file, such as scripts: ['setup.sh'], or leave the step out",
} as const;

/** No type checker may have seen the props. */
function problemOf(form: keyof ScriptChoice, value: unknown): string | undefined {
  if (form === 'inline' || form === 'scripts') {
    if (!Array.isArray(value)) return 'is not a list';
    if (value.length === 0) return 'is empty';
    if (form === 'inline') return undefined;
    return value.every((path) => typeof path === 'string' && path !== '') ? undefined : 'has an entry that is not a path';
  }
  if (value === '') return 'is empty';
  return form === 'script' && typeof value !== 'string' ? 'is not a path' : undefined;
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
