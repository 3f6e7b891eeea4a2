import { shellQuote } from '../../core/quote.js';
import type { CommandSpec, Completion, OptionSpec } from './command-spec.js';
import { optionsOf } from './command-table.js';

/** The completion script for bash, without the bash-completion package. */
export function bashCompletion(table: readonly CommandSpec[]): string {
  const valueCases = (options: readonly OptionSpec[]) => options.filter((option) => option.value !== undefined).map((option) => `      ${namesOf(option).join('|')}) ${offer(option.choices ?? option.completion)}; return ;;`);
  const commandCases = table.map((command) => [
    `    ${command.name})`,
    `      case "$previous" in`, ...valueCases(command.options).map((line) => `  ${line}`), `      esac`,
    `      if [[ $current == -* ]]; then ${offer(optionsOf(command).flatMap(namesOf))}; else ${offer(command.positionals.at(-1)?.choices ?? command.positionals.at(-1)?.completion)}; fi ;;`,
  ].join('\n'));
  return `# bash completion for bake, made by "bake completion bash"
_bake() {
  local current=\${COMP_WORDS[COMP_CWORD]} previous=\${COMP_WORDS[COMP_CWORD-1]} command= word skip=
  COMPREPLY=()
  for word in "\${COMP_WORDS[@]:1:COMP_CWORD-1}"; do
    if [[ $skip ]]; then skip=; continue; fi
    case $word in
      ${valueNames(table).join('|')}) skip=1 ;;
      -*) ;;
      *) command=$word; break ;;
    esac
  done
  case "$command" in
    '')
      if [[ $current == -* ]]; then ${offer(optionsOf(undefined).flatMap(namesOf))}; else ${offer(table.map(({ name }) => name))}; fi ;;
${commandCases.join('\n')}
  esac
}
complete -F _bake bake
`;
}

function offer(completion: Completion | undefined): string {
  const from = (source: string) => `mapfile -t COMPREPLY < <(compgen ${source} -- "$current")`;
  if (completion === undefined || completion === 'platform') return ':';
  if (completion === 'file') return `compopt -o filenames 2>/dev/null; ${from('-f')}`;
  if (completion === 'folder') return `compopt -o filenames 2>/dev/null; ${from('-d')}`;
  if (completion === 'build') return from(`-W "$(bake completion builds 2>/dev/null)"`);
  return from(`-W ${shellQuote(completion.join(' '))}`);
}

function namesOf({ name, short }: OptionSpec): readonly string[] {
  return [...(short === undefined ? [] : [`-${short}`]), `--${name}`];
}

function valueNames(table: readonly CommandSpec[]): readonly string[] {
  return [...new Set(table.flatMap((command) => command.options).filter((option) => option.value !== undefined).flatMap(namesOf))];
}
