import * as z from 'zod';
import { BakeError } from '../../../core/bake-error.js';
import type { ActionHandler, StepContext } from '../../../engine/handler.js';
import { type HttpClient, httpClient } from '../../../vm/download/engine/http-client.js';
import { statusFailure } from '../../../vm/download/engine/http-status.js';
import { retried } from '../../../vm/download/engine/retried.js';
import { shownUrl } from '../../../vm/download/shown-url.js';
import { type rootfsSnapshot, snapshotMark } from '../steps.js';

/** As snapshot archives name their folders. */
const pattern = /\d{8}T\d{6}Z/;
const pinSchema = z.object({ snapshot: z.string().regex(new RegExp(`^${pattern.source}$`)) });

/** Milliseconds without a byte after which a connection is given up. */
const stall = 30_000;
const tries = 4;

/** Finds the newest snapshot that the archives of the mirrors have. */
export function snapshotHandler(): ActionHandler<z.output<(typeof rootfsSnapshot)['spec']>, z.output<typeof pinSchema>> {
  return {
    async run({ mirrors }, ctx) {
      const pin = await ctx.pin(`snapshot ${mirrors.map((mirror) => shownUrl(addressOf(mirror).split(`/${snapshotMark}`)[0]!)).join(' ')}`, pinSchema, async () => {
        const now = new Date(ctx.clock.now()).toISOString().replace(/[-:]|\.\d+/g, '');
        const client = httpClient(stall);
        const newest = await Promise.all(mirrors.map((mirror) => newestOf(addressOf(mirror).replace(snapshotMark, now), now, client, ctx)));
        // An archive takes a time for the last snapshot before it, so the latest one fits all.
        return { snapshot: newest.sort().at(-1) ?? now };
      });
      return pin!;
    },
  };
}

/** The folder of the snapshot, in an address or in a line of sources.list. */
function addressOf(mirror: string): string {
  const end = mirror.indexOf(snapshotMark) + snapshotMark.length;
  return `${mirror.slice(mirror.lastIndexOf(' ', end) + 1, end)}/`;
}

/** An archive leads from a time to the snapshot that it stands for; one that does not, takes the time itself. */
async function newestOf(address: string, now: string, client: HttpClient, ctx: StepContext): Promise<string> {
  const shown = shownUrl(address);
  if (!URL.canParse(address)) throw new BakeError({ code: 'InvalidMirror', message: `"${shown}" is no address`, hint: `write ${snapshotMark} into the address of an archive of snapshots, such as https://host/archive/debian/${snapshotMark}` });
  return retried(ctx, { tries, shown, reached: () => 0 }, async () => {
    const reply = await client.get(new URL(address), {}, ctx.signal);
    reply.discard();
    if (reply.status !== 200) throw statusFailure(reply);
    return pattern.exec(reply.url)?.[0] ?? now;
  });
}
