import type { CommandSpec, Completion, OptionSpec } from './command-spec.js';
import { globalOptions } from './command-table.js';

/** The completion script for fish. */
export function fishCompletion(table: readonly CommandSpec[]): string {
  const lines = [
    '# fish completion for bake, made by "bake completion fish"',
    'complete -c bake -f',
    ...globalOptions.map((option) => `complete -c bake ${optionWords(option)}`),
    ...table.map(({ name, summary }) => `complete -c bake -n __fish_use_subcommand -a ${name} -d ${quote(summary)}`),
    ...table.flatMap((command) => {
      const when = `complete -c bake -n ${quote(`__fish_seen_subcommand_from ${command.name}`)}`;
      const positional = command.positionals.at(-1);
      const offered = argumentWords(positional?.choices ?? positional?.completion);
      return [...command.options.map((option) => `${when} ${optionWords(option)}`), ...(offered === '' ? [] : [`${when} ${offered}`])];
    }),
  ];
  return `${lines.join('\n')}\n`;
}

function optionWords({ name, short, value, summary, choices, completion }: OptionSpec): string {
  const offered = choices ?? completion;
  // -x: nothing but what is offered; -F brings the files back.
  const argument = value === undefined ? '' : ` ${offered === 'file' ? '-r' : '-x'} ${argumentWords(offered)}`.trimEnd();
  return `-l ${name}${short === undefined ? '' : ` -s ${short}`}${argument} -d ${quote(summary)}`;
}

function argumentWords(completion: Completion | undefined): string {
  if (completion === undefined || completion === 'platform') return '';
  if (completion === 'file') return '-F';
  if (completion === 'folder') return `-a ${quote('(__fish_complete_directories)')}`;
  if (completion === 'build') return `-a ${quote('(bake completion builds 2>/dev/null)')}`;
  return `-a ${quote(completion.join(' '))}`;
}

/** In fish a quoted text knows two escapes only. */
function quote(text: string): string {
  return `'${text.replace(/[\\']/g, '\\$&')}'`;
}
