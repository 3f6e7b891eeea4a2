import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { delimiter, join } from 'node:path';
import { BakeError } from '../../core/bake-error.js';
import type { Exec } from '../../core/ports.js';
import type { Synthesized } from '../../synth/synthesize.js';
import type { AppLocation } from './find-app.js';
import type { GivenVariable } from './read-variables.js';
import { ownFile } from './own-modules.js';

/** Names of the variables that tell the preloaded module in the user's process where to read and write. */
export const appProcessVariables = { input: 'BAKE_APP_INPUT', output: 'BAKE_APP_OUTPUT' } as const;

/** What the user's process is told. */
export interface AppProcessInput {
  readonly variables: Readonly<Record<string, string>>;
  readonly given: readonly GivenVariable[];
  readonly project: string;
}

/**
 * Runs the command of `bake.json` (a program of the user's choice, through the shell as they wrote it). A module of ours
 * that Node preloads there synthesizes when the program ends. Literal secrets do not pass from process to process.
 * @throws BakeError `AppFailed`
 */
export async function runAppCommand(app: Extract<AppLocation, { type: 'command' }>, input: AppProcessInput, exec: Exec, env: NodeJS.ProcessEnv): Promise<Synthesized> {
  const folder = join(app.project, '.bake', 'load');
  const files = { input: join(folder, `input-${process.pid}.json`), output: join(folder, `output-${process.pid}.json`) };
  await mkdir(folder, { recursive: true });
  await writeFile(files.input, JSON.stringify(input), { mode: 0o600 });
  try {
    const shell = process.platform === 'win32' ? { command: 'cmd', args: ['/d', '/s', '/c', app.command] } : { command: '/bin/sh', args: ['-c', app.command] };
    const result = await exec.run({
      ...shell, cwd: app.project,
      env: {
        PATH: [join(app.project, 'node_modules', '.bin'), env['PATH'] ?? ''].join(delimiter),
        NODE_OPTIONS: `${env['NODE_OPTIONS'] ?? ''} --require ${JSON.stringify(ownFile('lib/toolkit/load/app-process'))}`.trim(),
        [appProcessVariables.input]: files.input, [appProcessVariables.output]: files.output,
      },
    });
    const output = await readFile(files.output, 'utf8').catch(() => undefined);
    if (result.code === 0 && output !== undefined) return JSON.parse(output) as Synthesized;
    const lines = `${result.stdout}\n${result.stderr}`.trim().split('\n').slice(-20);
    const message = result.code === 0 ? `the app command "${app.command}" made no App` : `the app command "${app.command}" ended with ${result.code ?? result.signal}`;
    throw new BakeError({ code: 'AppFailed', message, output: lines, hint: 'run the command by itself to see the error; it must import bake-sdk and make an App' });
  } finally {
    await Promise.all([rm(files.input, { force: true }), rm(files.output, { force: true })]);
  }
}
