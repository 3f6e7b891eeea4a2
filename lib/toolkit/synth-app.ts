import { join, resolve } from 'node:path';
import { stageAssets, writeAssembly } from '../assembly/assemble.js';
import type { Exec } from '../core/ports.js';
import { throwIfFailed } from '../synth/synthesize.js';
import { findApp } from './load/find-app.js';
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
}

/** From the user's file to `bake.out/`. @throws BakeError `SynthFailed` with all findings */
export async function synthApp(options: SynthOptions, host: SynthHost): Promise<SynthesizedApp> {
  const app = await findApp(options.app, host.cwd);
  const { project } = app;
  const variables = await readVariables(host.env, options.variableFiles, options.variables, host.cwd);
  const given = Object.keys(options.variables);
  const synthesized = app.type === 'file'
    ? await (await import('./load/load-app.js')).loadApp(app, variables, given)
    : await (await import('./load/run-app-command.js')).runAppCommand(app, { variables, given, project }, host.exec, host.env);
  const outDir = options.outDir === undefined ? join(project, 'bake.out') : resolve(host.cwd, options.outDir);
  const assembled = await stageAssets(synthesized.plans, project, outDir);
  const diagnostics = [...synthesized.diagnostics, ...assembled.diagnostics];
  throwIfFailed(diagnostics);
  await writeAssembly(assembled.plans, synthesized.tree, outDir);
  return { plans: assembled.plans, diagnostics, outDir, project, literals: synthesized.literals, variables };
}
