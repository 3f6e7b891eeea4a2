import { join } from 'node:path';
import { bashCompletion } from '../arguments/bash-completion.js';
import { commandTable } from '../arguments/command-table.js';
import { fishCompletion } from '../arguments/fish-completion.js';
import { zshCompletion } from '../arguments/zsh-completion.js';
import type { Command } from '../command.js';
import { exitCode } from '../exit-code.js';
import { neutraliseLine } from '../terminal/neutralise.js';
import { projectOf } from './app-options.js';

const scripts = { bash: bashCompletion, zsh: zshCompletion, fish: fishCompletion } as const;

/** `bake completion <shell>` */
export const completion: Command = async ({ args, io }) => {
  const [shell = ''] = args.positionals;
  if (shell === 'builds') for (const name of await plannedNames(join(projectOf(args, io.cwd), 'bake.out'))) io.stdout.write(`${name}\n`);
  else io.stdout.write(scripts[shell as keyof typeof scripts](commandTable));
  return exitCode.ok;
};

/** Names of images and builds in the last plan; none if there is no plan. Called at each press of the tab key: it must be quick and silent. */
async function plannedNames(folder: string): Promise<readonly string[]> {
  const { readPlans } = await import('./read-plans.js');
  const plans = await readPlans(folder).catch(() => []);
  const names = plans.flatMap((plan) => [plan.image, ...plan.builds.map((build) => build.id)]);
  return names.map(neutraliseLine).filter((name) => /^[\w./:@+-]+$/.test(name));
}
