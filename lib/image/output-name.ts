import type { IConstruct } from 'constructs';
import { BakeError } from '../core/bake-error.js';
import { Image } from './image.js';
import { LateText, type TextInput } from './ref.js';

/** What an output path may say in braces, known at synth. */
const tokens = ['image', 'build', 'platform'] as const;

/**
 * Fills in the tokens of an output path: `{image}` (path of the image, slashes as dashes), `{build}` (id of the source) and
 * `{platform}`. Values are made fit for a file name, so that an id never adds a folder to the path. Refs and secrets in a
 * late text stay as they are.
 * @param kept further tokens, which the handler fills in
 * @throws BakeError `InvalidProp` for any other token
 */
export function outputName(output: TextInput, owner: IConstruct, build: { readonly buildName: string; readonly platform: string }, kept: readonly string[] = []): TextInput {
  const values: Record<(typeof tokens)[number], string> = { image: imagePath(owner), build: build.buildName, platform: build.platform };
  const fill = (text: string) => text.replace(/\{(\w*)\}/g, (whole, token: string) => {
    if (kept.includes(token)) return whole;
    if (Object.hasOwn(values, token)) return fileName(values[token as 'image']);
    const known = [...tokens, ...kept].map((name) => `{${name}}`).join(', ');
    throw new BakeError({ code: 'InvalidProp', message: `"output" has ${whole} in it, which means nothing`, hint: `it may have ${known}` });
  });
  if (typeof output === 'string') return fill(output);
  if (output instanceof LateText) return new LateText(output.parts.map((part) => (typeof part === 'string' ? fill(part) : part)));
  return output;
}

function imagePath(owner: IConstruct): string {
  const image = [...owner.node.scopes].reverse().find((scope) => Image.isImage(scope)) ?? owner.node.root;
  return image.node.path;
}

/** One part of a path, without separators, leading dots and what a shell or a file system treats specially. */
function fileName(text: string): string {
  return text.replace(/[^\p{L}\p{N}._-]+/gu, '-').replace(/^[.-]+/, '') || '-';
}
