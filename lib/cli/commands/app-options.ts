import { statSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { BakeError } from '../../core/bake-error.js';
import type { SynthOptions } from '../../toolkit/toolkit-api.js';
import type { Arguments } from '../arguments/arguments.js';

/** What `--app`, `--var`, `--var-file` and `--out` say. @throws BakeError `InvalidOption` */
export function appOptions(args: Arguments): SynthOptions {
  const outDir = args.text('out');
  return {
    app: args.text('app') ?? '.',
    variables: Object.fromEntries(args.texts('var').map(readVariable)),
    variableFiles: args.texts('var-file'),
    ...(outDir === undefined ? {} : { outDir }),
  };
}

/** The folder of the app, where `.bake` and `bake.out` are. */
export function projectOf(args: Arguments, cwd: string): string {
  const path = resolve(cwd, args.text('app') ?? '.');
  return statSync(path, { throwIfNoEntry: false })?.isFile() === true ? dirname(path) : path;
}

function readVariable(text: string): readonly [string, string] {
  const mark = text.indexOf('=');
  if (mark < 1) throw new BakeError({ code: 'InvalidOption', message: `--var cannot be "${text}"`, hint: 'write --var name=value' });
  return [text.slice(0, mark), text.slice(mark + 1)];
}
