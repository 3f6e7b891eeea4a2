import { formatMilliseconds } from '../../core/duration.js';
import type { Json } from '../../core/json.js';
import type { BuildForecast, Reason, StepForecast } from '../../toolkit/toolkit-api.js';
import type { ValueChange } from '../../plan/diff.js';
import { neutraliseLine } from '../terminal/neutralise.js';
import type { Style } from '../terminal/style.js';
import type { Symbols } from '../terminal/symbols.js';

export interface ForecastLook {
  readonly style: Style;
  readonly symbols: Symbols;
}

/** What a run would do with each build, why, and how long it took last time. */
export function formatForecast(builds: readonly BuildForecast[], { style, symbols }: ForecastLook): string {
  const lines = builds.flatMap(({ build, platform, upToDate, steps, milliseconds }) => [
    `${style.bold(neutraliseLine(build))} ${style.dim(`on ${neutraliseLine(platform)}`)}${upToDate ? `  ${style.green('up to date')}` : expected(milliseconds, style)}`,
    ...(upToDate ? [] : steps.map((step) => `  ${stepLine(step, { style, symbols })}`)),
  ]);
  return `${lines.join('\n')}\n`;
}

function expected(milliseconds: number, style: Style): string {
  return milliseconds === 0 ? '' : style.dim(`  about ${formatMilliseconds(milliseconds)}`);
}

function stepLine(step: StepForecast, { style, symbols }: ForecastLook): string {
  const mark = { cached: style.dim(symbols.done), restored: symbols.arrow, run: style.cyan(symbols.started) }[step.will];
  const { fate, time } = fateText(step, style);
  return `${mark} ${neutraliseLine(step.name)} ${style.dim(neutraliseLine(step.title))}${fate === '' ? '' : `${style.dim(':')} ${fate}`}${time}`;
}

/** `cached`, or why it is carried out, and what it took last time. */
export function fateText({ will, why, milliseconds }: StepForecast, style: Style): { readonly fate: string; readonly time: string } {
  if (will === 'cached') return { fate: style.dim('cached'), time: '' };
  if (will === 'restored') return { fate: style.dim('brought back from a checkpoint'), time: '' };
  return { fate: why === undefined ? '' : style.yellow(reasonText(why)), time: milliseconds === undefined || milliseconds === 0 ? '' : style.dim(` (${formatMilliseconds(milliseconds)} last time)`) };
}

/** `install.sh changed`. */
export function reasonText(why: Reason): string {
  switch (why.type) {
    case 'new': return 'new';
    case 'changed': return why.changes.length === 0 ? 'changed' : [...new Set(why.changes.map(changeText))].slice(0, 3).join(', ') + (why.changes.length > 3 ? ', …' : '');
    case 'follows': return `follows ${neutraliseLine(why.name)}`;
    case 'always': return neutraliseLine(why.reason);
    case 'asked': return 'asked for';
    case 'gone': return 'what it left is not there any more';
  }
}

function changeText({ path, before, after }: ValueChange): string {
  const name = neutraliseLine(path.replace(/^spec\.?/, '') || 'its props');
  const asset = nameOfAsset(before) ?? nameOfAsset(after);
  if (asset !== undefined) return `${asset} changed`;
  if (/^files\b/.test(path)) return 'a file that it reads changed';
  if (path === 'version') return 'bake does it in another way now';
  if (/(^|\.)(secret|asset)$/.test(path)) return `${name.replace(/\.(secret|asset)$/, '')} changed`;
  if (before === undefined) return `${name} is new`;
  if (after === undefined) return `${name} is gone`;
  return typeof before === 'object' || typeof after === 'object' ? `${name} changed` : `${name} was ${short(before)}, is ${short(after)}`;
}

function nameOfAsset(value: Json | undefined): string | undefined {
  if (typeof value !== 'object' || value === null || !('asset' in value) || !('name' in value)) return undefined;
  return neutraliseLine(String(value.name));
}

function short(value: Json): string {
  const text = neutraliseLine(JSON.stringify(value));
  return text.length > 40 ? `${text.slice(0, 37)}…` : text;
}
