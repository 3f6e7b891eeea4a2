import type { Style } from '../terminal/style.js';
import { pad, wrap } from '../terminal/text-width.js';
import type { CommandSpec, OptionSpec } from './command-spec.js';
import { globalOptions } from './command-table.js';

const widest = 100;
const epilogue = 'bake <command> --help shows more of each. Exit codes: 0 ok, 1 failed, 2 usage or config, 3 diff found differences, 4 declined, 5 something was left behind, 130 interrupted.';

/** What `bake --help` prints. */
export function mainHelp(table: readonly CommandSpec[], version: string, style: Style, columns: number): string {
  const lines = [
    `${style.bold('bake')} ${version}: machine images from TypeScript`, '',
    `${style.bold('Usage')}  bake <command> [options]`, '',
    style.bold('Commands'),
    ...twoColumns(table.map(({ name, summary }) => [name, summary]), style, columns), '',
    style.bold('Options of every command'),
    ...optionLines(globalOptions, style, columns), '',
    style.bold('Examples'),
    ...twoColumns([['bake init web', 'start a project'], ['bake synth', 'see what will be done'], ['bake run', 'build the images']], style, columns), '',
    ...wrap(epilogue, Math.min(columns, widest)).map((line) => style.dim(line)),
  ];
  return `${lines.join('\n')}\n`;
}

/** What `bake <command> --help` prints. */
export function commandHelp(command: CommandSpec, style: Style, columns: number): string {
  const lines = [`${style.bold(`bake ${command.name}`)}: ${command.summary}`, ''];
  if (command.description !== undefined) lines.push(...wrap(command.description, Math.min(columns, widest)), '');
  lines.push(`${style.bold('Usage')}  ${usageOf(command)}`, '');
  if (command.options.length > 0) lines.push(style.bold('Options'), ...optionLines(command.options, style, columns), '');
  lines.push(style.bold('Options of every command'), ...optionLines(globalOptions, style, columns), '');
  lines.push(style.bold('Examples'), ...twoColumns(command.examples.map(({ command: line, meaning }) => [line, meaning]), style, columns));
  return `${lines.join('\n')}\n`;
}

/** `bake run [selectors…] [options]`. */
export function usageOf(command: CommandSpec): string {
  const positionals = command.positionals.map(({ name, isVariadic, isRequired, choices }) => {
    const word = `${choices === undefined ? name : choices.join('|')}${isVariadic ? '…' : ''}`;
    return isRequired ? `<${word}>` : `[${word}]`;
  });
  return ['bake', command.name, ...positionals, '[options]'].join(' ');
}

function optionLines(options: readonly OptionSpec[], style: Style, columns: number): readonly string[] {
  const rows = options.map(({ name, short, value, isValueOptional, choices, summary }): readonly [string, string] => {
    const word = `<${choices === undefined ? value : choices.join('|')}>`;
    const argument = value === undefined ? '' : isValueOptional ? `[=${word}]` : ` ${word}`;
    return [`${short === undefined ? '    ' : `-${short}, `}--${name}${argument}`, summary];
  });
  return twoColumns(rows, style, columns);
}

function twoColumns(rows: readonly (readonly [string, string])[], style: Style, columns: number): readonly string[] {
  const left = Math.min(34, Math.max(...rows.map(([name]) => name.length)));
  const room = Math.max(24, Math.min(columns, widest) - left - 4);
  return rows.flatMap(([name, summary]) => {
    const [first = '', ...rest] = wrap(summary, room);
    const further = rest.map((line) => `${' '.repeat(left + 4)}${line}`);
    return name.length > left ? [`  ${style.cyan(name)}`, `${' '.repeat(left + 4)}${first}`, ...further] : [`  ${style.cyan(pad(name, left))}  ${first}`, ...further];
  });
}
