import t from 'tap';
import { App } from '../../../lib/image/app.js';
import { Image } from '../../../lib/image/image.js';
import { AmiLookup, Ec2Source, type Ec2SourceProps } from '../../../lib/platforms/ec2/index.js';
import { synthesize } from '../../../lib/synth/synthesize.js';

function synth(props: Partial<Ec2SourceProps>) {
  const app = new App();
  new Ec2Source(new Image(app, 'Web'), 'Ec2', { baseImage: AmiLookup.mostRecent({ owners: ['self'], name: 'base-*' }), ssh: { user: 'admin' }, ...props });
  const { plans, diagnostics } = synthesize({ apps: [app], diagnostics: [] });
  const specOf = (name: string) => plans[0]?.steps.find(({ id }) => id === `Web/Ec2/${name}`)?.spec as Record<string, unknown> | undefined;
  return { specOf, found: diagnostics.map(({ code, message, hint }) => `${code}: ${message} → ${hint}`) };
}

t.test('what is named by its id needs no look', (t) => {
  for (const props of [{}, { subnetId: 'subnet-00000001' }, { subnetId: 'subnet-00000001', vpcId: 'vpc-00000001' }, { availabilityZone: ['eu-west-1a', 'eu-west-1b'] }, { securityGroupIds: ['sg-00000001'] }]) {
    const { specOf, found } = synth(props);
    t.same(found, []);
    t.notOk(specOf('Network'), JSON.stringify(props));
  }
  t.match(synth({ subnetId: 'subnet-00000001' }).specOf('Machine'), { subnetIds: ['subnet-00000001'] });
  t.match(synth({ availabilityZone: 'eu-west-1a' }).specOf('Machine'), { availabilityZones: ['eu-west-1a'] });
  t.end();
});

t.test('what is found by filters is where the machine and its group are', (t) => {
  const { specOf, found } = synth({ vpcFilter: { 'tag:Name': 'build' }, subnetFilter: { 'tag:tier': ['a', 'b'] }, availabilityZone: ['eu-west-1a'] });
  t.same(found, []);
  t.match(specOf('Network'), { vpcFilter: { 'tag:Name': ['build'] }, subnetFilter: { 'tag:tier': ['a', 'b'] }, availabilityZones: ['eu-west-1a'] });
  t.match(specOf('Machine'), { subnetIds: { $ref: 'Web/Ec2/Network#subnetIds' }, securityGroupIds: [{ $ref: 'Web/Ec2/SecurityGroup#id' }] });
  t.match(specOf('SecurityGroup'), { vpcId: { $ref: 'Web/Ec2/Network#vpcId' } });
  t.match(synth({ vpcId: 'vpc-00000001' }).specOf('Network'), { vpcId: 'vpc-00000001' }, 'a VPC that is not the default one needs a subnet of it');
  const groups = synth({ securityGroupFilter: { 'tag:Name': 'ssh' }, subnetId: 'subnet-00000001' });
  t.match(groups.specOf('Machine'), { securityGroupIds: { $ref: 'Web/Ec2/Network#securityGroupIds' } });
  t.match(groups.specOf('Network'), { subnetFilter: { 'subnet-id': ['subnet-00000001'] } });
  t.end();
});

t.test('through Session Manager nobody has to be let in', (t) => {
  const { specOf, found } = synth({ address: 'session-manager', region: 'us-gov-west-1', ssh: { user: 'admin', port: 2222 } });
  t.same(found, []);
  t.notOk(specOf('SecurityGroup'));
  t.notOk(specOf('Machine')?.['securityGroupIds']);
  t.match(specOf('InstanceProfile'), { managedPolicies: ['arn:aws-us-gov:iam::aws:policy/AmazonSSMManagedInstanceCore'] });
  t.match(specOf('Tunnel'), { instanceId: { $ref: 'Web/Ec2/Machine#id' }, port: 2222 });
  for (const step of ['Ready', 'Tidy']) t.match(specOf(step), { connection: { $ref: 'Web/Ec2/Tunnel#connection' } }, step);
  const given = synth({ address: 'session-manager', instanceProfile: 'mine', securityGroupIds: ['sg-00000001'] });
  t.notOk(given.specOf('InstanceProfile'));
  t.match(given.specOf('Machine'), { instanceProfile: 'mine', securityGroupIds: ['sg-00000001'] });
  t.match(synth({ address: 'session-manager', instanceProfile: { policy: { Statement: [] } } }).specOf('InstanceProfile'), { policy: /Statement/, managedPolicies: [/AmazonSSMManagedInstanceCore/] });
  t.end();
});

t.test('what is said twice, or cannot be, is told with the fix', (t) => {
  const cases: readonly (readonly [Partial<Ec2SourceProps>, RegExp])[] = [
    [{ subnetId: 'subnet-00000001', subnetFilter: { 'tag:a': 'b' } }, /ConflictingProps: "subnetId" and "subnetFilter" say the same/],
    [{ subnetId: 'subnet-00000001', availabilityZone: 'eu-west-1a' }, /"subnetId" and "availabilityZone"/],
    [{ address: 'session-manager', allowFrom: ['203.0.113.7/32'] }, /"allowFrom" lets somebody in/],
    [{ address: 'session-manager', ssh: { user: 'admin', host: '192.0.2.7' } }, /"ssh.host" is one way/],
    [{ vpcId: 'vpc-00000001', vpcFilter: { 'tag:a': 'b' } }, /"vpcId" and "vpcFilter"/],
    [{ securityGroupIds: ['sg-00000001'], securityGroupFilter: { 'tag:a': 'b' } }, /"securityGroupIds" and "securityGroupFilter"/],
    [{ securityGroupFilter: { 'tag:a': 'b' }, allowFrom: ['203.0.113.7/32'] }, /"allowFrom" is for the temporary security group, and "securityGroupFilter"/],
    [{ subnetFilter: {} }, /"subnetFilter" has no filter.*tag:Name/],
    [{ securityGroupIds: [] }, /"securityGroupIds" is empty/],
    [{ availabilityZone: [] }, /"availabilityZone" is empty/],
    [{ subnetId: 'subnet-7' }, /must be the id of a subnet, such as subnet-0123456789abcdef0/],
    [{ associatePublicIp: false }, /gets no public address.*private-ip/],
  ];
  for (const [props, says] of cases) t.match(synth(props).found.join('\n'), says, JSON.stringify(props));
  t.end();
});
