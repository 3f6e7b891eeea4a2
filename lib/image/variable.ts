import { closest } from '../core/closest.js';
import { Secret } from '../core/secret.js';
import { ambient } from './ambient.js';
import { callSite } from './call-site.js';

const booleans: ReadonlyMap<string, boolean> = new Map([['true', true], ['1', true], ['yes', true], ['false', false], ['0', false], ['no', false]]);

export interface VariableOptions<T> {
  /** @default - the variable must be given */
  readonly default?: T;
  /** For people: shown when it is missing. */
  readonly description?: string;
  /** Says what is wrong with a value; true or undefined if nothing is. @default - every value is fine */
  readonly validate?: (value: T) => true | string | undefined;
}

export interface SensitiveOptions {
  /** The value is a secret: the variable is a `Secret`, never a text. */
  readonly sensitive: true;
  readonly description?: string;
}

/**
 * A value given from outside: `-c name=value`, `--var-file file.json`, or the environment variable `BAKE_VAR_name`, in
 * this order of rank; then the default. A missing one is reported by synth together with all other findings.
 */
export const Variable = {
  /** A text; a `Secret` if it is sensitive. */
  string: stringVariable,
  /** A finite decimal number such as `3`, `-0.5` or `1e6`. */
  number(name: string, options: VariableOptions<number> = {}): number {
    return read(name, options, 0, parseNumber, 'a number such as 3 or -0.5');
  },
  /** `true`, `false`, `1`, `0`, `yes`, `no`. */
  boolean(name: string, options: VariableOptions<boolean> = {}): boolean {
    return read(name, options, false, (text) => booleans.get(text.toLowerCase()), 'true or false');
  },
  /** A JSON list of texts, or texts between commas. */
  list(name: string, options: VariableOptions<readonly string[]> = {}): readonly string[] {
    return read(name, options, [], parseList, 'a list such as a,b or ["a","b"]');
  },
} as const;

function stringVariable(name: string, options: SensitiveOptions): Secret;
function stringVariable(name: string, options?: VariableOptions<string>): string;
function stringVariable(name: string, options: VariableOptions<string> | SensitiveOptions = {}): string | Secret {
  if ('sensitive' in options && options.sensitive) {
    ambient().declared.set(name, { sensitive: true, ...(options.description === undefined ? {} : { description: options.description }) });
    return Secret.variable(name);
  }
  return read(name, options as VariableOptions<string>, '', (text) => text, 'a text');
}

/** What a missing or wrong variable is while the file runs on to its other errors. */
function read<T>(name: string, options: VariableOptions<T>, standIn: T, parse: (text: string) => T | undefined, form: string): T {
  const here = ambient();
  here.declared.set(name, { sensitive: false, ...(options.description === undefined ? {} : { description: options.description }) });
  const text = Object.hasOwn(here.variables, name) ? here.variables[name] : undefined;
  if (text === undefined && options.default === undefined) {
    const about = options.description === undefined ? '' : ` (${options.description})`;
    report('MissingVariable', `the variable "${name}"${about} has no value`, `give it with -c ${name}=…, in a --var-file, or as BAKE_VAR_${name}`);
    return standIn;
  }
  const value = text === undefined ? options.default! : parse(text);
  if (value === undefined) {
    report('InvalidVariable', `the variable "${name}" is "${text}", which is not ${form}`, `give ${form}`);
    return standIn;
  }
  const verdict = options.validate?.(value) ?? true;
  if (verdict !== true) report('InvalidVariable', `the variable "${name}" is ${JSON.stringify(value)}: ${verdict}`, options.description ?? `change the value of "${name}"`);
  return value;
}

function report(code: string, message: string, hint: string): void {
  const location = callSite();
  ambient().diagnostics.push({ code, severity: 'error', message, hint, ...(location === undefined ? {} : { location }) });
}

function parseNumber(text: string): number | undefined {
  // Number() alone also takes Infinity, 0x10, 0b1 and the empty text.
  if (!/^[+-]?(?:\d+\.?\d*|\.\d+)(?:e[+-]?\d+)?$/i.test(text.trim())) return undefined;
  const value = Number(text);
  return Number.isFinite(value) ? value : undefined;
}

function parseList(text: string): readonly string[] | undefined {
  if (!text.trimStart().startsWith('[')) return text === '' ? [] : text.split(',').map((item) => item.trim());
  try {
    const list: unknown = JSON.parse(text);
    return Array.isArray(list) && list.every((item) => typeof item === 'string') ? list : undefined;
  } catch {
    return undefined;
  }
}

/** The error of giving a variable that `image.ts` never asks for, on the command line or in a variable file. */
export function unknownVariable({ name, file }: { readonly name: string; readonly file?: string }, declared: Iterable<string>): { readonly message: string; readonly hint: string } {
  const names = [...declared];
  const near = closest(name, names);
  const known = names.length === 0 ? 'this app has no variables' : `its variables are ${names.join(', ')}`;
  return { message: `there is no variable "${name}"${file === undefined ? '' : `, which ${file} gives a value`}`, hint: near === undefined ? known : `did you mean "${near}"?` };
}
