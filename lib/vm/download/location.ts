import { fileURLToPath } from 'node:url';
import { BakeError } from '../../core/bake-error.js';
import { shownUrl } from './shown-url.js';

/** Where a file is: on a server, or on this computer (relative paths start at the project). */
export type Location =
  | { readonly type: 'http'; readonly url: URL; readonly name: string; readonly shown: string }
  | { readonly type: 'file'; readonly path: string; readonly name: string; readonly shown: string };

/**
 * Reads a URL (http, https, file) or a path.
 * @throws BakeError `InvalidUrl`
 */
export function parseLocation(text: string): Location {
  const scheme = /^([a-z][a-z0-9+.-]*):\/\//i.exec(text)?.[1]?.toLowerCase();
  if (text.trim() === '') throw invalidUrl('the URL is empty', 'give a URL or the path of a file');
  if (scheme === undefined) return local(text);
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url === undefined) throw invalidUrl(`"${shownUrl(text)}" is not a valid URL`, 'write it as in https://host/path/file.iso; what is special in a password must be percent-encoded');
  if (scheme === 'file') return local(pathOf(url));
  if (scheme !== 'http' && scheme !== 'https') throw invalidUrl(`bake cannot download from ${scheme}: URLs, such as "${shownUrl(text)}"`, 'give an http, https or file URL, or a path');
  return { type: 'http', url, name: nameOf(url.pathname) ?? url.hostname, shown: shownUrl(text) };
}

function local(path: string): Location {
  return { type: 'file', path, name: path.split(/[/\\]/).findLast((part) => part !== '') ?? path, shown: path };
}

function pathOf(url: URL): string {
  try {
    return fileURLToPath(url);
  } catch {
    throw invalidUrl(`"${url.href}" is not the URL of a file on this computer`, 'write three slashes, as in file:///srv/disk.img');
  }
}

function nameOf(pathname: string): string | undefined {
  const last = pathname.split('/').findLast((part) => part !== '');
  try {
    return last === undefined ? undefined : decodeURIComponent(last);
  } catch {
    return last; // a stray percent sign
  }
}

function invalidUrl(message: string, hint: string): BakeError {
  return new BakeError({ code: 'InvalidUrl', message, hint });
}
