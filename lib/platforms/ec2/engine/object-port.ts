import type { Ec2Access } from '../steps.js';

export interface ObjectPlace {
  readonly bucket: string;
  readonly key: string;
}

/** What is put there. */
export interface ObjectContent {
  /** Path. */
  readonly file: string;
  /** Id, ARN or alias of the key that it is encrypted with. @default - as the bucket says */
  readonly kmsKeyId?: string | undefined;
}

/** Objects in the buckets of S3. Failures as of `Ec2Port`; `NoSuchBucket`, and `BucketElsewhere` of one in another region. */
export interface ObjectPort {
  /** Whether it can be used. @throws BakeError `NoSuchBucket`, `BucketElsewhere`, `Ec2Denied` */
  checkBucket(bucket: string, signal: AbortSignal): Promise<void>;
  /** Puts a file there, in parts. The object is there when all of them are. @param onBytes is told of what has arrived */
  upload(place: ObjectPlace, content: ObjectContent, onBytes: (bytes: number) => void, signal: AbortSignal): Promise<void>;
  /** Whether there is the object, or parts of it. */
  isThere(place: ObjectPlace, signal: AbortSignal): Promise<boolean>;
  /** Removes the object, and parts of it that are not complete. Succeeds if there is nothing. */
  remove(place: ObjectPlace, signal: AbortSignal): Promise<void>;
}

export type ObjectsFor = (access: Ec2Access) => ObjectPort;
