import { safeJson, neutraliseLine } from '../terminal/neutralise.js';
import { pad, textWidth } from '../terminal/text-width.js';
import type { Command } from '../command.js';
import { exitCode } from '../exit-code.js';
import { amount } from '../report/plan-text.js';
import { showFindings } from '../report/show-findings.js';
import { appOptions } from './app-options.js';

/** `bake ls` */
export const ls: Command = async (context) => {
  const { args, io, outStyle: style } = context;
  const toolkit = await io.toolkit();
  const { plans, diagnostics } = await toolkit.synth(appOptions(args));
  const images = plans.map((plan) => ({
    image: plan.image,
    builds: plan.builds.map(({ id, name, platform }) => ({ id, name, platform, steps: plan.steps.filter((step) => step.build === id).length })),
  }));
  if (args.flag('json')) {
    io.stdout.write(`${safeJson({ images, diagnostics }, 2)}\n`);
    return exitCode.ok;
  }
  showFindings(diagnostics, context);
  const builds = images.flatMap((image) => image.builds);
  const width = (texts: readonly string[]) => Math.max(0, ...texts.map((text) => textWidth(neutraliseLine(text))));
  const widths = { id: width(builds.map((build) => build.id)), platform: width(builds.map((build) => build.platform)) };
  for (const image of images) {
    io.stdout.write(`${style.bold(neutraliseLine(image.image))}\n`);
    for (const build of image.builds) io.stdout.write(`  ${style.cyan(pad(neutraliseLine(build.id), widths.id))}  ${pad(neutraliseLine(build.platform), widths.platform)}  ${style.dim(amount(build.steps, 'step'))}\n`);
  }
  return exitCode.ok;
};
