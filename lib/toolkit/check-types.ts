import { createRequire } from 'node:module';
import { stat } from 'node:fs/promises';
import { dirname, join, relative, resolve } from 'node:path';
import { BakeError } from '../core/bake-error.js';
import type { Diagnostic } from '../core/diagnostic.js';
import type { Exec } from '../core/ports.js';
import type { AppLocation } from './load/find-app.js';

/** What a file without a `tsconfig.json` is checked with. */
const standAloneFlags = ['--strict', '--skipLibCheck', '--module', 'nodenext', '--target', 'es2022', '--types', 'node'];

/**
 * Type-checks the app with the TypeScript of the user's own project, through its command line, which every version has.
 * @throws BakeError `TypeScriptNotFound`
 */
export async function checkTypes(app: AppLocation, exec: Exec): Promise<readonly Diagnostic[]> {
  const { project } = app;
  const hasConfig = await stat(join(project, 'tsconfig.json')).then(() => true, () => false);
  const files = hasConfig || app.type === 'command' ? ['-p', project] : [app.path, ...standAloneFlags];
  const result = await exec.run({ command: process.execPath, args: [tscOf(project), '--noEmit', '--pretty', 'false', ...files], cwd: project });
  const diagnostics = [...result.stdout.matchAll(/^(.+?)\((\d+),(\d+)\): (error|warning) (TS\d+): (.+(?:\n {2,}.+)*)$/gm)].map(([, file = '', line, column, severity, code = '', message = '']): Diagnostic => ({
    code, severity: severity as 'error' | 'warning', message: message.trim(),
    location: { file: relative(project, resolve(project, file)).replaceAll('\\', '/'), line: Number(line), column: Number(column) },
  }));
  if (result.code === 0 || diagnostics.length > 0) return diagnostics;
  return [{ code: 'TypeCheckFailed', severity: 'error', message: (result.stdout + result.stderr).trim() || `tsc ended with ${result.code ?? result.signal}` }];
}

function tscOf(project: string): string {
  try {
    const manifest = createRequire(join(project, 'image.ts')).resolve('typescript/package.json');
    return join(dirname(manifest), 'bin', 'tsc');
  } catch (error) {
    throw new BakeError({ code: 'TypeScriptNotFound', message: `${project} has no TypeScript of its own`, hint: 'run "npm install --save-dev typescript"', cause: error });
  }
}
