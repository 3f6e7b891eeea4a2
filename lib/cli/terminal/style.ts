import picocolors from 'picocolors';

/** Turns text into coloured text, or leaves it as it is. */
export type Style = ReturnType<typeof picocolors.createColors>;

export function makeStyle(color: boolean): Style {
  return picocolors.createColors(color);
}

export type Environment = Readonly<Record<string, string | undefined>>;

/**
 * Whether a stream gets colours: `--color`/`--no-color`, else `NO_COLOR` (https://no-color.org), else `FORCE_COLOR`,
 * else whether it is a terminal that knows them.
 */
export function wantsColor(asked: boolean | undefined, env: Environment, stream: { readonly isTTY?: boolean }): boolean {
  if (asked !== undefined) return asked;
  if ((env['NO_COLOR'] ?? '') !== '') return false;
  const forced = env['FORCE_COLOR'];
  if (forced !== undefined) return forced !== '0' && forced !== 'false';
  return stream.isTTY === true && env['TERM'] !== 'dumb';
}
