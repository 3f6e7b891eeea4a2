import { join, resolve } from 'node:path';
import { stageAssets, writeAssembly } from '../assembly/assemble.js';
import type { Exec } from '../core/ports.js';
import { isPendingAsset, walkLate } from '../plan/late.js';
import { throwIfFailed } from '../synth/synthesize.js';
import { appFiles, findApp } from './load/find-app.js';
import { readVariables } from './load/read-variables.js';
import type { Synthesis, SynthOptions } from './toolkit-api.js';

export interface SynthesizedApp extends Synthesis {
  /** Values of literal secrets and of all variables, for the engine; never written anywhere. */
  readonly literals: readonly string[];
  readonly variables: Readonly<Record<string, string>>;
}

export interface SynthHost {
  readonly cwd: string;
  readonly env: NodeJS.ProcessEnv;
  readonly exec: Exec;
  /** Told of each file and folder that the plans are made of, before it is read. @default - nobody asks */
  readonly onInput?: (path: string) => void;
}

/** From the user's file to `bake.out/`. @throws BakeError `SynthFailed` with all findings */
export async function synthApp(options: SynthOptions, host: SynthHost): Promise<SynthesizedApp> {
  const { onInput = () => {} } = host;
  for (const name of appFiles(options.app, host.cwd)) onInput(name);
  for (const file of options.variableFiles) onInput(resolve(host.cwd, file));
  const app = await findApp(options.app, host.cwd);
  const { project } = app;
  if (app.type === 'command') onInput(project); // what it reads only it knows
  const { values: variables, given } = await readVariables(host.env, options.variableFiles, options.variables, host.cwd);
  const synthesized = app.type === 'file'
    ? await (await import('./load/load-app.js')).loadApp(app, variables, given, onInput)
    : await (await import('./load/run-app-command.js')).runAppCommand(app, { variables, given, project }, host.exec, host.env);
  for (const { steps } of synthesized.plans) for (const { spec } of steps) {
    walkLate(spec, (late) => { if (isPendingAsset(late) && late.$asset.content === undefined) onInput(resolve(project, late.$asset.pending)); });
  }
  const outDir = options.outDir === undefined ? join(project, 'bake.out') : resolve(host.cwd, options.outDir);
  const assembled = await stageAssets(synthesized.plans, project, outDir);
  const diagnostics = [...synthesized.diagnostics, ...assembled.diagnostics];
  throwIfFailed(diagnostics);
  await writeAssembly(assembled.plans, synthesized.tree, outDir);
  return { plans: assembled.plans, diagnostics, outDir, project, literals: synthesized.literals, variables };
}
