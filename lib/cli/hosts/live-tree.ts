import { formatMilliseconds } from '../../core/duration.js';
import { neutraliseLine } from '../terminal/neutralise.js';
import type { Style } from '../terminal/style.js';
import { type Segment, styledLine } from '../terminal/styled-line.js';
import type { Symbols } from '../terminal/symbols.js';
import { artifactText } from './plain-lines.js';
import { formatProgress, fractionOf, progressBar } from './progress-text.js';
import type { BuildView, RunView, StepView } from './run-view.js';

const spinnerTime = 80;
const barWidth = 20;

export interface TreeLook {
  readonly columns: number;
  /** Lines to be had. */
  readonly height: number;
  /** Milliseconds since the epoch. */
  readonly now: number;
  readonly style: Style;
  readonly symbols: Symbols;
}

/** How much is shown: the most detailed tree that fits is taken. */
interface Detail {
  readonly endedSteps: boolean;
  readonly lines: number;
  readonly transfers: number;
  readonly endedBuilds: boolean;
  readonly waitingBuilds: boolean;
}

const details: readonly Detail[] = [
  { endedSteps: true, lines: 3, transfers: 4, endedBuilds: true, waitingBuilds: true },
  { endedSteps: true, lines: 1, transfers: 3, endedBuilds: true, waitingBuilds: true },
  { endedSteps: false, lines: 1, transfers: 2, endedBuilds: true, waitingBuilds: true },
  { endedSteps: false, lines: 1, transfers: 1, endedBuilds: true, waitingBuilds: false },
  { endedSteps: false, lines: 1, transfers: 1, endedBuilds: false, waitingBuilds: false },
];

/** A run as a tree of images, builds and steps that fits the terminal; with too many builds, the busy ones and a count of the rest. */
export function renderTree(view: RunView, look: TreeLook): readonly string[] {
  const header = headerLine(view, look);
  const busy = [...view.builds.values()].filter(isBusy).length;
  for (const detail of busy < look.height ? details : []) {
    const lines = [header, ...treeLines(view, detail, look)];
    if (lines.length <= look.height) return lines;
  }
  return [header, ...compactLines(view, look)].slice(0, look.height);
}

function headerLine(view: RunView, look: TreeLook): string {
  const { style, symbols, now } = look;
  const builds = [...view.builds.values()].filter((build) => build.id !== '');
  const count = (status: BuildView['status']) => builds.filter((build) => build.status === status).length;
  const parts: Segment[] = [[`${spinner(now, symbols)} `, style.cyan]];
  if (view.isCancelling) parts.push([`stopping, removing what was made; Ctrl-C again leaves at once`, style.yellow]);
  else parts.push([view.run === '' ? 'starting' : `run ${neutraliseLine(view.run)}`, style.bold]);
  const numbers: readonly (readonly [number, string, (text: string) => string])[] = [
    [count('running'), 'running', style.cyan], [count('waiting'), 'waiting', style.dim], [count('succeeded'), 'done', style.green],
    [count('failed'), 'failed', style.red], [count('cancelled') + count('skipped'), 'not built', style.yellow],
  ];
  for (const [number, word, paint] of numbers) if (number > 0) parts.push('  ', [`${number} ${word}`, paint]);
  if (view.startedAt !== undefined) parts.push('  ', [elapsed(now - view.startedAt), style.dim]);
  return styledLine(parts, look.columns);
}

function treeLines(view: RunView, detail: Detail, look: TreeLook): readonly string[] {
  const { style, symbols, columns } = look;
  const images = new Map<string, BuildView[]>();
  for (const build of view.builds.values()) {
    const image = build.id.includes('/') ? build.id.slice(0, build.id.lastIndexOf('/')) : '';
    images.set(image, [...(images.get(image) ?? []), build]);
  }
  return [...images].flatMap(([image, builds]) => {
    const isShown = (build: BuildView) => isBusy(build) || build.status === 'failed' || (build.status === 'waiting' ? detail.waitingBuilds : detail.endedBuilds);
    const shown = builds.filter(isShown);
    const hidden = builds.filter((build) => !isShown(build));
    const blocks = shown.map((build) => buildBlock(build, detail, look));
    if (hidden.length > 0) blocks.push([[[hiddenText(hidden), style.dim]]]);
    const lines = blocks.flatMap((block, index) => {
      const isLast = index === blocks.length - 1;
      return block.map((segments, row): string => styledLine([[row === 0 ? `${isLast ? symbols.lastBranch : symbols.branch} ` : `${isLast ? ' ' : symbols.bar}  `, style.dim], ...segments], columns));
    });
    return image === '' ? lines : [styledLine([[neutraliseLine(image), style.bold]], columns), ...lines];
  });
}

/** Still at work, be it only at removing. */
function isBusy(build: BuildView): boolean {
  return build.status === 'running' || [...build.steps.values()].some((step) => step.status === 'removing');
}

function hiddenText(builds: readonly BuildView[]): string {
  const waiting = builds.filter((build) => build.status === 'waiting').length;
  const ended = builds.length - waiting;
  return [...(ended === 0 ? [] : [`${ended} ended`]), ...(waiting === 0 ? [] : [`${waiting} waiting`])].join(', ');
}

function buildBlock(build: BuildView, detail: Detail, look: TreeLook): readonly (readonly Segment[])[] {
  const steps = [...build.steps.values()];
  const isRunning = build.status === 'running';
  const shown = steps.filter((step) => isActive(step) || step.status === 'stuck' || (isRunning && (step.status === 'failed' || step.status === 'continued' || (detail.endedSteps && step.status === 'succeeded'))));
  return [buildLine(build, look), ...shown.flatMap((step) => stepLines(step, detail, look).map((segments): readonly Segment[] => ['  ', ...segments]))];
}

function buildLine(build: BuildView, { now, style, symbols }: TreeLook): readonly Segment[] {
  const name = neutraliseLine(build.id.slice(build.id.lastIndexOf('/') + 1)) || 'bake';
  const time: Segment = [`  ${elapsed(build.status === 'running' ? now - build.startedAt : build.milliseconds)}`, style.dim];
  switch (build.status) {
    case 'waiting':
      return [[`${symbols.waiting} ${name}`, style.dim]];
    case 'running':
      return [[`${spinner(now, symbols)} `, style.cyan], [name, style.bold], [build.total === 0 ? '' : `  ${build.done}/${build.total}`, style.dim], time];
    case 'succeeded':
      return [[`${symbols.done} `, style.green], name, time, [build.artifacts.map((artifact) => `  ${artifactText(artifact)}`).join(''), style.dim]];
    case 'failed':
      return [[`${symbols.failed} `, style.red], name, time, build.error === undefined ? '' : [`  ${neutraliseLine(build.error.message)}`, style.red]];
    default:
      return [[`${symbols.skipped} ${name}  ${build.status}`, style.yellow]];
  }
}

function isActive(step: StepView): boolean {
  return step.status === 'running' || step.status === 'retrying' || step.status === 'removing';
}

function stepLines(step: StepView, detail: Detail, look: TreeLook): readonly (readonly Segment[])[] {
  const { style, symbols } = look;
  if (!isActive(step)) return [endedStepLine(step, look)];
  const transfers = [...step.progress.values()].filter((progress) => fractionOf(progress) !== 1);
  const lines: (readonly Segment[])[] = [activeStepLine(step, transfers.length === 1, look)];
  if (transfers.length > 1) {
    for (const progress of transfers.slice(0, detail.transfers)) lines.push(['  ', ...progressSegments(progress, look), ['  ' + neutraliseLine(progress.label), style.dim]]);
    if (transfers.length > detail.transfers) lines.push(['  ', [`and ${transfers.length - detail.transfers} more`, style.dim]]);
  }
  if (step.status === 'retrying' && step.note !== undefined) lines.push(['  ', [neutraliseLine(step.note), style.yellow]]);
  for (const line of detail.lines === 0 ? [] : step.lines.slice(-detail.lines)) lines.push([[`${symbols.bar} `, style.dim], [neutraliseLine(line), style.dim]]);
  return lines;
}

function activeStepLine(step: StepView, hasOneTransfer: boolean, look: TreeLook): readonly Segment[] {
  const { now, style, symbols } = look;
  const [progress] = [...step.progress.values()].filter((one) => fractionOf(one) !== 1);
  const title = step.status === 'removing' ? `removing: ${neutraliseLine(step.title)}` : neutraliseLine(step.title);
  return [
    [`${spinner(now, symbols)} `, step.status === 'running' ? style.cyan : style.yellow], title, [`  ${elapsed(now - step.startedAt)}`, style.dim],
    ...(step.attempt > 1 || step.status === 'retrying' ? [[`  attempt ${step.attempt}${step.status === 'retrying' ? ' failed, trying again' : ''}`, style.yellow] as const] : []),
    ...(hasOneTransfer && progress !== undefined ? ['  ', ...progressSegments(progress, look)] : []),
  ];
}

function endedStepLine(step: StepView, { style, symbols }: TreeLook): readonly Segment[] {
  const title = neutraliseLine(step.title);
  if (step.status === 'succeeded') return [[`${symbols.done} ${title}  ${formatMilliseconds(step.milliseconds)}`, style.dim]];
  const what = step.status === 'stuck' ? 'could not be removed: ' : '';
  return [[`${step.status === 'continued' ? symbols.warned : symbols.failed} ${title}  ${what}${neutraliseLine(step.note ?? '')}`, step.status === 'continued' ? style.yellow : style.red]];
}

function progressSegments(progress: Parameters<typeof formatProgress>[0], { style, symbols }: TreeLook): readonly Segment[] {
  const fraction = fractionOf(progress);
  if (fraction === undefined) return [formatProgress(progress)];
  const [full, empty] = progressBar(fraction, barWidth, symbols);
  const [percent = '', ...rest] = formatProgress(progress).split('  ');
  return [[full, style.green], [empty, style.dim], ` ${percent.padStart(4)}  ${rest.join('  ')}`];
}

/** One line for each build that is busy or has failed, and how many more there are. */
function compactLines(view: RunView, look: TreeLook): readonly string[] {
  const { style, columns, height, now, symbols } = look;
  const builds = [...view.builds.values()];
  const shown = [...builds.filter((build) => build.status === 'failed'), ...builds.filter((build) => build.status !== 'failed' && isBusy(build))];
  const room = Math.max(0, height - 2);
  const lines = shown.slice(0, room).map((build) => {
    const name = neutraliseLine(build.id);
    if (build.status === 'failed') return styledLine([[`${symbols.failed} ${name}`, style.red], [`  ${neutraliseLine(build.error?.message ?? '')}`, style.dim]], columns);
    const step = [...build.steps.values()].find(isActive);
    const transfer = step === undefined ? undefined : [...step.progress.values()].find((progress) => fractionOf(progress) !== 1);
    const detail = transfer === undefined ? step?.lines.at(-1) ?? '' : formatProgress(transfer);
    return styledLine([
      [`${spinner(now, symbols)} `, style.cyan], name, [build.total === 0 ? '' : `  ${build.done}/${build.total}`, style.dim],
      step === undefined ? '' : `  ${step.status === 'removing' ? 'removing: ' : ''}${neutraliseLine(step.title)}`, [step === undefined ? '' : `  ${elapsed(now - step.startedAt)}`, style.dim], [`  ${neutraliseLine(detail)}`, style.dim],
    ], columns);
  });
  const rest = shown.length - lines.length;
  return rest > 0 ? [...lines, styledLine([[`… and ${rest} more`, style.dim]], columns)] : lines;
}

function spinner(now: number, { spinner: frames }: Symbols): string {
  return frames[Math.floor(now / spinnerTime) % frames.length]!;
}

/** Whole seconds, so that the picture does not tremble. */
function elapsed(milliseconds: number): string {
  return formatMilliseconds(Math.max(0, Math.floor(milliseconds / 1_000)) * 1_000).replace(/^0ms$/, '0s');
}
