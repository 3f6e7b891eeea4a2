/** A host as it stands in a URL: IPv6 addresses have brackets there (RFC 3986, 3.2.2). */
export function urlHost(host: string): string {
  return host.includes(':') && !host.startsWith('[') ? `[${host}]` : host;
}
