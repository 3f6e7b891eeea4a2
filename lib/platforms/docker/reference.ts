import { BakeError } from '../../core/bake-error.js';

/** An image's name, taken apart; the grammar is that of the distribution project's `reference` package. */
export interface ImageReference {
  /** `registry.example:5000`; absent for the daemon's default registry. */
  readonly registry?: string;
  /** Registry and path, without tag and digest. */
  readonly repository: string;
  readonly tag?: string;
  readonly digest?: string;
}

const component = '[a-z0-9]+(?:(?:\\.|_|__|-+)[a-z0-9]+)*';
const domain = '(?:[a-zA-Z0-9](?:[a-zA-Z0-9-]*[a-zA-Z0-9])?)(?:\\.(?:[a-zA-Z0-9](?:[a-zA-Z0-9-]*[a-zA-Z0-9])?))*|\\[[a-fA-F0-9:]+\\]';
const tag = '[\\w][\\w.-]{0,127}';
const digest = '[A-Za-z][A-Za-z0-9]*(?:[-_+.][A-Za-z][A-Za-z0-9]*)*:[0-9a-fA-F]{32,}';
const repositoryPattern = new RegExp(`^(?:((?:${domain})(?::[0-9]+)?)/)?(${component}(?:/${component})*)$`);
const referencePattern = new RegExp(`^(.+?)(?::(${tag}))?(?:@(${digest}))?$`);
const tagPattern = new RegExp(`^${tag}$`);
const idPattern = /^(?:sha256:)?[0-9a-f]{64}$/;
/** The distribution project's limit on the whole name. */
const longestRepository = 255;

/** Reads an image's name; undefined if it is none. */
export function tryParseReference(text: string): ImageReference | undefined {
  const [, name = '', tagName, digestName] = referencePattern.exec(text) ?? [];
  const [whole, first, rest] = repositoryPattern.exec(name) ?? [];
  if (whole === undefined || rest === undefined || name.length > longestRepository) return undefined;
  // The first component is a registry only if it looks like a host; else it is part of the path.
  const isHost = first !== undefined && (/[.:[]/.test(first) || first === 'localhost' || first !== first.toLowerCase());
  if (first !== undefined && !isHost && !new RegExp(`^${component}$`).test(first)) return undefined;
  return { ...(isHost ? { registry: first } : {}), repository: name, ...(tagName === undefined ? {} : { tag: tagName }), ...(digestName === undefined ? {} : { digest: digestName }) };
}

/** @throws BakeError `InvalidDockerReference` */
export function parseReference(text: string): ImageReference {
  const reference = tryParseReference(text);
  if (reference !== undefined) return reference;
  throw new BakeError({ code: 'InvalidDockerReference', message: `"${text}" is not the name of a Docker image`, hint: referenceHint });
}

/** The name with its tag, `latest` where it says none; what the daemon lists. */
export function withTag(text: string): string {
  const { repository, tag: tagName } = parseReference(text);
  return `${repository}:${tagName ?? 'latest'}`;
}

export const isImageId = (text: string): boolean => idPattern.test(text);
/** What a container can be started from: a name or an id. */
export const isBase = (text: string): boolean => isImageId(text) || tryParseReference(text) !== undefined;
/** What an image can be named: no digest. */
export const isTaggable = (text: string): boolean => !isImageId(text) && tryParseReference(text) !== undefined && tryParseReference(text)?.digest === undefined;
export const isRepository = (text: string): boolean => isTaggable(text) && tryParseReference(text)?.tag === undefined;
export const isTag = (text: string): boolean => tagPattern.test(text);

export const referenceHint = 'must be an image name such as "debian:12" or "registry.example:5000/team/web:1.0": lower-case letters, digits and single separators (. _ -) in the path';
export const tagHint = 'must be a tag: up to 128 letters, digits, _ . and -, not starting with . or -';
