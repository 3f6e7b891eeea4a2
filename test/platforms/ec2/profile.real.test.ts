import { AttachRolePolicyCommand, CreatePolicyCommand, GetInstanceProfileCommand, GetRolePolicyCommand, IAMClient, ListAttachedRolePoliciesCommand } from '@aws-sdk/client-iam';
import t from 'tap';
import { awsProfiles } from '../../../lib/platforms/ec2/engine/aws-profiles.js';
import { startMoto } from '../../support/moto.js';
import { need } from '../../support/need.js';
import { profileContract } from './profile-contract.js';

const document = JSON.stringify({ Version: '2012-10-17', Statement: [{ Effect: 'Allow', Action: 's3:GetObject', Resource: '*' }] });

t.test('the SDK on moto keeps the contract', { timeout: 60_000 }, async (t) => {
  if (!(await need(t, 'moto'))) return;
  const { url, env } = await startMoto(t);
  t.intercept(process, 'env', { value: { ...process.env, ...env } });
  const iam = new IAMClient({ endpoint: url, region: 'eu-west-1', credentials: { accessKeyId: 'test', secretAccessKey: 'test' } });
  const policyOf = async (PolicyName: string) => (await iam.send(new CreatePolicyCommand({ PolicyName, PolicyDocument: document }))).Policy!.Arn!;
  const [readOnly, core] = [await policyOf('read'), await policyOf('core')];
  const profiles = awsProfiles({ region: 'eu-west-1' });
  await profileContract(t, profiles, [readOnly]);

  const signal = new AbortController().signal;
  const name = 'bake-20261123t000000-abcdef-0123456789';
  await profiles.create({ name, policy: document, managedPolicies: [readOnly], tags: { 'bake:run': 'r' } }, signal);
  t.match(await iam.send(new GetInstanceProfileCommand({ InstanceProfileName: name })), { InstanceProfile: { Path: '/bake/', Roles: [{ RoleName: name }], Tags: [{ Key: 'bake:run' }] } });
  t.match(decodeURIComponent((await iam.send(new GetRolePolicyCommand({ RoleName: name, PolicyName: 'bake' }))).PolicyDocument!), /Statement/);
  await iam.send(new AttachRolePolicyCommand({ RoleName: name, PolicyArn: core })); // by somebody else meanwhile
  t.equal((await iam.send(new ListAttachedRolePoliciesCommand({ RoleName: name }))).AttachedPolicies?.length, 2);
  await profiles.remove(name, signal);
  t.equal(await profiles.exists(name, signal), false);
});
