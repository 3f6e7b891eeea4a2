import { mkdir, readFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import * as z from 'zod';
import { BakeError } from '../../../core/bake-error.js';
import type { StepContext } from '../../../engine/handler.js';
import type { Checksum, Sum } from '../checksum.js';
import type { Location } from '../location.js';
import type { HttpClient } from './http-client.js';
import { HttpFailure } from './http-failure.js';
import { statusFailure } from './http-status.js';
import { unreadable } from './local-file.js';
import { readRecord, writeRecord } from '../../../engine/record-file.js';
import { retried } from './retried.js';
import { sourceId } from './source-id.js';
import { findSum } from './sum-list.js';

/** A list of sums of everything a distribution has is a few megabytes. */
const longestList = 16 * 1024 * 1024;
const tries = 4;
const copySchema = z.object({ text: z.string() });

type FinderContext = Pick<StepContext, 'clock' | 'signal' | 'log' | 'warn' | 'run'>;

/**
 * Gives the sum that a file must have, or undefined if any will do. A list of sums is read once, when the
 * first file is asked for; if its server cannot be reached, it is what the server said last time, with a warning.
 * @throws BakeError `ChecksumNotListed`, `ChecksumListTooLong`, `DownloadFailed`, `FileNotFound`
 */
export function sumFinder(checksum: Checksum, client: HttpClient, ctx: FinderContext): (file: Location) => Promise<Sum | undefined> {
  if (checksum.type === 'none') return async () => undefined;
  if (checksum.type === 'sum') return async () => checksum.sum;
  const { location } = checksum;
  let list: Promise<string> | undefined;
  return async (file) => findSum(await (list ??= readList(location, client, ctx)), file, location.shown);
}

async function readList(location: Location, client: HttpClient, ctx: FinderContext): Promise<string> {
  if (location.type === 'http') return fetchOrRecall(location.url, location.shown, client, ctx);
  const path = resolve(ctx.run.project, location.path);
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    throw unreadable(error, path);
  }
}

async function fetchOrRecall(url: URL, shown: string, client: HttpClient, ctx: FinderContext): Promise<string> {
  const folder = join(ctx.run.cache, 'sum-lists');
  const copy = join(folder, `${sourceId(url)}.json`);
  try {
    const text = await retried(ctx, { tries, shown, reached: () => 0 }, () => fetchList(url, shown, client, ctx.signal));
    // Where nothing can be kept, there is nothing to recall.
    await mkdir(folder, { recursive: true, mode: 0o700 }).then(() => writeRecord(copy, { text })).catch(() => {});
    return text;
  } catch (error) {
    const old = BakeError.is(error) && error.transient ? await readRecord(copy, copySchema) : undefined;
    if (old === undefined) throw error;
    ctx.warn({ code: 'OldChecksumList', message: `${(error as BakeError).message}; the sums are those of an earlier run`, hint: 'a newer version of the file would not be noticed now' });
    return old.text;
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
