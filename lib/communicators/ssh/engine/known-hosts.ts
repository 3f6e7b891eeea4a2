import { createHmac } from 'node:crypto';

export interface KnownKey {
  /** The key itself, base64. */
  readonly key: string;
  readonly revoked: boolean;
}

/** The name under which known_hosts files list a server: `host`, or `[host]:port` off port 22. */
export function knownHostName(host: string, port: number): string {
  return port === 22 ? host : `[${host}]:${port}`;
}

/**
 * The keys that a known_hosts text has for a server, as sshd(8) describes the format. Lines that cannot be read, and
 * certificate authorities, are passed over, as ssh does.
 */
export function knownKeys(text: string, host: string, port: number): readonly KnownKey[] {
  const name = knownHostName(host.toLowerCase(), port);
  return text.split(/\r?\n/).flatMap((line): KnownKey[] => {
    const words = line.trim().split(/\s+/);
    const marker = words[0]?.startsWith('@') ? words.shift() : undefined;
    const [hosts = '', , key] = words;
    if (hosts.startsWith('#') || key === undefined || (marker !== undefined && marker !== '@revoked')) return [];
    return matchesHosts(hosts, name) ? [{ key, revoked: marker === '@revoked' }] : [];
  });
}

function matchesHosts(patterns: string, name: string): boolean {
  if (patterns.startsWith('|1|')) return matchesHash(patterns, name);
  let matches = false;
  for (const pattern of patterns.toLowerCase().split(',')) {
    if (pattern.startsWith('!') ? matchesPattern(pattern.slice(1), name) : false) return false;
    if (matchesPattern(pattern, name)) matches = true;
  }
  return matches;
}

function matchesHash(hashed: string, name: string): boolean {
  const [, , salt = '', hash = ''] = hashed.split('|');
  return createHmac('sha1', Buffer.from(salt, 'base64')).update(name).digest('base64') === hash;
}

function matchesPattern(pattern: string, name: string): boolean {
  const source = pattern.replace(/[.+^${}()|[\]\\]/g, '\\$&').replaceAll('*', '.*').replaceAll('?', '.');
  return new RegExp(`^${source}$`).test(name);
}
