import { relative, sep } from 'node:path';
import { formatMilliseconds } from '../../core/duration.js';
import type { BuildSummary, Leftover } from '../../core/events.js';
import { formatBytes } from '../../core/size.js';
import type { RunReport } from '../../toolkit/toolkit-api.js';
import { neutraliseLine } from '../terminal/neutralise.js';
import type { Style } from '../terminal/style.js';
import type { Symbols } from '../terminal/symbols.js';
import { pad, textWidth } from '../terminal/text-width.js';
import { amount } from './plan-text.js';

export interface SummaryLook {
  readonly style: Style;
  readonly symbols: Symbols;
  readonly cwd: string;
}

/** What came of each build, with its artifacts: the result of a run. */
export function formatResults(builds: readonly BuildSummary[], look: SummaryLook): string {
  const { style, symbols } = look;
  const width = Math.max(0, ...builds.map((build) => textWidth(neutraliseLine(build.build))));
  const lines = builds.flatMap((build) => {
    const name = pad(neutraliseLine(build.build), width);
    const time = formatMilliseconds(build.milliseconds);
    const error = build.error === undefined ? '' : `  ${neutraliseLine(build.error.message)}`;
    if (build.status === 'succeeded') return [`${style.green(symbols.done)} ${style.bold(name)}  ${style.dim(build.upToDate ? 'up to date' : time)}`, ...artifactLines(build, look)];
    if (build.status === 'failed') return [`${style.red(symbols.failed)} ${style.bold(name)}  ${style.dim(time)}  ${style.red('failed')}`];
    return [`${style.yellow(symbols.skipped)} ${style.bold(name)}  ${style.yellow(build.status)}${style.dim(error)}`];
  });
  return lines.map((line) => `${line}\n`).join('');
}

function artifactLines({ artifacts }: BuildSummary, { style, cwd }: SummaryLook): readonly string[] {
  return artifacts.filter((artifact) => artifact.type !== 'none').flatMap((artifact) => {
    const single = artifact.files.length === 1 ? artifact.files[0] : undefined;
    const title = neutraliseLine(artifact.title).replaceAll(`${cwd}${sep}`, '');
    const facts = [...(artifact.type === 'files' ? [] : [neutraliseLine(artifact.type)]), ...(single === undefined ? [] : [formatBytes(single.size)])].join(', ');
    const files = artifact.files.map((file) => {
      const path = relative(cwd, file.path);
      const shown = neutraliseLine(path.startsWith('..') ? file.path : path);
      return single === undefined ? `      ${shown}  ${style.dim(formatBytes(file.size))}` : `      ${shown}`;
    });
    // A file's title is often its path: once is enough.
    const isSaid = single !== undefined && title.includes(files[0]!.trim());
    return [`    ${title}  ${style.dim(facts)}`.trimEnd(), ...(isSaid ? [] : files)];
  });
}

/** What is still there, and the command that removes it. */
export function formatLeftovers(leftovers: readonly Leftover[], command: string, { style, symbols }: SummaryLook): string {
  if (leftovers.length === 0) return '';
  const lines = leftovers.map(({ title, step, kind, reason }) => `    ${neutraliseLine(title)}  ${style.dim(`${neutraliseLine(kind)} of ${neutraliseLine(step)}`)}  ${neutraliseLine(reason)}`);
  return [`${style.yellow(`${symbols.warned} left behind:`)}`, ...lines, `  ${style.green(`${symbols.arrow} ${command}`)}`, ''].join('\n');
}

/** What goes on where, if there is anything to go on from. */
export function formatResumable(builds: readonly BuildSummary[], command: string, { style, symbols }: SummaryLook): string {
  const places = builds.flatMap(({ build, resumesAfter }) => (resumesAfter === undefined ? [] : [`after "${neutraliseLine(resumesAfter)}"${builds.length === 1 ? '' : ` of ${neutraliseLine(build)}`}`]));
  return places.length === 0 ? '' : `${style.green(`${symbols.arrow} ${command}`)} goes on ${places.join(', ')}\n`;
}

/** `2 of 3 builds done in 1m20s, 1 failed`. */
export function formatOutcome(report: RunReport, milliseconds: number, { style, symbols }: SummaryLook): string {
  const count = (status: BuildSummary['status']) => report.builds.filter((build) => build.status === status).length;
  const others = (['failed', 'cancelled', 'skipped'] as const).flatMap((status) => (count(status) === 0 ? [] : [`${count(status)} ${status}`]));
  const text = `${count('succeeded')} of ${amount(report.builds.length, 'build')} done in ${formatMilliseconds(milliseconds)}${others.length === 0 ? '' : `, ${others.join(', ')}`}`;
  const paint = report.status === 'succeeded' ? style.green : report.status === 'failed' ? style.red : style.yellow;
  return `${paint(`${report.status === 'succeeded' ? symbols.done : report.status === 'failed' ? symbols.failed : symbols.skipped} ${text}`)}\n`;
}
