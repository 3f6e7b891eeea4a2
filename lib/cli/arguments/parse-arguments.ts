import { parseArgs, type ParseArgsConfig } from 'node:util';
import { BakeError } from '../../core/bake-error.js';
import { closest } from '../../core/closest.js';
import { Arguments } from './arguments.js';
import type { CommandSpec, OptionSpec } from './command-spec.js';
import { globalOptions, optionsOf } from './command-table.js';

type Token = { kind: 'option'; index: number; name: string; rawName: string; value?: string | undefined; inlineValue?: boolean | undefined } | { kind: 'positional'; index: number; value: string } | { kind: 'option-terminator'; index: number };

/**
 * Reads a command line: `bake [options] <command> [options] [--] [arguments]`.
 * @throws BakeError `UnknownCommand`, `UnknownOption`, `InvalidOption`, `UnexpectedArgument`, `MissingArgument`
 */
export function parseArguments(argv: readonly string[], table: readonly CommandSpec[]): Arguments {
  const { command, tokens } = tokensOf(argv, table);
  const options = optionsOf(command);
  const values: Record<string, string[]> = {};
  const positionals: string[] = [];
  for (const token of tokens) {
    if (token.kind === 'positional') positionals.push(token.value);
    if (token.kind === 'option') readOption(token, command, options, table, values);
  }
  if (command !== undefined) positionals.shift();
  const isHelp = values['help'] !== undefined || values['version'] !== undefined;
  if (command !== undefined && !isHelp) checkPositionals(command, positionals);
  return new Arguments(command, positionals, values);
}

/** Which words are values of options depends on the options alone, and a name means the same in all commands. */
function tokensOf(argv: readonly string[], table: readonly CommandSpec[]): { command: CommandSpec | undefined; tokens: readonly Token[] } {
  const config: NonNullable<ParseArgsConfig['options']> = {};
  for (const { name, short, value, isValueOptional } of [...globalOptions, ...table.flatMap((command) => command.options)]) {
    config[name] = { type: value === undefined || isValueOptional ? 'boolean' : 'string', multiple: true, ...(short === undefined ? {} : { short }) };
  }
  const tokens = parseArgs({ args: [...argv], options: config, strict: false, allowPositionals: true, tokens: true }).tokens as readonly Token[];
  const first = tokens.find((token) => token.kind === 'positional');
  if (first === undefined) return { command: undefined, tokens };
  const command = table.find(({ name }) => name === first.value);
  if (command === undefined) {
    throw new BakeError({ code: 'UnknownCommand', message: `there is no command "${first.value}"`, hint: didYouMean(first.value, table.map(({ name }) => name), 'run "bake --help" to see the commands') });
  }
  return { command, tokens };
}

function readOption(token: Token & { kind: 'option' }, command: CommandSpec | undefined, options: readonly OptionSpec[], table: readonly CommandSpec[], values: Record<string, string[]>): void {
  const option = options.find(({ name }) => name === token.name);
  if (option === undefined) throw unknownOption(token, command, options, table);
  const invalid = (message: string, hint: string) => new BakeError({ code: 'InvalidOption', message: `${token.rawName} ${message}`, hint });
  if (option.value === undefined) {
    if (token.inlineValue) throw invalid(`takes no value, and "${token.value}" is given`, `write ${token.rawName} alone`);
    if (option.name === 'color' || option.name === 'no-color') (values['color'] ??= []).push(option.name === 'color' ? 'yes' : 'no');
    else (values[option.name] ??= []).push('yes');
    return;
  }
  const { value } = token;
  if (option.isValueOptional && !token.inlineValue) {
    values[option.name] ??= [];
    return;
  }
  if (value === undefined || value === '' || (!token.inlineValue && value.startsWith('-') && value !== '-')) {
    throw invalid(`needs a value: <${option.value}>`, value === undefined || value === '' ? `write ${token.rawName} <${option.value}>` : `if "${value}" is the value, write --${option.name}=${value}`);
  }
  const items = option.isList ? value.split(',').filter((item) => item !== '') : [value];
  for (const item of items) {
    if (option.choices !== undefined && !option.choices.includes(item)) throw invalid(`cannot be "${item}"`, didYouMean(item, option.choices, `choose one of ${option.choices.join(', ')}`));
    if (option.isCount && !/^[1-9]\d{0,8}$/.test(item)) throw invalid(`cannot be "${item}"`, 'give a whole number of 1 or more');
  }
  const before = values[option.name];
  if (before !== undefined && !option.isRepeated) throw invalid('is given twice', 'give it once');
  values[option.name] = [...(before ?? []), ...items];
}

function unknownOption({ rawName }: Token & { kind: 'option' }, command: CommandSpec | undefined, options: readonly OptionSpec[], table: readonly CommandSpec[]): BakeError {
  const isLong = rawName.startsWith('--');
  const owner = table.find((other) => other.options.some((option) => `--${option.name}` === rawName || `-${option.short}` === rawName));
  const subject = command === undefined ? 'bake' : `bake ${command.name}`;
  const fallback = owner === undefined ? `run "${subject} --help" to see the options` : `it is an option of "bake ${owner.name}"`;
  const hint = isLong ? didYouMean(rawName, options.map(({ name }) => `--${name}`), fallback) : fallback;
  return new BakeError({ code: 'UnknownOption', message: `"${subject}" has no option ${rawName}`, hint });
}

function checkPositionals(command: CommandSpec, given: readonly string[]): void {
  const { positionals } = command;
  const isOpen = positionals.at(-1)?.isVariadic === true;
  const extra = isOpen ? undefined : given[positionals.length];
  if (extra !== undefined) throw new BakeError({ code: 'UnexpectedArgument', message: `"bake ${command.name}" does not know what to do with "${extra}"`, hint: `run "bake ${command.name} --help" to see what it takes` });
  for (const [index, { name, isRequired, choices }] of positionals.entries()) {
    const value = given[index];
    if (value === undefined && isRequired) throw new BakeError({ code: 'MissingArgument', message: `"bake ${command.name}" needs a ${name}`, hint: choices === undefined ? `write bake ${command.name} <${name}>` : `choose one of ${choices.join(', ')}` });
    if (value !== undefined && choices !== undefined && !choices.includes(value)) throw new BakeError({ code: 'UnexpectedArgument', message: `there is no ${name} "${value}" here`, hint: didYouMean(value, choices, `choose one of ${choices.join(', ')}`) });
  }
}

function didYouMean(word: string, candidates: readonly string[], otherwise: string): string {
  const near = closest(word, candidates);
  return near === undefined ? otherwise : `did you mean "${near}"?`;
}
