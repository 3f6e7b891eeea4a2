import { mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { BakeError } from '../../core/bake-error.js';
import { resetAmbient } from '../../image/ambient.js';
import { unknownVariable } from '../../image/variable.js';
import { type Synthesized, synthesize, throwIfFailed } from '../../synth/synthesize.js';
import type { AppLocation } from './find-app.js';
import { locateIn, locationOfError } from './locate.js';
import type { GivenVariable } from './read-variables.js';
import { bundle } from './bundle.js';

let loads = 0;

/**
 * Runs the user's file in this process and synthesizes what it made.
 * @throws BakeError `AppInvalid`, `AppFailed`, `DuplicateId`, or what a construct threw, with the user's line
 */
export async function loadApp(app: Extract<AppLocation, { type: 'file' }>, variables: Readonly<Record<string, string>>, given: readonly GivenVariable[], onInput: (path: string) => void = () => {}): Promise<Synthesized> {
  const { project } = app;
  const folder = join(project, '.bake', 'load');
  const outfile = join(folder, `image-${process.pid}-${loads++}.mjs`);
  await mkdir(folder, { recursive: true });
  const here = resetAmbient(variables);
  process.setSourceMapsEnabled(true); // before the bundle is loaded: Node reads a map only then
  try {
    await bundle(app.path, project, outfile, onInput);
    await import(pathToFileURL(outfile).href);
    for (const variable of given) {
      if (here.declared.has(variable.name)) continue;
      here.diagnostics.push({ code: 'UnknownVariable', severity: 'error', ...unknownVariable(variable, here.declared.keys()) });
    }
    if (here.apps.length === 0) here.diagnostics.push({ code: 'NoApp', severity: 'error', message: `${app.path} makes no App`, hint: 'write const app = new App(); and give it to your images' });
    return synthesize({ apps: here.apps, diagnostics: here.diagnostics, locate: locateIn(project) });
  } catch (error) {
    // A variable without a value goes on as an empty one: what fails after that is its consequence.
    if (here.diagnostics.some((diagnostic) => diagnostic.severity === 'error')) throwIfFailed(synthesize({ apps: [], diagnostics: here.diagnostics, locate: locateIn(project) }).diagnostics);
    throw appError(error, project);
  } finally {
    await rm(outfile, { force: true });
  }
}

function appError(error: unknown, project: string): BakeError {
  const location = locationOfError(error, project);
  if (BakeError.is(error)) {
    if (error.diagnostics.length > 0) return error;
    return error.with({ diagnostics: [{ code: error.code, severity: 'error', message: error.message, ...(error.hint === undefined ? {} : { hint: error.hint }), ...(error.construct === undefined ? {} : { construct: error.construct }), ...(location === undefined ? {} : { location }) }], cause: error });
  }
  const message = error instanceof Error ? error.message : String(error);
  const duplicate = /There is already a Construct with name '([^']*)' in (\S+?)(?: \[([^\]]*)\])?$/.exec(message);
  const place = location === undefined ? {} : { location };
  const diagnostic = duplicate === null
    ? { code: 'AppFailed', severity: 'error' as const, message: `${error instanceof Error ? error.name : 'error'}: ${message}`, ...place }
    : { code: 'DuplicateId', severity: 'error' as const, message: `the id "${duplicate[1]}" is taken in ${duplicate[3] || 'the app'}`, hint: 'give each construct of a scope an id of its own', ...place };
  return new BakeError({ code: diagnostic.code, message: diagnostic.message, diagnostics: [diagnostic], cause: error });
}
