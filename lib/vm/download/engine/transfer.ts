import type { StepContext } from '../../../engine/handler.js';
import type { HttpClient, HttpReply } from './http-client.js';
import { HttpFailure } from './http-failure.js';
import { statusFailure } from './http-status.js';
import type { PartFile, Version } from './part-file.js';
import { retried } from './retried.js';

export interface TransferOptions {
  readonly url: URL;
  /** The URL without credentials. */
  readonly shown: string;
  readonly part: PartFile;
  /** Whether a wrong file will be noticed: then a part may be gone on with although the server does not say its version. */
  readonly isVerified: boolean;
  /** The version that is there, if that is all that is wanted. */
  readonly known?: Version | undefined;
  readonly client: HttpClient;
  /** @see RetryOptions.tries */
  readonly tries: number;
}

type TransferContext = Pick<StepContext, 'clock' | 'signal' | 'log' | 'progress'>;

/**
 * Fills the part to the whole file. A connection that breaks off is taken up where it broke off, if the server can do that.
 * @returns false if `known` is what the server has
 * @throws BakeError `DownloadFailed`; what is there stays
 */
export async function transfer(options: TransferOptions, ctx: TransferContext): Promise<boolean> {
  const { part, shown, tries } = options;
  return retried(ctx, { tries, shown, reached: () => part.length }, async () => {
    for (;;) {
      const outcome = await attempt(options, ctx);
      if (outcome !== 'restart') return outcome === 'complete';
      await part.clear(); // without a part there is nothing to restart, so this comes once
    }
  });
}

async function attempt(options: TransferOptions, ctx: TransferContext): Promise<'complete' | 'unchanged' | 'restart'> {
  const { url, part, client, isVerified, known } = options;
  const validator = validatorOf(part.version);
  if (part.length > 0 && part.length === part.version.total && (isVerified || validator !== undefined)) return 'complete';
  const canResume = part.length > 0 && part.length < (part.version.total ?? Infinity) && (isVerified || validator !== undefined);
  const offset = canResume ? part.length : 0;
  const reply = await client.get(url, offset > 0 ? rangeHeaders(offset, validator) : conditionHeaders(known), ctx.signal);
  if (offset > 0 && (reply.status === 206 || reply.status === 416)) {
    const range = contentRange(reply);
    if (reply.status === 206 && range?.start === offset && isSameVersion(part.version, versionOf(reply, range.total))) {
      ctx.log(`going on at byte ${offset}`, 'info');
      return receive(reply, part, part.version.total ?? range.total, ctx);
    }
    reply.discard();
    return reply.status === 416 && range?.total === offset ? 'complete' : 'restart';
  }
  if (reply.status === 200) {
    const version = versionOf(reply, lengthOf(reply));
    await part.begin(version);
    return receive(reply, part, version.total, ctx);
  }
  reply.discard();
  if (reply.status === 304 && known !== undefined) return 'unchanged';
  throw statusFailure(reply);
}

async function receive(reply: HttpReply, part: PartFile, total: number | undefined, ctx: TransferContext): Promise<'complete'> {
  const report = () => ctx.progress({ label: 'download', current: part.length, unit: 'bytes', ...(total === undefined ? {} : { total }) });
  const place = () => (total === undefined ? `after ${part.length} bytes` : `after ${part.length} of ${total} bytes`);
  report();
  try {
    for await (const chunk of reply.body) {
      await part.append(chunk);
      report();
    }
  } catch (error) {
    if (error instanceof HttpFailure) throw new HttpFailure(`${error.message} ${place()}`, { transient: error.transient, cause: error });
    throw error;
  } finally {
    reply.discard();
  }
  if (total !== undefined && part.length !== total) throw new HttpFailure(`the server stopped ${place()}`, { transient: true });
  return 'complete';
}

/** For If-Range (RFC 9110, 13.1.5), in which a weak ETag may not stand. */
function validatorOf({ etag, lastModified }: Version): string | undefined {
  return etag?.startsWith('"') === true ? etag : lastModified;
}

function rangeHeaders(offset: number, validator: string | undefined): Record<string, string> {
  return { range: `bytes=${offset}-`, ...(validator === undefined ? {} : { 'if-range': validator }) };
}

function conditionHeaders(known: Version | undefined): Record<string, string> {
  return { ...(known?.etag === undefined ? {} : { 'if-none-match': known.etag }), ...(known?.lastModified === undefined ? {} : { 'if-modified-since': known.lastModified }) };
}

function isSameVersion(ours: Version, theirs: Version): boolean {
  const agree = (a: unknown, b: unknown) => a === undefined || b === undefined || a === b;
  return agree(ours.etag, theirs.etag) && agree(ours.lastModified, theirs.lastModified) && agree(ours.total, theirs.total);
}

function versionOf({ headers }: HttpReply, total: number | undefined): Version {
  return { etag: headers['etag'], lastModified: headers['last-modified'], total };
}

function lengthOf({ headers }: HttpReply): number | undefined {
  const length = headers['content-length'];
  return length !== undefined && /^\d+$/.test(length) ? Number(length) : undefined;
}

function contentRange({ headers }: HttpReply): { readonly start: number | undefined; readonly total: number | undefined } | undefined {
  const [whole, start, total] = /^bytes (?:(\d+)-\d+|\*)\/(\d+|\*)$/.exec(headers['content-range'] ?? '') ?? [];
  if (whole === undefined) return undefined;
  return { start: start === undefined ? undefined : Number(start), total: total === undefined || total === '*' ? undefined : Number(total) };
}
