// As aws-sdk.ts, for S3.
export { AbortMultipartUploadCommand, DeleteObjectCommand, HeadBucketCommand, HeadObjectCommand, ListMultipartUploadsCommand, S3Client } from '@aws-sdk/client-s3';
export { Upload } from '@aws-sdk/lib-storage';
