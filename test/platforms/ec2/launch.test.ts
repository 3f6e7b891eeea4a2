// What a machine may be asked for, as EC2 is asked for it, and what does not fit together.
import t from 'tap';
import { Size } from '../../../lib/core/size.js';
import { App } from '../../../lib/image/app.js';
import { Image } from '../../../lib/image/image.js';
import { imageMappingOf, runInput } from '../../../lib/platforms/ec2/engine/aws-input.js';
import type { InstanceRequest } from '../../../lib/platforms/ec2/engine/ec2-port.js';
import { AmiLookup, Ec2Source, HostKey, type Ec2SourceProps } from '../../../lib/platforms/ec2/index.js';
import { synthesize } from '../../../lib/synth/synthesize.js';

const least: InstanceRequest = { clientToken: 'token', imageId: 'ami-00000001', type: 't3.small', place: {}, securityGroupIds: ['sg-1'], blockDevices: [], metadata: { tokens: 'required' }, tags: { a: 'b' } };
const asked = (more: Partial<InstanceRequest>) => JSON.parse(JSON.stringify(runInput({ ...least, ...more }))) as Record<string, unknown>;

t.test('what is not said is not asked for', (t) => {
  t.same(Object.keys(asked({})).sort(), ['ClientToken', 'ImageId', 'InstanceInitiatedShutdownBehavior', 'InstanceType', 'MaxCount', 'MetadataOptions', 'MinCount', 'SecurityGroupIds', 'TagSpecifications']);
  t.end();
});

t.test('each wish is one of EC2\'s', (t) => {
  const cases: readonly (readonly [Partial<InstanceRequest>, object])[] = [
    [{ place: { subnetId: 'subnet-1' }, ipv6: true }, { SubnetId: 'subnet-1', Ipv6AddressCount: 1, SecurityGroupIds: ['sg-1'] }],
    [{ place: { subnetId: 'subnet-1' }, associatePublicIp: true, ipv6: false }, { NetworkInterfaces: [{ DeviceIndex: 0, SubnetId: 'subnet-1', Groups: ['sg-1'], AssociatePublicIpAddress: true, DeleteOnTermination: true, Ipv6AddressCount: 0 }] }],
    [{ place: { availabilityZone: 'eu-west-1a' }, tenancy: 'host', placement: { hostId: 'h-1', affinity: 'host' } }, { Placement: { AvailabilityZone: 'eu-west-1a', Tenancy: 'host', HostId: 'h-1', Affinity: 'host' } }],
    [{ placement: { group: 'near', partition: 2 } }, { Placement: { GroupName: 'near', PartitionNumber: 2 } }],
    [{ placement: { hostResourceGroupArn: 'arn:aws:resource-groups:eu-west-1:1:group/hosts' } }, { Placement: { HostResourceGroupArn: /hosts/ } }],
    [{ capacityReservation: 'none' }, { CapacityReservationSpecification: { CapacityReservationPreference: 'none' } }],
    [{ capacityReservation: { id: 'cr-1' } }, { CapacityReservationSpecification: { CapacityReservationTarget: { CapacityReservationId: 'cr-1' } } }],
    [{ capacityReservation: { resourceGroupArn: 'arn:aws:x' } }, { CapacityReservationSpecification: { CapacityReservationTarget: { CapacityReservationResourceGroupArn: 'arn:aws:x' } } }],
    [{ licenses: ['arn:aws:license-manager:eu-west-1:1:license-configuration:lic-1'], nitroEnclave: true, keyName: 'mine' }, { LicenseSpecifications: [{ LicenseConfigurationArn: /lic-1/ }], EnclaveOptions: { Enabled: true }, KeyName: 'mine' }],
    [{ spot: { maxPrice: '0.05' } }, { InstanceMarketOptions: { MarketType: 'spot', SpotOptions: { MaxPrice: '0.05' } } }],
    [{ instanceProfile: 'builder' }, { IamInstanceProfile: { Name: 'builder' } }],
    [{ instanceProfile: 'arn:aws:iam::1:instance-profile/builder' }, { IamInstanceProfile: { Arn: /builder/ } }],
    [{ cpuCredits: 'unlimited', ebsOptimized: true, metadata: { tokens: 'optional', hopLimit: 2, tags: true } }, { CreditSpecification: { CpuCredits: 'unlimited' }, EbsOptimized: true, MetadataOptions: { HttpTokens: 'optional', HttpPutResponseHopLimit: 2, InstanceMetadataTags: 'enabled' } }],
  ];
  for (const [wish, expected] of cases) t.match(asked(wish), expected, JSON.stringify(wish));
  t.notOk('InstanceInitiatedShutdownBehavior' in asked({ spot: {} }), 'EC2 takes it of no spot instance');
  t.end();
});

t.test('of a volume that the instance has, nothing is said for its image but whether it ends with its machines', (t) => {
  t.same(imageMappingOf({ deviceName: '/dev/xvda', deleteOnTermination: false }), { DeviceName: '/dev/xvda', Ebs: { DeleteOnTermination: false } });
  t.match(imageMappingOf({ deviceName: '/dev/sdg', size: 8 }), { DeviceName: '/dev/sdg', Ebs: { VolumeSize: 8, VolumeType: 'gp3', DeleteOnTermination: true } }, 'a volume that only the image has');
  const { steps } = synth({ blockDevices: [{ deviceName: '/dev/xvda', size: Size.gibibytes(12), encrypted: true, deleteOnTermination: false }, { deviceName: '/dev/sdf', snapshotId: 'snap-00000001' }] });
  t.same(steps.find(({ name }) => name === 'Ami')?.spec['blockDevices'], [{ deviceName: '/dev/xvda', deleteOnTermination: false }], 'a snapshot that is the user\'s is none of the image, with which it would be removed');
  t.end();
});

function synth(props: Partial<Ec2SourceProps>) {
  const app = new App();
  new Ec2Source(new Image(app, 'Web'), 'Ec2', { baseImage: AmiLookup.mostRecent({ owners: ['self'], name: 'base-*' }), ssh: { user: 'admin' }, ...props });
  const { plans, diagnostics } = synthesize({ apps: [app], diagnostics: [] });
  return { steps: (plans[0]?.steps ?? []).map((step) => ({ ...step, name: step.id.replace('Web/Ec2/', '') })), found: diagnostics.map(({ code, message, hint }) => `${code}: ${message} → ${hint}`) };
}

t.test('the run\'s own key goes into an image without cloud-init by EC2, and out of it again', (t) => {
  const hostKey = HostKey.fingerprint('SHA256:47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU');
  const { steps, found } = synth({ userData: false, keyPair: 'temporary', ssh: { user: 'admin', hostKey } });
  t.same(found, []);
  const specOf = (name: string) => steps.find((step) => step.name === name)?.spec;
  t.match(specOf('ImportedKeyPair'), { publicKey: { $ref: 'Web/Ec2/KeyPair#publicKey' } });
  t.match(specOf('Machine'), { keyName: { $ref: 'Web/Ec2/ImportedKeyPair#name' } });
  t.match(specOf('Tidy'), { authorizedKey: { $ref: 'Web/Ec2/KeyPair#publicKey' } });
  t.notOk('forgetMachine' in (specOf('Tidy') as object));
  t.match(synth({ keyPair: { name: 'mine' }, ssh: { user: 'admin', agent: true } }).steps.find(({ name }) => name === 'Machine')?.spec, { keyName: 'mine' });
  t.end();
});

t.test('a machine that is imaged as it runs has written everything down', (t) => {
  const own = { userData: false, ssh: { user: 'admin', agent: true, hostKey: HostKey.fingerprint('SHA256:47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU') } } as const;
  for (const props of [{ stop: false }, { spot: true }, { stop: false, ...own }]) {
    const { steps, found } = synth(props);
    t.same(found, []);
    const names = steps.map(({ name }) => name);
    t.notOk(names.includes('Stop'));
    t.ok(names.indexOf('Tidy') > 0 && names.indexOf('Tidy') < names.indexOf('Ami'), JSON.stringify(props));
    t.match(steps.find(({ name }) => name === 'Ami')?.spec, { noReboot: true });
  }
  t.notOk(synth(own).steps.some(({ name }) => name === 'Tidy'), 'one that is stopped writes it down by itself');
  t.end();
});

t.test('what does not fit together is told with the fix', (t) => {
  const cases: readonly (readonly [Partial<Ec2SourceProps>, RegExp])[] = [
    [{ keyPair: 'temporary', ssh: { user: 'admin', agent: true } }, /ConflictingProps: keyPair: 'temporary' is the run's own key/],
    [{ keyPair: 'temporary', ssh: { user: 'admin', temporaryKeyPair: { type: 'ecdsa' } } }, /no key of the type ecdsa → .*ed25519/],
    [{ keyPair: { name: 'mine' } }, /NoLogin: .*private half of the key pair mine.*privateKeyFile/],
    [{ userData: false, ssh: { user: 'admin' } }, /NoLogin: without cloud-init.*keyPair: 'temporary'/],
    [{ spot: true, stop: true }, /a spot instance cannot be stopped/],
    [{ stop: false, sriovSupport: true }, /stands still, and this one is not stopped/],
    [{ skipCreateAmi: true, stop: false }, /no image is made, so "stop" would have no effect/],
    [{ placement: { hostId: 'h-0123456789abcdef0' } }, /"placement.hostId" is a dedicated host.*tenancy: 'host'/],
    [{ placement: { hostid: 'h' } as never }, /hostid/],
    [{ address: 'ipv6', ipv6: false }, /gets no IPv6 address/],
    [{ instanceProfile: {} }, /temporary instance profile allows nothing/],
    [{ instanceProfile: { policy: { Action: 's3:GetObject' } } }, /not a policy document: it has no Statement/],
    [{ assumeRole: { arn: 'builder' } }, /must be the ARN of a role, such as arn:aws:iam::123456789012:role\/builder/],
    [{ assumeRole: { roleArn: 'x' } as never }, /roleArn/],
    [{ licenses: ['lic-1'] }, /must be an ARN/],
    [{ capacityReservation: { id: 'x' } }, /must be the id of a capacity reservation|capacityReservation/],
  ];
  for (const [props, says] of cases) t.match(synth(props).found.join('\n'), says, JSON.stringify(props));
  t.end();
});
