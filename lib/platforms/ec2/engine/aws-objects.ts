import { createReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import type { S3Client } from '@aws-sdk/client-s3';
import { BakeError } from '../../../core/bake-error.js';
import type { Ec2Access } from '../steps.js';
import { calling, unless } from './aws-call.js';
import { besideEc2, opener } from './aws-client.js';
import type { ObjectContent, ObjectPlace, ObjectPort } from './object-port.js';

const mebibyte = 1024 ** 2;
/** Bytes of a part: S3 takes ten thousand of them. https://docs.aws.amazon.com/AmazonS3/latest/userguide/qfacts.html */
const [smallestPart, mostParts] = [16 * mebibyte, 10_000];
const atOnce = 4;
/** Milliseconds that S3 may take over what was begun before an abort. */
const longestEnd = 30_000;
const notThere = /^(NotFound|NoSuchKey|NoSuchUpload)$/;

/** Amazon's. */
export const awsObjects = besideEc2((access): ObjectPort => new AwsObjects(access));

class AwsObjects implements ObjectPort {
  readonly #open;

  constructor(access: Ec2Access) {
    this.#open = opener(access, () => import('./aws-s3-sdk.js'), (sdk, options): S3Client => new sdk.S3Client(options));
  }

  async checkBucket(bucket: string, abortSignal: AbortSignal): Promise<void> {
    const { sdk, client } = await this.#open();
    await said('ListBucket', bucket, () => client.send(new sdk.HeadBucketCommand({ Bucket: bucket }), { abortSignal }));
  }

  async upload({ bucket, key }: ObjectPlace, { file, kmsKeyId }: ObjectContent, onBytes: (bytes: number) => void, signal: AbortSignal): Promise<void> {
    const { sdk, client } = await this.#open();
    const { size } = await stat(file);
    const abortController = new AbortController();
    const abort = () => abortController.abort(signal.reason);
    const body = createReadStream(file, { highWaterMark: mebibyte });
    const calls = new Set<Promise<unknown>>();
    const upload = new sdk.Upload({
      client: following(client, calls, signal), params: { Bucket: bucket, Key: key, Body: body, ...(kmsKeyId === undefined ? {} : { ServerSideEncryption: 'aws:kms', SSEKMSKeyId: kmsKeyId }) }, partSize: Math.max(smallestPart, Math.ceil(size / mostParts / mebibyte) * mebibyte), queueSize: atOnce,
      leavePartsOnError: true, // `remove` looks for them anyway, and waits for that
      abortController: abortController as never,
    });
    let sent = 0;
    upload.on('httpUploadProgress', ({ loaded = 0 }) => {
      onBytes(Math.max(0, loaded - sent));
      sent = Math.max(sent, loaded);
    });
    signal.addEventListener('abort', abort, { once: true });
    try {
      signal.throwIfAborted();
      await said('PutObject', bucket, () => upload.done());
    } catch (error) {
      signal.throwIfAborted();
      throw error;
    } finally {
      signal.removeEventListener('abort', abort);
      body.destroy();
      await Promise.allSettled(calls); // `Upload` leaves them behind: what they make would be there after `remove`
    }
  }

  async isThere(place: ObjectPlace, abortSignal: AbortSignal): Promise<boolean> {
    return await this.#head(place, abortSignal) !== undefined || (await this.#unfinished(place, abortSignal)).length > 0;
  }

  async remove(place: ObjectPlace, abortSignal: AbortSignal): Promise<void> {
    const { sdk, client } = await this.#open();
    const { bucket, key } = place;
    for (const UploadId of await this.#unfinished(place, abortSignal)) {
      await said('AbortMultipartUpload', bucket, () => unless(notThere, client.send(new sdk.AbortMultipartUploadCommand({ Bucket: bucket, Key: key, UploadId }), { abortSignal })));
    }
    // A bucket that keeps versions keeps what is deleted without saying which one; one that is put twice has two.
    for (let found = await this.#head(place, abortSignal); found !== undefined; found = await this.#head(place, abortSignal)) {
      const { VersionId } = found;
      await said(VersionId === undefined ? 'DeleteObject' : 'DeleteObjectVersion', bucket, () => unless(notThere, client.send(new sdk.DeleteObjectCommand({ Bucket: bucket, Key: key, VersionId }), { abortSignal })));
      if (VersionId === undefined) return;
    }
  }

  /** What is said of the object; undefined if it is not there. */
  async #head({ bucket, key }: ObjectPlace, abortSignal: AbortSignal): Promise<{ readonly VersionId?: string | undefined } | undefined> {
    const { sdk, client } = await this.#open();
    return said('GetObject', bucket, () => unless(notThere, client.send(new sdk.HeadObjectCommand({ Bucket: bucket, Key: key }), { abortSignal })));
  }

  /** One key has a few of them at most, so they are on one page. */
  async #unfinished({ bucket, key }: ObjectPlace, abortSignal: AbortSignal): Promise<readonly string[]> {
    const { sdk, client } = await this.#open();
    const { Uploads = [] } = await said('ListBucketMultipartUploads', bucket, () => client.send(new sdk.ListMultipartUploadsCommand({ Bucket: bucket, Prefix: key }), { abortSignal }));
    return Uploads.filter(({ Key }) => Key === key).map(({ UploadId = '' }) => UploadId);
  }
}

/**
 * The client, whose calls are kept in a set while they are under way. An abort ends at once those that send a part, whose upload `remove` finds; the
 * others may have had their effect when nobody waits for them any more, and so get some time to say so.
 */
function following(client: S3Client, calls: Set<Promise<unknown>>, signal: AbortSignal): S3Client {
  const late = new AbortController();
  signal.addEventListener('abort', () => { AbortSignal.timeout(longestEnd).addEventListener('abort', () => late.abort()); }, { once: true });
  const send = (command: Parameters<S3Client['send']>[0]) => {
    const call = client.send(command, { abortSignal: 'PartNumber' in command.input ? signal : late.signal });
    calls.add(call);
    void call.catch(() => {}).then(() => calls.delete(call)); // told to whoever made it
    return call;
  };
  return Object.create(client, { send: { value: send } }) as S3Client;
}

/** What S3 says of buckets in words of its own. */
async function said<T>(action: string, bucket: string, call: () => Promise<T>): Promise<T> {
  return calling(action, () => call().catch((error: unknown) => {
    const { name, $metadata: { httpStatusCode: status = 0 } = {} } = error as { readonly name?: string; readonly $metadata?: { readonly httpStatusCode?: number } };
    if (name === 'NoSuchBucket' || (action === 'ListBucket' && status === 404)) throw new BakeError({ code: 'NoSuchBucket', message: `there is no bucket "${bucket}"`, hint: 'make it first, in the region of the image; bake makes none' , cause: error });
    if (name === 'PermanentRedirect' || name === 'AuthorizationHeaderMalformed' || status === 301) throw new BakeError({ code: 'BucketElsewhere', message: `the bucket "${bucket}" is in another region`, hint: 'EC2 reads only from buckets of the region that the image is made in', cause: error });
    if (status === 403 && error instanceof Error) Object.assign(error, { name: 'AccessDenied' }); // an answer without a body has no name for it
    throw error;
  }), 's3');
}
