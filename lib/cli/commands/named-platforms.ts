import { BakeError } from '../../core/bake-error.js';
import { closest } from '../../core/closest.js';
import type { PlatformHealth, Toolkit } from '../../toolkit/toolkit-api.js';

/** The health of the platforms named, of all if none is. @throws BakeError `UnknownPlatform` */
export async function healthOf(names: readonly string[], toolkit: Toolkit): Promise<readonly PlatformHealth[]> {
  if (names.length === 0) return toolkit.doctor({});
  const found = await toolkit.doctor({ platforms: names });
  const missing = names.find((name) => !found.some(({ platform }) => platform === name));
  if (missing === undefined) return found;
  const known = (await toolkit.doctor({})).map(({ platform }) => platform);
  const near = closest(missing, known);
  throw new BakeError({ code: 'UnknownPlatform', message: `there is nothing to check for "${missing}"`, hint: near === undefined ? `choose from ${known.join(', ')}` : `did you mean "${near}"?` });
}

/** Whether every required part of every platform is there. */
export function isHealthy(platforms: readonly PlatformHealth[]): boolean {
  return platforms.every(({ checks }) => checks.every(({ ok, required }) => ok || !required));
}
