/**
 * The one way to write a path that is served: `/preseed.cfg` for `preseed.cfg`, `/preseed.cfg` and `//preseed.cfg`; undefined
 * if it is none: it leads out, is empty, or has characters that no request can have.
 */
export function servedPath(path: string): string | undefined {
  const parts = path.split('/').filter((part) => part !== '' && part !== '.');
  if (parts.length === 0 || path.endsWith('/') || parts.includes('..') || /[\0-\u001f\\\u007f]/.test(path)) return undefined;
  return `/${parts.join('/')}`;
}
