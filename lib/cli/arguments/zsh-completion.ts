import { shellQuote } from '../../core/quote.js';
import type { CommandSpec, Completion, OptionSpec } from './command-spec.js';
import { globalOptions, optionsOf } from './command-table.js';

/** The completion script for zsh. */
export function zshCompletion(table: readonly CommandSpec[]): string {
  const commands = table.map(({ name, summary }) => `    ${shellQuote(`${name}:${escape(summary)}`)}`);
  const cases = table.map((command) => `    ${command.name}) _arguments -s ${[...optionsOf(command).flatMap(optionWords), ...positionalWords(command)].map(shellQuote).join(' ')} ;;`);
  return `#compdef bake
# zsh completion for bake, made by "bake completion zsh"
_bake_builds() {
  local -a names
  names=(\${(f)"$(bake completion builds 2>/dev/null)"})
  compadd -a names
}
_bake() {
  local -a commands
  local state line context
  commands=(
${commands.join('\n')}
  )
  _arguments -s -C ${globalOptions.flatMap(optionWords).map(shellQuote).join(' ')} '1: :->command' '*:: :->arguments'
  case $state in
    command) _describe command commands; return ;;
  esac
  case $line[1] in
${cases.join('\n')}
  esac
}
if [[ \${funcstack[1]} == _bake ]]; then _bake "$@"; else compdef _bake bake; fi
`;
}

function optionWords({ name, short, value, summary, choices, completion, isRepeated }: OptionSpec): readonly string[] {
  const argument = value === undefined ? '' : `:${escape(value)}:${action(choices ?? completion)}`;
  const names = [`--${name}`, ...(short === undefined ? [] : [`-${short}`])];
  return names.map((word) => `${isRepeated ? '*' : ''}${word}[${escape(summary)}]${argument}`);
}

function positionalWords({ positionals }: CommandSpec): readonly string[] {
  return positionals.map(({ name, isVariadic, choices, completion }, index) => `${isVariadic ? '*' : index + 1}:${escape(name)}:${action(choices ?? completion)}`);
}

function action(completion: Completion | undefined): string {
  if (completion === undefined || completion === 'platform') return ' ';
  if (completion === 'file') return '_files';
  if (completion === 'folder') return '_files -/';
  if (completion === 'build') return '_bake_builds';
  return `(${completion.join(' ')})`;
}

function escape(text: string): string {
  return text.replace(/[\\:[\]]/g, '\\$&');
}
