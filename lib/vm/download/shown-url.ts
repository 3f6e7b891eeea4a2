/**
 * A URL as it may be shown and stored: without user and password, and without its query, where the tokens of signed URLs
 * stand. A path comes back as it is.
 */
export function shownUrl(text: string): string {
  if (!/^[a-z][a-z0-9+.-]*:\/\//i.test(text)) return text;
  const url = URL.canParse(text) ? new URL(text) : undefined;
  // A password with a slash in it ends the host too early, and only what stands before the last "@" is surely no secret.
  if (url === undefined || url.origin === 'null') return text.replace(/^([^/]*\/\/).*@/s, '$1').replace(/[?#].*$/s, '');
  return `${url.origin}${url.pathname}${url.search === '' ? '' : '?…'}`;
}
