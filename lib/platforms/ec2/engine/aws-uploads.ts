import type { EBSClient } from '@aws-sdk/client-ebs';
import type { Ec2Access } from '../steps.js';
import { calling } from './aws-call.js';
import { besideEc2, opener } from './aws-client.js';
import { tagsOf } from './aws-tags.js';
import type { BlockRequest, StartRequest, UploadPort, UploadSum } from './upload-port.js';

/** Minutes without a block after which EBS gives a snapshot up by itself: its own default, said so that nobody changes it. */
const longestSilence = 60;

/** Amazon's. */
export const awsUploads = besideEc2((access): UploadPort => new AwsUploads(access));

class AwsUploads implements UploadPort {
  readonly #open;

  constructor(access: Ec2Access) {
    this.#open = opener(access, () => import('./aws-ebs-sdk.js'), (sdk, options): EBSClient => new sdk.EBSClient(options));
  }

  async start({ clientToken, gibibytes, description, encrypted, kmsKeyId, tags }: StartRequest, abortSignal: AbortSignal): Promise<string> {
    const { sdk, client } = await this.#open();
    const { SnapshotId = '' } = await calling('StartSnapshot', () => client.send(new sdk.StartSnapshotCommand({
      VolumeSize: gibibytes, ClientToken: clientToken, Description: description, Encrypted: encrypted, KmsKeyArn: kmsKeyId, Tags: tagsOf(tags), Timeout: longestSilence,
    }), { abortSignal }), 'ebs');
    return SnapshotId;
  }

  async put(id: string, { index, data, sha256 }: BlockRequest, abortSignal: AbortSignal): Promise<void> {
    const { sdk, client } = await this.#open();
    await calling('PutSnapshotBlock', () => client.send(new sdk.PutSnapshotBlockCommand({
      SnapshotId: id, BlockIndex: index, BlockData: data, DataLength: data.byteLength, Checksum: base64(sha256), ChecksumAlgorithm: 'SHA256',
    }), { abortSignal }), 'ebs');
  }

  async complete(id: string, { blocks, sha256 }: UploadSum, abortSignal: AbortSignal): Promise<void> {
    const { sdk, client } = await this.#open();
    const command = new sdk.CompleteSnapshotCommand({
      SnapshotId: id, ChangedBlocksCount: blocks, Checksum: base64(sha256), ChecksumAlgorithm: 'SHA256', ChecksumAggregationMethod: 'LINEAR',
    });
    let isLost = false;
    command.middlewareStack.add((next) => (args) => next(args).catch((error: unknown) => {
      isLost ||= isAnswerLost(error);
      throw error;
    }), { name: 'bakeLostAnswers', step: 'finalizeRequest', priority: 'low' }); // of each of the tries
    await calling('CompleteSnapshot', () => client.send(command, { abortSignal }).catch((error: unknown) => {
      if (!isLost || !isNoLongerOpen(error)) throw error;
    }), 'ebs');
  }
}

/** What a second try of the SDK is told if the answer to the first one was lost, which has completed it: whether it has shows in its state. */
function isNoLongerOpen(error: unknown): boolean {
  return error instanceof Error && (error.name === 'ConflictException' || error.name === 'ValidationException');
}

/** Whether a try may have had its effect all the same: a refusal had none. */
function isAnswerLost(error: unknown): boolean {
  const { $metadata: { httpStatusCode: status = 500 } = {} } = error as { readonly $metadata?: { readonly httpStatusCode?: number } };
  return status >= 500 && !isNoLongerOpen(error);
}

function base64(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('base64');
}
