import { relative } from 'node:path';
import { formatMilliseconds } from '../../core/duration.js';
import type { BakeEvent } from '../../core/events.js';
import { formatBytes } from '../../core/size.js';
import { neutralise } from '../terminal/neutralise.js';
import type { Style } from '../terminal/style.js';
import type { Symbols } from '../terminal/symbols.js';
import { pad, textWidth } from '../terminal/text-width.js';

const widestPrefix = 40;
const prefixColors = ['cyan', 'magenta', 'blue', 'yellow', 'green'] as const;

/**
 * Events as lines with the build in front. Whatever a machine prints is indented and has no control characters, so that
 * it cannot pass for a line of ours.
 */
export class PlainLines {
  readonly #style: Style;
  readonly #symbols: Symbols;
  readonly #cwd: string;
  readonly #builds = new Map<string, { readonly steps: number; readonly started: Set<string> }>();
  #width = 4;

  /** Paths below `cwd` are shown relative to it. */
  constructor({ style, symbols, cwd }: { readonly style: Style; readonly symbols: Symbols; readonly cwd: string }) {
    this.#style = style;
    this.#symbols = symbols;
    this.#cwd = cwd;
  }

  of(event: BakeEvent): readonly string[] {
    const style = this.#style;
    const { done, failed, warned, skipped, started, removing, arrow } = this.#symbols;
    switch (event.type) {
      case 'run.started':
        for (const { id, steps } of event.builds) this.#builds.set(id, { steps, started: new Set() });
        this.#width = Math.min(widestPrefix, Math.max(4, ...event.builds.map(({ id }) => textWidth(neutralise(id)))));
        return this.#lines('', style.bold(`run ${neutralise(event.run)}`), style.dim(`  ${event.builds.length} build${event.builds.length === 1 ? '' : 's'}, log ${neutralise(this.#shortened(event.log))}`));
      case 'run.cancelling':
        return this.#lines('', style.yellow(`${warned} ${neutralise(event.reason)}: stopping and removing what was made; a second Ctrl-C leaves at once`));
      case 'run.finished':
        return [];
      case 'build.started':
        return this.#lines(event.build, style.bold('started'), style.dim(` on ${neutralise(event.platform)}`));
      case 'build.resumed':
        return this.#lines(event.build, style.dim(`goes on after ${neutralise(event.after)}`));
      case 'build.waiting':
        return this.#lines(event.build, style.dim(`waits for ${neutralise(event.by)}${event.process === undefined ? '' : ` of run ${neutralise(event.run)} (process ${event.process})`}, which does the same up to ${neutralise(event.until)}`));
      case 'build.finished': {
        const time = style.dim(` after ${formatMilliseconds(event.milliseconds)}`);
        if (event.status === 'succeeded') return this.#lines(event.build, style.green(style.bold(`${done} ${event.upToDate ? 'up to date' : 'done'}`)), event.upToDate ? '' : time);
        if (event.status === 'failed') return this.#lines(event.build, style.red(style.bold(`${failed} failed`)), time, event.error === undefined ? '' : `: ${neutralise(event.error.message)}`);
        return this.#lines(event.build, style.yellow(`${skipped} ${event.status}`), event.error === undefined ? '' : style.dim(`: ${neutralise(event.error.message)}`));
      }
      case 'step.started':
        return this.#lines(event.build, style.dim(`${started} ${this.#position(event)}`), neutralise(event.title), event.attempt > 1 ? style.dim(` (attempt ${event.attempt})`) : '');
      case 'step.output':
        return this.#lines(event.build, event.stream === 'info' ? style.dim(`  ${neutralise(event.line)}`) : `  ${neutralise(event.line)}`);
      case 'step.progress':
        return [];
      case 'step.warned':
        return this.#lines(event.build, style.yellow(`${warned} ${neutralise(event.title)}: ${neutralise(event.message)}`), event.hint === undefined ? '' : style.dim(` ${arrow} ${neutralise(event.hint)}`));
      case 'step.retried':
        return this.#lines(event.build, style.yellow(`${warned} ${neutralise(event.title)} failed: ${neutralise(event.error.message)}`), style.dim(` ${arrow} again in ${formatMilliseconds(event.delay)}`));
      case 'machine.lost':
        for (const step of [event.step, ...event.again]) this.#builds.get(event.build ?? '')?.started.delete(step);
        return this.#lines(event.build, style.yellow(`${warned} ${neutralise(event.title)} was lost: ${neutralise(event.reason)}`), style.dim(` ${arrow} another one takes its place, and what was done on it is done again`));
      case 'step.succeeded':
        return this.#lines(event.build, style.green(`${done} ${neutralise(event.title)}`), style.dim(` ${formatMilliseconds(event.milliseconds)}`));
      case 'step.failed':
        return event.continued
          ? this.#lines(event.build, style.yellow(`${warned} ${neutralise(event.title)} failed, and the build goes on: ${neutralise(event.error.message)}`))
          : this.#lines(event.build, style.red(`${failed} ${neutralise(event.title)}: ${neutralise(event.error.message)}`));
      case 'step.cached':
        return this.#lines(event.build, style.dim(`${done} ${neutralise(event.title)}: cached`));
      case 'checkpoint.saved':
        return [];
      case 'step.skipped':
        return this.#lines(event.build, style.dim(`${skipped} ${neutralise(event.title)}: ${neutralise(event.reason)}`));
      case 'release.started':
        return this.#lines(event.build, style.dim(`${removing} removing: ${neutralise(event.title)}`));
      case 'release.succeeded':
        return this.#lines(event.build, style.dim(`${done} removed: ${neutralise(event.title)} ${formatMilliseconds(event.milliseconds)}`));
      case 'release.failed':
        return this.#lines(event.build, style.red(`${failed} could not remove: ${neutralise(event.title)}: ${neutralise(event.error.message)}`));
    }
  }

  /** A line of ours about a build. */
  note(build: string | undefined, text: string): readonly string[] {
    return this.#lines(build, this.#style.dim(neutralise(text)));
  }

  #lines(build: string | undefined, ...parts: readonly string[]): readonly string[] {
    const name = build === undefined || build === '' ? 'bake' : neutralise(build).replaceAll('\n', ' ');
    const style = this.#style;
    const paint = build === undefined || build === '' ? style.bold : style[prefixColors[hash(name) % prefixColors.length]!];
    const prefix = `${paint(pad(name, this.#width))} ${style.dim(this.#symbols.bar)} `;
    return parts.join('').split('\n').map((line, index) => `${prefix}${index === 0 ? '' : '  '}${line}`.trimEnd());
  }

  #shortened(path: string): string {
    const near = relative(this.#cwd, path);
    return near.startsWith('..') ? path : near;
  }

  #position({ build, step }: { readonly build?: string; readonly step: string }): string {
    const known = this.#builds.get(build ?? '');
    if (known === undefined) return '';
    known.started.add(step);
    return `${known.started.size}/${known.steps} `;
  }
}

/** `web:latest  180 MiB`: what a build made, on one line. */
export function artifactText(artifact: { readonly title: string; readonly files: readonly { readonly size: number }[] }): string {
  const size = artifact.files.reduce((sum, file) => sum + file.size, 0);
  return `${neutralise(artifact.title).replaceAll('\n', ' ')}${artifact.files.length === 0 ? '' : `  ${formatBytes(size)}`}`;
}

function hash(text: string): number {
  let sum = 0;
  for (const char of text) sum = (sum * 31 + char.codePointAt(0)!) % 65_521;
  return sum;
}
