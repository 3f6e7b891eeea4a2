import type { Json } from '../../core/json.js';
import { isAsset, isJoin, isRef, isSecret, type RefJson, type SecretJson } from '../../plan/late.js';
import type { BuildDiff, Change, ImageDiff, StepDiff, ValueChange } from '../../plan/diff.js';
import { neutraliseLine } from '../terminal/neutralise.js';
import type { Style } from '../terminal/style.js';
import { truncate } from '../terminal/text-width.js';
import { amount } from './plan-text.js';

const longestValue = 120;

/** Differences for people, in the manner of a unified diff. */
export function formatDiff(images: readonly ImageDiff[], style: Style): string {
  if (images.length === 0) return 'no differences\n';
  const blocks = images.map((image) => [
    painted(image.change, image.image, style, style.bold),
    ...image.values.flatMap((value) => valueLines(value, '  tags ', style)),
    ...image.builds.flatMap((build) => buildLines(build, style)),
  ].join('\n'));
  return `${[...blocks, countLine(images, style)].join('\n\n')}\n`;
}

function buildLines(build: BuildDiff, style: Style): readonly string[] {
  return [
    `  ${painted(build.change, build.build, style, style.cyan)}`,
    ...build.values.flatMap((value) => valueLines(value, '    ', style)),
    ...build.steps.flatMap((step) => stepLines(step, style)),
    ...build.moves.map((move) => `    ${style.magenta(`↕ ${neutraliseLine(move.title)}`)}  ${style.dim(move.after === undefined ? 'is first now' : `comes after ${neutraliseLine(move.after)} now`)}`),
  ];
}

function stepLines(step: StepDiff, style: Style): readonly string[] {
  const name = `${neutraliseLine(step.title)}  ${style.dim(neutraliseLine(step.step))}`;
  return [`    ${painted(step.change, name, style, (text) => text)}`, ...step.values.flatMap((value) => valueLines(value, '        ', style))];
}

function valueLines({ path, before, after }: ValueChange, indent: string, style: Style): readonly string[] {
  const label = neutraliseLine(path.replace(/[<>]/g, ''));
  return [
    ...(before === undefined ? [] : [`${indent}${style.red(`- ${label}: ${formatValue(before)}`)}`]),
    ...(after === undefined ? [] : [`${indent}${style.green(`+ ${label}: ${formatValue(after)}`)}`]),
  ];
}

/** A JSON value on one line; refs, secrets and assets as a person would name them. */
export function formatValue(value: Json): string {
  return truncate(neutraliseLine(plainValue(value)), longestValue);
}

function plainValue(value: Json): string {
  if (isRef(value) || isSecret(value)) return lateName(value);
  if (isJoin(value)) return value.$join.map((part) => (typeof part === 'string' ? part : lateName(part))).join('');
  if (isAsset(value)) return 'digest' in value.$asset ? `${value.$asset.type} ${value.$asset.name}, sha256 ${value.$asset.digest.slice(0, 12)}` : value.$asset.pending;
  return typeof value === 'string' ? value : JSON.stringify(value);
}

function lateName(late: RefJson | SecretJson): string {
  if ('$ref' in late) return `<${late.$ref}>`;
  const secret = late.$secret;
  return `<secret: ${'name' in secret ? `${secret.from} ${secret.name}` : 'path' in secret ? `file ${secret.path}` : 'literal'}>`;
}

function painted(change: Change, text: string, style: Style, paintChanged: (text: string) => string): string {
  if (change === 'added') return style.green(`+ ${text}`);
  if (change === 'removed') return style.red(`- ${text}`);
  return `${style.yellow('~')} ${paintChanged(text)}`;
}

function countLine(images: readonly ImageDiff[], style: Style): string {
  const steps = images.flatMap((image) => image.builds).flatMap((build) => build.steps);
  const moves = images.flatMap((image) => image.builds).flatMap((build) => build.moves);
  const count = (change: Change) => steps.filter((step) => step.change === change).length;
  const parts = [`${count('added')} added`, `${count('removed')} removed`, `${count('changed')} changed`, ...(moves.length === 0 ? [] : [`${moves.length} moved`])];
  return style.dim(`${amount(steps.length + moves.length, 'difference')} in steps: ${parts.join(', ')}`);
}
