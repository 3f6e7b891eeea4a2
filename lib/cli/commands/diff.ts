import { rm } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { diffPlans } from '../../plan/diff.js';
import type { Command } from '../command.js';
import { exitCode } from '../exit-code.js';
import { formatDiff } from '../report/diff-text.js';
import { showFindings } from '../report/show-findings.js';
import { safeJson } from '../terminal/neutralise.js';
import { appOptions, projectOf } from './app-options.js';
import { readPlans } from './read-plans.js';

/** `bake diff` */
export const diff: Command = async (context) => {
  const { args, io } = context;
  const project = projectOf(args, io.cwd);
  const [given] = args.positionals;
  const before = await readPlans(given === undefined ? join(project, 'bake.out') : resolve(io.cwd, given));
  // Beside bake.out, which stays what it is: the plan that the next diff compares with.
  const outDir = join(project, '.bake', `diff-${process.pid}`);
  try {
    const toolkit = await io.toolkit();
    const { plans, diagnostics } = await toolkit.synth({ ...appOptions(args), outDir });
    const images = diffPlans(before, plans);
    if (args.flag('json')) {
      io.stdout.write(`${safeJson({ images, diagnostics }, 2)}\n`);
    } else {
      showFindings(diagnostics, context);
      io.stdout.write(formatDiff(images, context.outStyle));
    }
    return images.length === 0 ? exitCode.ok : exitCode.different;
  } finally {
    await rm(outDir, { recursive: true, force: true });
  }
};
