import { sep } from 'node:path';
import { formatMilliseconds } from '../../core/duration.js';
import { formatBytes } from '../../core/size.js';
import type { BuiltImage } from '../../toolkit/toolkit-api.js';
import { neutraliseLine } from '../terminal/neutralise.js';
import type { Style } from '../terminal/style.js';
import type { Symbols } from '../terminal/symbols.js';
import { ago } from './prune-text.js';

export interface ImagesLook {
  readonly style: Style;
  readonly symbols: Symbols;
  readonly cwd: string;
  /** Milliseconds since the epoch. */
  readonly now: number;
}

/** What was built, newest first: what it is, and below it where it comes from. */
export function formatImages(images: readonly BuiltImage[], look: ImagesLook): string {
  if (images.length === 0) return 'nothing was built in this project yet\n';
  return `${images.map((image) => formatImage(image, look)).join('\n')}\n`;
}

function formatImage(built: BuiltImage, { style, symbols, cwd, now }: ImagesLook): string {
  const { build, platform, type, title, digest, id, size, at, milliseconds, holds, isLatest, parents, commit, fingerprint } = built;
  const shown = (text: string) => neutraliseLine(text).replaceAll(`${cwd}${sep}`, '');
  const sign = holds === undefined ? style.yellow('?') : holds ? style.green(symbols.done) : style.dim(symbols.failed);
  const state = holds === undefined ? style.yellow('not known whether it is there') : holds ? isLatest ? style.green('latest') : '' : style.dim('gone');
  const facts = [neutraliseLine(type), ...(size === undefined ? [] : [formatBytes(size)]), `built ${ago(now - at)} in ${formatMilliseconds(milliseconds)}`].join(', ');
  const from = parents.map((parent) => `${shown(parent.build ?? parent.id)}${parent.digest === undefined ? '' : `@${short(parent.digest)}`}`);
  const origin = [
    ...(from.length === 0 ? [] : [`from ${from.join(', ')}`]),
    ...(commit === undefined ? [] : [`commit ${commit.id.slice(0, 12)}${commit.isDirty ? ' with changes' : ''}`]),
    ...(digest === undefined || digest === id ? [] : [`digest ${short(digest)}`]),
    ...(fingerprint === undefined ? [] : [`fingerprint ${fingerprint.slice(0, 12)}`]),
  ];
  return [
    `${sign} ${style.bold(neutraliseLine(build))} ${style.dim(`on ${neutraliseLine(platform)}`)}${state === '' ? '' : `  ${state}`}`,
    `    ${shown(title)}  ${style.dim(facts)}`,
    ...(origin.length === 0 ? [] : [`    ${style.dim(origin.join(', '))}`]),
  ].join('\n');
}

function short(digest: string): string {
  return neutraliseLine(digest).replace(/^sha256:/, '').slice(0, 12);
}
