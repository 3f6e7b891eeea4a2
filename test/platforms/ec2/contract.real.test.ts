import t from 'tap';
import { awsEc2 } from '../../../lib/platforms/ec2/engine/aws-ec2.js';
import { startMoto } from '../../support/moto.js';
import { need } from '../../support/need.js';
import { ec2Contract } from './ec2-contract.js';

t.test('the SDK on moto keeps the contract, but for what moto is known not to do', { timeout: 60_000 }, async (t) => {
  if (!(await need(t, 'moto'))) return;
  const { url, env } = await startMoto(t);
  t.intercept(process, 'env', { value: { ...process.env, ...env } });
  const ec2 = awsEc2({ region: 'eu-west-1', endpoint: url });
  t.equal(await ec2.region(), 'eu-west-1');
  const base = (await ec2.images({ owners: ['137112412989'], filters: { name: ['amzn-ami-hvm-*'] } }, new AbortController().signal)).at(-1)!.id;
  await ec2Contract(t, { ec2, base, settle: async () => {}, differs: new Set(['client tokens', 'image names', 'groups in use', 'removed images']) });
});
