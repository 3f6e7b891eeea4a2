import { readFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { BakeError } from '../../../core/bake-error.js';
import type { StepContext } from '../../../engine/handler.js';
import type { Checksum, Sum } from '../checksum.js';
import type { Location } from '../location.js';
import { HttpFailure, type HttpClient } from './http-client.js';
import { statusFailure } from './http-status.js';
import { unreadable } from './local-file.js';
import { retried } from './retried.js';
import { findSum } from './sum-list.js';

/** A list of sums of everything a distribution has is a few megabytes. */
const longestList = 16 * 1024 * 1024;
const tries = 4;

type FinderContext = Pick<StepContext, 'clock' | 'signal' | 'log' | 'run'>;

/**
 * Gives the sum that a file must have, or undefined if any will do. A list of sums is read once, when the first file is asked for.
 * @throws BakeError `ChecksumNotListed`, `ChecksumListTooLong`, `DownloadFailed`, `FileNotFound`
 */
export function sumFinder(checksum: Checksum, client: () => Promise<HttpClient>, ctx: FinderContext): (file: Location) => Promise<Sum | undefined> {
  if (checksum.type === 'none') return async () => undefined;
  if (checksum.type === 'sum') return async () => checksum.sum;
  const { location } = checksum;
  let list: Promise<string> | undefined;
  return async (file) => findSum(await (list ??= readList(location, client, ctx)), file, location.shown);
}

async function readList(location: Location, client: () => Promise<HttpClient>, ctx: FinderContext): Promise<string> {
  if (location.type === 'http') {
    const http = await client();
    return retried(ctx, { tries, shown: location.shown, reached: () => 0 }, () => fetchList(location.url, location.shown, http, ctx.signal));
  }
  const path = resolve(ctx.run.project, location.path);
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    throw unreadable(error, path);
  }
}

async function fetchList(url: URL, shown: string, client: HttpClient, signal: AbortSignal): Promise<string> {
  const reply = await client.get(url, {}, signal);
  try {
    if (reply.status !== 200) throw statusFailure(reply);
    const chunks: Uint8Array[] = [];
    let length = 0;
    for await (const chunk of reply.body) {
      length += chunk.length;
      if (length > longestList) throw new BakeError({ code: 'ChecksumListTooLong', message: `${shown} has more than 16 MiB and is no list of sums`, hint: 'is it the URL of the file itself?' });
      chunks.push(chunk);
    }
    const expected = Number(reply.headers['content-length'] ?? length);
    if (length !== expected) throw new HttpFailure(`the server stopped after ${length} of ${expected} bytes`, { transient: true });
    return Buffer.concat(chunks).toString('utf8');
  } finally {
    reply.discard();
  }
}
