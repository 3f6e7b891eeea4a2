import { EBSClient, GetSnapshotBlockCommand, ListSnapshotBlocksCommand } from '@aws-sdk/client-ebs';
import t from 'tap';
import { awsUploads } from '../../../lib/platforms/ec2/engine/aws-uploads.js';
import { awsVolumes } from '../../../lib/platforms/ec2/engine/aws-volumes.js';
import { startMoto } from '../../support/moto.js';
import { need } from '../../support/need.js';
import { uploadContract } from './upload-contract.js';

t.test('uploads by the SDK on moto keep the contract, but for what moto is known not to do', { timeout: 60_000 }, async (t) => {
  if (!(await need(t, 'moto'))) return;
  const { url, env } = await startMoto(t);
  t.intercept(process, 'env', { value: { ...process.env, ...env } });
  const access = { region: 'eu-west-1' };
  const ebs = new EBSClient({ endpoint: url, region: 'eu-west-1', credentials: { accessKeyId: 'test', secretAccessKey: 'test' } });
  const read = async (SnapshotId: string, BlockIndex: number) => {
    const { Blocks = [] } = await ebs.send(new ListSnapshotBlocksCommand({ SnapshotId }));
    const block = Blocks.find((one) => one.BlockIndex === BlockIndex);
    return block === undefined ? undefined : (await ebs.send(new GetSnapshotBlockCommand({ SnapshotId, BlockIndex, BlockToken: block.BlockToken! }))).BlockData!.transformToByteArray();
  };
  await uploadContract(t, { uploads: awsUploads(access), storage: awsVolumes(access), settle: async () => {}, read, differs: new Set(['client tokens', 'checks', 'states', 'unknown snapshots']) });
});
