import type { ImportSnapshotTask } from '@aws-sdk/client-ec2';
import type { Ec2Access } from '../steps.js';
import { calling, pages, unless } from './aws-call.js';
import { type Ec2Client, onePerAccess, openEc2 } from './aws-client.js';
import { tagsFrom, tagsOf } from './aws-tags.js';
import type { Tags } from './ec2-port.js';
import type { ImportFacts, ImportPort, ImportRequest } from './import-port.js';

/** What EC2 says of a task that is over, or is not there. */
const over = /^(IncorrectState|InvalidConversionTaskId|InvalidParameterValue|InvalidTaskId\.\w+|InvalidImportTaskId\.\w+)/;

/** Amazon's. */
export const awsImports = onePerAccess((access): ImportPort => new AwsImports(access));

class AwsImports implements ImportPort {
  readonly #open: () => Promise<Ec2Client>;

  constructor(access: Ec2Access) {
    this.#open = () => openEc2(access);
  }

  async start({ clientToken, bucket, key, format, roleName, description, encrypted, kmsKeyId, tags }: ImportRequest, abortSignal: AbortSignal): Promise<string> {
    const { sdk, client } = await this.#open();
    const { ImportTaskId = '' } = await calling('ImportSnapshot', () => client.send(new sdk.ImportSnapshotCommand({
      ClientToken: clientToken, DiskContainer: { Format: format.toUpperCase(), UserBucket: { S3Bucket: bucket, S3Key: key } }, RoleName: roleName, Description: description, Encrypted: encrypted, KmsKeyId: kmsKeyId,
      TagSpecifications: [{ ResourceType: 'import-snapshot-task', Tags: tagsOf(tags) }],
    }), { abortSignal }));
    return ImportTaskId;
  }

  async tasks(query: { readonly ids: readonly string[] } | { readonly tags: Tags }, abortSignal: AbortSignal): Promise<readonly ImportFacts[]> {
    const { sdk, client } = await this.#open();
    const input = 'ids' in query ? { ImportTaskIds: [...query.ids] } : {};
    const found = await pages((NextToken) => calling('DescribeImportSnapshotTasks', () => client.send(new sdk.DescribeImportSnapshotTasksCommand({ ...input, NextToken }), { abortSignal })), ({ ImportSnapshotTasks = [] }) => ImportSnapshotTasks.map(importFacts));
    // Nothing says that it knows filters for tags.
    return 'ids' in query ? found : found.filter(({ tags }) => Object.entries(query.tags).every(([key, value]) => tags[key] === value));
  }

  async cancel(id: string, abortSignal: AbortSignal): Promise<void> {
    const { sdk, client } = await this.#open();
    await calling('CancelImportTask', () => unless(over, client.send(new sdk.CancelImportTaskCommand({ ImportTaskId: id, CancelReason: 'bake: not wanted any more' }), { abortSignal })));
  }
}

function importFacts({ ImportTaskId = '', SnapshotTaskDetail: { Status, StatusMessage: message, Progress, SnapshotId } = {}, Tags: tags }: ImportSnapshotTask): ImportFacts {
  const progress = Number.parseInt(Progress ?? '', 10);
  return {
    id: ImportTaskId, state: Status === 'completed' ? 'completed' : Status === 'deleted' || Status === 'cancelled' || Status === 'error' ? 'ended' : 'active', tags: tagsFrom(tags),
    ...(message === undefined || message === '' ? {} : { message }), ...(Number.isNaN(progress) ? {} : { progress }), ...(SnapshotId === undefined || SnapshotId === '' ? {} : { snapshotId: SnapshotId }),
  };
}
