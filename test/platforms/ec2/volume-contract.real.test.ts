import t from 'tap';
import { awsEc2 } from '../../../lib/platforms/ec2/engine/aws-ec2.js';
import { awsVolumes } from '../../../lib/platforms/ec2/engine/aws-volumes.js';
import { startMoto } from '../../support/moto.js';
import { need } from '../../support/need.js';
import { volumeContract } from './volume-contract.js';

t.test('volumes by the SDK on moto keep the contract, but for what moto is known not to do', { timeout: 60_000 }, async (t) => {
  if (!(await need(t, 'moto'))) return;
  const { url, env } = await startMoto(t);
  t.intercept(process, 'env', { value: { ...process.env, ...env } });
  const access = { region: 'eu-west-1', endpoint: url };
  const ec2 = awsEc2(access);
  const base = (await ec2.images({ owners: ['137112412989'], filters: { name: ['amzn-ami-hvm-*'] } }, new AbortController().signal)).at(-1)!.id;
  await volumeContract(t, { ec2, storage: awsVolumes(access), base, settle: async () => {}, differs: new Set(['ended instances', 'registered images', 'image names', 'ends with instance', 'detached twice']) });
});
