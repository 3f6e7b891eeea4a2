import t from 'tap';
import { Duration } from '../../../lib/core/duration.js';
import type { JsonObject } from '../../../lib/core/json.js';
import { Size } from '../../../lib/core/size.js';
import { App } from '../../../lib/image/app.js';
import { Image } from '../../../lib/image/image.js';
import { ec2Policy } from '../../../lib/platforms/ec2/engine/policy.js';
import { AmiLookup, Ec2Source, type Ec2SourceProps } from '../../../lib/platforms/ec2/index.js';
import { ec2Extension } from '../../../lib/platforms/ec2/platform.js';
import { synthesize } from '../../../lib/synth/synthesize.js';

interface Statement {
  readonly Action: readonly string[];
  readonly Resource: string | readonly string[];
  readonly Condition?: JsonObject;
}

function policyOf(props: Partial<Ec2SourceProps> = {}) {
  const app = new App();
  new Ec2Source(new Image(app, 'Web'), 'Ec2', { region: 'eu-west-1', baseImage: AmiLookup.mostRecent({ owners: ['self'], name: 'base-*' }), ssh: { user: 'admin' }, ...props });
  const { plans, diagnostics } = synthesize({ apps: [app], diagnostics: [] });
  t.same(diagnostics, []);
  const { Statement: statements } = ec2Policy(plans[0]!.steps) as unknown as { readonly Statement: readonly Statement[] };
  const of = (action: string) => statements.filter(({ Action }) => Action.includes(action));
  return { statements, of, actions: [...new Set(statements.flatMap(({ Action }) => Action))].sort() };
}

const stamped = { Null: { 'aws:ResourceTag/bake:run': 'false' } };

t.test('a plain build may change only what carries its stamp', (t) => {
  const { actions, of } = policyOf();
  t.same(actions, [
    'ec2:AuthorizeSecurityGroupIngress', 'ec2:CreateImage', 'ec2:CreateSecurityGroup', 'ec2:CreateTags', 'ec2:DeleteSecurityGroup', 'ec2:DeleteSnapshot', 'ec2:DeregisterImage',
    'ec2:DescribeImages', 'ec2:DescribeInstances', 'ec2:DescribeSecurityGroups', 'ec2:RunInstances', 'ec2:StopInstances', 'ec2:TerminateInstances',
  ]);
  for (const action of ['ec2:StopInstances', 'ec2:TerminateInstances', 'ec2:DeregisterImage', 'ec2:DeleteSecurityGroup', 'ec2:AuthorizeSecurityGroupIngress']) {
    t.match(of(action), [{ Condition: stamped }], action);
    t.not(of(action)[0]?.Resource, '*', action);
  }
  t.match(of('ec2:RunInstances').find(({ Resource }) => Resource.includes('arn:aws:ec2:*:*:instance/*')), { Condition: { Null: { 'aws:RequestTag/bake:run': 'false' } } });
  for (const { Condition, Resource } of of('ec2:CreateTags')) t.ok(Condition !== undefined || [Resource].flat().every((arn) => arn.includes('snapshot/')), 'no tags on what is not bake\'s, but for snapshots');
  t.end();
});

t.test('what is asked for more is allowed, as narrowly as it can be', (t) => {
  const role = policyOf({ instanceProfile: { managedPolicies: ['arn:aws:iam::aws:policy/AmazonS3ReadOnlyAccess'] } });
  for (const { Resource } of role.statements.filter(({ Action }) => Action.some((action) => action.startsWith('iam:')))) t.match([Resource].flat().join(), /^arn:aws:iam::\*:(role|instance-profile)\/bake\/\*$/);
  t.match(role.of('iam:AttachRolePolicy'), [{ Condition: { ArnEquals: { 'iam:PolicyARN': ['arn:aws:iam::aws:policy/AmazonS3ReadOnlyAccess'] } } }]);
  t.notOk(role.actions.includes('iam:PutRolePolicy'));
  t.match(policyOf({ instanceProfile: 'mine' }).of('iam:PassRole'), [{ Resource: '*', Condition: { StringEquals: { 'iam:PassedToService': 'ec2.amazonaws.com' } } }]);
  const parameters = policyOf({ baseImage: AmiLookup.fromSsmParameter('/aws/service/debian/12:3'), ssmParameter: '/web/ami' });
  t.match(parameters.of('ssm:PutParameter'), [{ Resource: 'arn:aws:ssm:*:*:parameter/web/ami' }]);
  t.ok(parameters.of('ssm:GetParameter').some(({ Resource }) => Resource === 'arn:aws:ssm:*:*:parameter/aws/service/debian/12'));
  const key = policyOf({ blockDevices: [{ deviceName: '/dev/xvda', size: Size.gibibytes(8), encrypted: true, kmsKeyId: 'alias/web' }] });
  t.match(key.of('kms:CreateGrant'), [{ Condition: { 'ForAnyValue:StringEquals': { 'kms:ResourceAliases': 'alias/web' }, 'Bool': { 'kms:GrantIsForAWSResource': 'true' } } }]);
  t.match(policyOf({ encryptBoot: true, kmsKeyId: '1234abcd-12ab-34cd-56ef-1234567890ab' }).of('kms:Decrypt'), [{ Resource: 'arn:aws:kms:*:*:key/1234abcd-12ab-34cd-56ef-1234567890ab' }]);
  t.match(policyOf({ spot: true }).of('ec2:RunInstances').map(({ Resource }) => [Resource].flat().join()).join(), /spot-instances-request/);
  t.notOk(policyOf({ spot: true }).actions.includes('ec2:CreateFleet'));
  for (const action of ['ec2:CreateFleet', 'ec2:CreateLaunchTemplate', 'ec2:DeleteLaunchTemplate']) t.ok(policyOf({ spot: { allocationStrategy: 'lowest-price' } }).actions.includes(action), action);
  t.same(policyOf({ amiName: 'web', forceDeregister: true }).of('ec2:DeregisterImage').map(({ Condition }) => Condition), [undefined], 'what it replaces has whatever tags');
  const all = policyOf({ share: { users: ['123456789012'], snapshotUsers: ['123456789012'] }, deprecateAt: Duration.days(90), deregistrationProtection: true, copyTo: ['us-east-1'], keyPair: 'temporary', vpcFilter: { 'tag:a': 'b' }, imdsSupport: 'v2.0', enaSupport: true });
  for (const action of ['ec2:ModifyImageAttribute', 'ec2:ModifySnapshotAttribute', 'ec2:EnableImageDeprecation', 'ec2:EnableImageDeregistrationProtection', 'ec2:CopyImage', 'ec2:ImportKeyPair', 'ec2:DescribeVpcs', 'ec2:ModifyInstanceAttribute']) t.ok(all.actions.includes(action), action);
  t.match(policyOf({ region: 'cn-north-1' }).of('ec2:StopInstances'), [{ Resource: 'arn:aws-cn:ec2:*:*:instance/*' }]);
  t.end();
});

t.test('every step of EC2 says what it needs', (t) => {
  for (const { kind: { kind } } of ec2Extension.steps) t.ok(kind === 'ec2.nothing' || (ec2Policy([{ kind, spec: { query: { type: 'id' }, volumes: [], snapshots: [] } } as never])['Statement'] as unknown[]).length > 0 || kind === 'ec2.imageSettings', kind);
  t.end();
});
