import { stat } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import * as z from 'zod';
import { BakeError } from '../../../core/bake-error.js';
import { asDiskError } from '../../../core/disk-error.js';
import type { ActionHandler, StepContext } from '../../../engine/handler.js';
import { parseChecksum, type Sum } from '../checksum.js';
import { type Location, parseLocation } from '../location.js';
import type { DownloadOutput, DownloadSpec } from '../steps.js';
import { FileSums } from './file-sums.js';
import { httpClient, type HttpClient } from './http-client.js';
import { HttpCache } from './http-cache.js';
import { verifiedFile } from './local-file.js';
import { sumFinder } from './sum-finder.js';

const pinSchema = z.object({ sha256: z.string().regex(/^[0-9a-f]{64}$/) });

/** What fails on this computer fails for every URL. */
const ours = new Set(['DiskFull', 'NotWritable']);

export interface DownloadHandlerOptions {
  /** Milliseconds without a byte after which a connection is given up. @default 30_000 */
  readonly stall?: number;
}

/** Gets a file from the first location that has the right one. */
export function downloadHandler({ stall = 30_000 }: DownloadHandlerOptions = {}): ActionHandler<DownloadSpec, DownloadOutput> {
  return {
    async check({ urls, checksum }) {
      urls.forEach(parseLocation);
      parseChecksum(checksum);
    },
    async run({ urls, checksum }, ctx) {
      const locations = urls.map(parseLocation);
      const parsed = parseChecksum(checksum);
      const client = httpClient(stall);
      const remote = locations.find((location) => location.type === 'http');
      // A list on this computer is the user's own, and says what he wants now.
      if (parsed.type === 'sum' || (parsed.type === 'list' && parsed.location.type === 'file') || remote === undefined) return fromFirst(locations, sumFinder(parsed, client, ctx), client, ctx);
      let found: DownloadOutput | undefined;
      const what = `download ${pinName(remote)}`;
      const pin = await ctx.pin(what, pinSchema, async () => {
        found = await fromFirst(locations, sumFinder(parsed, client, ctx), client, ctx);
        return { sha256: found.digest };
      });
      return found ?? fromPinned(what, pin!, (sum) => fromFirst(locations, () => Promise.resolve(sum), client, ctx));
    },
  };
}

/** Parts of a query that let somebody in, and are others each time. */
const credential = /^(x-(amz|goog|ms)-.*|.*(sig|signature|token|key|secret|credential|password|passwd|auth|expires?|policy|hmac).*)$/i;

/** The address, with what of its query says which file is meant. */
function pinName({ url, shown }: Extract<Location, { readonly type: 'http' }>): string {
  const telling = [...url.searchParams].filter(([name]) => !credential.test(name));
  return `${shown.replace(/\?…$/, '')}${telling.length === 0 ? '' : `?${new URLSearchParams(telling)}`}`;
}

async function fromPinned(what: string, { sha256 }: z.output<typeof pinSchema>, get: (sum: Sum) => Promise<DownloadOutput>): Promise<DownloadOutput> {
  try {
    return await get({ algorithm: 'sha256', hex: sha256 });
  } catch (error) {
    if (!BakeError.is(error) || error.code !== 'ChecksumMismatch') throw error;
    throw error.with({ message: `${error.message}; it is not the file that bake.lock.json pins`, hint: `run "bake run --update='${what}'" if the new one is wanted` });
  }
}

async function fromFirst(locations: readonly Location[], sumOf: (file: Location) => Promise<Sum | undefined>, client: HttpClient, ctx: StepContext): Promise<DownloadOutput> {
  const sums = new FileSums(join(ctx.run.cache, 'sums'));
  const folder = join(ctx.run.cache, 'downloads');
  const cache = new HttpCache({ folder, sums, client, ctx });
  const failures: BakeError[] = [];
  for (const [index, location] of locations.entries()) {
    const isLast = index === locations.length - 1;
    try {
      const sum = await sumOf(location);
      if (location.type === 'http') {
        const file = await cache.get(location, sum, isLast ? 5 : 2);
        return await outputOf(file.path, file.sums.sha256, location);
      }
      const path = resolve(ctx.run.project, location.path);
      return await outputOf(path, (await verifiedFile(location, path, sum, sums, ctx)).sha256, location);
    } catch (error) {
      ctx.signal.throwIfAborted();
      const failure = asDiskError(error, folder);
      if (!BakeError.is(failure) || ours.has(failure.code)) throw failure;
      failures.push(failure);
      if (!isLast) ctx.log(`${failure.message}; going on to the next URL`, 'stderr');
    }
  }
  throw allFailed(failures);
}

async function outputOf(file: string, digest = '', { shown }: Location): Promise<DownloadOutput> {
  return { file, size: (await stat(file)).size, digest, url: shown };
}

function allFailed(failures: readonly BakeError[]): BakeError {
  const [first] = failures;
  if (first !== undefined && new Set(failures.map(({ message }) => message)).size === 1) return first;
  return new BakeError({
    code: 'DownloadFailed',
    source: failures.some(({ source }) => source === 'platform') ? 'platform' : 'user',
    message: `none of ${failures.length} URLs gave the file: ${failures.map(({ message }) => message).join('; ')}`,
    hint: failures.find(({ hint }) => hint !== undefined)?.hint ?? 'look at what each of them says',
    transient: failures.some(({ transient }) => transient),
  });
}
