import type { Command } from '../command.js';
import { exitCode } from '../exit-code.js';
import { formatImages } from '../report/images-text.js';
import { safeJson } from '../terminal/neutralise.js';
import { projectOf } from './app-options.js';

/** `bake images` */
export const images: Command = async ({ args, io, outStyle: style, symbols }) => {
  const toolkit = await io.toolkit();
  const found = await toolkit.images({ project: projectOf(args, io.cwd), selectors: args.positionals });
  io.stdout.write(args.flag('json') ? `${safeJson({ images: found }, 2)}\n` : formatImages(found, { style, symbols, cwd: io.cwd, now: io.now() }));
  return exitCode.ok;
};
