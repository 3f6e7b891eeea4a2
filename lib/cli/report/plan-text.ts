import { formatMilliseconds } from '../../core/duration.js';
import { topologicalOrder } from '../../plan/graph.js';
import type { Plan, PlanBuild, PlanStep, StepPolicy } from '../../plan/plan.js';
import type { BuildForecast, StepForecast } from '../../toolkit/toolkit-api.js';
import { neutraliseLine } from '../terminal/neutralise.js';
import type { Style } from '../terminal/style.js';
import { pad, textWidth, truncate } from '../terminal/text-width.js';
import { formatLocation, type SourceRoots } from './code-frame.js';
import { fateText } from './forecast-text.js';

const widestTitle = 60;

export interface PlanLook {
  readonly style: Style;
  readonly roots: Pick<SourceRoots, 'project' | 'cwd'>;
  /** What a run would do. @default - that is not told */
  readonly forecast?: readonly BuildForecast[];
}

/** Plans for people: images, builds, numbered steps with their lines, what is temporary and what stays. */
export function formatPlans(plans: readonly Plan[], look: PlanLook): string {
  const owners = new Map(plans.flatMap((plan) => plan.steps.map((step) => [step.id, step.build] as const)));
  const blocks = plans.map((plan) => formatPlan(plan, owners, look));
  const builds = plans.reduce((sum, plan) => sum + plan.builds.length, 0);
  const steps = plans.reduce((sum, plan) => sum + plan.steps.length, 0);
  const expected = (look.forecast ?? []).reduce((sum, { milliseconds }) => sum + milliseconds, 0);
  const sum = `${amount(plans.length, 'image')}, ${amount(builds, 'build')}, ${amount(steps, 'step')}${expected === 0 ? '' : `, about ${formatMilliseconds(expected)} of work`}`;
  return `${[...blocks, look.style.dim(sum)].join('\n\n')}\n`;
}

/** `1 image`, `3 builds`. */
export function amount(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? '' : 's'}`;
}

function formatPlan(plan: Plan, owners: ReadonlyMap<string, string>, look: PlanLook): string {
  const { style } = look;
  const tags = Object.entries(plan.tags).map(([key, value]) => neutraliseLine(`${key}=${value}`));
  const title = `${style.bold(neutraliseLine(plan.image))}${tags.length === 0 ? '' : `  ${style.dim(tags.join(' '))}`}`;
  const ordered = topologicalOrder(plan.steps);
  return [title, ...plan.builds.map((build) => formatBuild(build, ordered.filter((step) => step.build === build.id), owners, look))].join('\n');
}

function formatBuild(build: PlanBuild, steps: readonly PlanStep[], owners: ReadonlyMap<string, string>, { style, roots, forecast = [] }: PlanLook): string {
  const expected = forecast.find((one) => one.build === build.id);
  const fates = new Map(expected?.upToDate === true ? [] : expected?.steps.map((step) => [step.step, step]));
  const numbered = steps.filter((step) => step.role !== 'error-cleanup');
  const rows = steps.map((step) => ({
    number: step.role === 'error-cleanup' ? '!' : String(numbered.indexOf(step) + 1),
    title: truncate(neutraliseLine(step.title), widestTitle),
    place: step.source === undefined ? '' : formatLocation({ file: step.source.file, line: step.source.line }, roots),
    marks: [...fateMarks(fates.get(step.id), style), ...marksOf(step, build, owners, style)],
  }));
  const widths = {
    number: Math.max(2, ...rows.map((row) => row.number.length)),
    title: Math.max(0, ...rows.map((row) => textWidth(row.title))),
    place: Math.max(0, ...rows.map((row) => textWidth(row.place))),
  };
  const lines = rows.map((row) => `    ${style.dim(row.number.padStart(widths.number))}  ${pad(row.title, widths.title)}  ${style.dim(pad(row.place, widths.place))}  ${row.marks.join(style.dim(', '))}`.trimEnd());
  const platform = build.name.toLowerCase() === build.platform ? '' : `  ${style.dim(neutraliseLine(build.platform))}`;
  return [`  ${style.cyan(neutraliseLine(build.name))}${platform}${expected === undefined ? '' : expectation(expected, style)}`, ...lines].join('\n');
}

function expectation({ upToDate, milliseconds }: BuildForecast, style: Style): string {
  if (upToDate) return `  ${style.green('up to date')}`;
  return milliseconds === 0 ? '' : style.dim(`  about ${formatMilliseconds(milliseconds)}`);
}

function fateMarks(step: StepForecast | undefined, style: Style): readonly string[] {
  if (step === undefined) return [];
  const { fate, time } = fateText(step, style);
  return [step.will === 'run' ? `${style.cyan('runs')}${fate === '' ? '' : `${style.dim(':')} ${fate}`}${time}` : fate];
}

function marksOf(step: PlanStep, build: PlanBuild, owners: ReadonlyMap<string, string>, style: Style): readonly string[] {
  const others = new Set(step.needs.map((need) => owners.get(need)).filter((owner) => owner !== undefined && owner !== build.id));
  return [
    ...[...others].map((owner) => style.magenta(`from ${neutraliseLine(owner!)}`)),
    ...(step.role === 'error-cleanup' ? [style.yellow('only if the build fails')] : []),
    ...(step.lifetime === 'run' ? [style.dim(withNoun('temporary', step))] : []),
    ...(step.lifetime === 'artifact' ? [style.green(withNoun('stays', step))] : []),
    ...policyMarks(step.policy ?? {}).map((mark) => style.dim(mark)),
  ];
}

/** `temporary: container`. A plan of another version may have no nouns: there the kind's own word says what it is. */
function withNoun(mark: string, { noun, kind }: PlanStep): string {
  const word = neutraliseLine(noun ?? kind.slice(kind.lastIndexOf('.') + 1));
  return word.startsWith(`${mark} `) ? word : `${mark}: ${word}`;
}

function policyMarks({ pauseBefore, timeout, retries, continueOnError, cache, cacheFor }: StepPolicy): readonly string[] {
  return [
    ...(pauseBefore === undefined ? [] : [`after ${formatMilliseconds(pauseBefore)}`]),
    ...(timeout === undefined ? [] : [`at most ${formatMilliseconds(timeout)}`]),
    ...(retries === undefined || retries === 0 ? [] : [retries === 1 ? '1 retry' : `${retries} retries`]),
    ...(continueOnError ? ['may fail'] : []),
    ...(cache === false ? ['each time'] : []),
    ...(cacheFor === undefined ? [] : [`again after ${formatMilliseconds(cacheFor)}`]),
  ];
}
