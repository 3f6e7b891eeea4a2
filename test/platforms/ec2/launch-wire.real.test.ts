// moto looks at few of the wishes that a machine or a registered image may have. What these calls are on the wire is held
// against the vendor's own description of them; what EC2 does then, nothing here can show.
import t, { type Test } from 'tap';
import { awsEc2 } from '../../../lib/platforms/ec2/engine/aws-ec2.js';
import { awsOldImages } from '../../../lib/platforms/ec2/engine/aws-old-images.js';
import { awsVolumes } from '../../../lib/platforms/ec2/engine/aws-volumes.js';
import type { InstanceRequest } from '../../../lib/platforms/ec2/engine/ec2-port.js';
import { type Answers, startEc2Recorder } from '../../support/ec2-recorder.js';
import { need } from '../../support/need.js';

process.env['AWS_ACCESS_KEY_ID'] = 'test';
process.env['AWS_SECRET_ACCESS_KEY'] = 'test';

const { signal } = new AbortController();

async function start(t: Test, answers: Answers = {}) {
  const recorder = await startEc2Recorder(t, answers);
  return { calls: recorder.calls, access: { region: 'us-east-1', endpoint: recorder.url } };
}

t.test('a machine with every wish', async (t) => {
  if (!(await need(t, 'moto'))) return;
  const { calls, access } = await start(t, { RunInstances: '<instancesSet><item><instanceId>i-1</instanceId><instanceState><name>pending</name></instanceState></item></instancesSet>' });
  const request: InstanceRequest = {
    clientToken: 'token', imageId: 'ami-1', type: 'm5.large', place: { subnetId: 'subnet-1' }, associatePublicIp: true, ipv6: true, securityGroupIds: ['sg-1'], keyName: 'bake-1', instanceProfile: 'bake-1',
    blockDevices: [{ deviceName: '/dev/xvda', size: 12, type: 'io2', iops: 4_000, encrypted: true, kmsKeyId: 'alias/web' }, { deviceName: '/dev/sdb', noDevice: true }],
    metadata: { tokens: 'required', hopLimit: 2, tags: true }, tenancy: 'host', placement: { hostId: 'h-1', affinity: 'host', group: 'near', partition: 2 }, capacityReservation: { id: 'cr-1' },
    licenses: ['arn:aws:license-manager:us-east-1:123456789012:license-configuration:lic-1'], nitroEnclave: true, ebsOptimized: true, cpuCredits: 'unlimited', tags: { a: 'b' }, userData: Buffer.from('#cloud-config\n'),
  };
  await awsEc2(access).runInstance(request, signal);
  await awsEc2(access).runInstance({ ...request, clientToken: 'other', spot: { maxPrice: '0.05' } }, signal);
  t.strictSame(calls[0], { action: 'RunInstances', input: {
    ImageId: 'ami-1', InstanceType: 'm5.large', MinCount: 1, MaxCount: 1, ClientToken: 'token', InstanceInitiatedShutdownBehavior: 'terminate', KeyName: 'bake-1', IamInstanceProfile: { Name: 'bake-1' },
    NetworkInterfaces: [{ DeviceIndex: 0, AssociatePublicIpAddress: true, DeleteOnTermination: true, Groups: ['sg-1'], SubnetId: 'subnet-1', Ipv6AddressCount: 1 }],
    Placement: { Tenancy: 'host', HostId: 'h-1', Affinity: 'host', GroupName: 'near', PartitionNumber: 2 }, CapacityReservationSpecification: { CapacityReservationTarget: { CapacityReservationId: 'cr-1' } },
    BlockDeviceMappings: [{ DeviceName: '/dev/xvda', Ebs: { DeleteOnTermination: true, VolumeType: 'io2', VolumeSize: 12, Iops: 4_000, Encrypted: true, KmsKeyId: 'alias/web' } }, { DeviceName: '/dev/sdb', NoDevice: '' }],
    MetadataOptions: { HttpTokens: 'required', HttpEndpoint: 'enabled', HttpPutResponseHopLimit: 2, InstanceMetadataTags: 'enabled' }, EbsOptimized: true, CreditSpecification: { CpuCredits: 'unlimited' },
    LicenseSpecifications: [{ LicenseConfigurationArn: 'arn:aws:license-manager:us-east-1:123456789012:license-configuration:lic-1' }], EnclaveOptions: { Enabled: true },
    TagSpecifications: ['instance', 'volume', 'network-interface'].map((ResourceType) => ({ ResourceType, Tags: [{ Key: 'a', Value: 'b' }] })), UserData: Buffer.from('#cloud-config\n').toString('base64'),
  } });
  t.match(calls[1]?.input, { InstanceMarketOptions: { MarketType: 'spot', SpotOptions: { MaxPrice: '0.05', SpotInstanceType: 'one-time', InstanceInterruptionBehavior: 'terminate' } } });
  t.notOk('InstanceInitiatedShutdownBehavior' in (calls[1]!.input as object));
});

t.test('a spot instance that EC2 chooses', async (t) => {
  if (!(await need(t, 'moto'))) return;
  const { calls, access } = await start(t, { CreateFleet: '<fleetInstanceSet><item><instanceIds><item>i-1</item></instanceIds><instanceType>m5.large</instanceType><launchTemplateAndOverrides><overrides><availabilityZone>us-east-1b</availabilityZone></overrides></launchTemplateAndOverrides></item></fleetInstanceSet>' });
  const ec2 = awsEc2(access);
  const request: InstanceRequest = {
    clientToken: 'token', imageId: 'ami-1', type: 't3.small', place: { subnetId: 'subnet-1' }, ipv6: true, securityGroupIds: ['sg-1'], blockDevices: [], metadata: { tokens: 'required' }, spot: { allocationStrategy: 'capacity-optimized-prioritized' }, tags: { a: 'b' },
  };
  await ec2.createLaunchTemplate('bake-1', request, signal);
  t.match(await ec2.runFleet({ template: 'bake-1', strategy: 'capacity-optimized-prioritized', clientToken: 'token', maxPrice: '0.05', choices: [{ type: 't3.small', place: { subnetId: 'subnet-1' } }, { type: 'm5.large', place: { availabilityZone: 'us-east-1b' } }], tags: { a: 'b' } }, signal), { id: 'i-1', type: 'm5.large', zone: 'us-east-1b' });
  const Tags = [{ Key: 'a', Value: 'b' }];
  t.strictSame(calls.map(({ action, input }) => [action, Object.fromEntries(Object.entries(input as object).filter(([name]) => name !== 'ClientToken'))]), [
    ['CreateLaunchTemplate', {
      LaunchTemplateName: 'bake-1', TagSpecifications: [{ ResourceType: 'launch-template', Tags }],
      LaunchTemplateData: {
        ImageId: 'ami-1', NetworkInterfaces: [{ DeviceIndex: 0, DeleteOnTermination: true, Groups: ['sg-1'], Ipv6AddressCount: 1 }], MetadataOptions: { HttpTokens: 'required', HttpEndpoint: 'enabled' },
        TagSpecifications: ['instance', 'volume', 'network-interface', 'spot-instances-request'].map((ResourceType) => ({ ResourceType, Tags })),
      },
    }],
    ['CreateFleet', {
      Type: 'instant', TargetCapacitySpecification: { TotalTargetCapacity: 1, DefaultTargetCapacityType: 'spot' }, SpotOptions: { AllocationStrategy: 'capacity-optimized-prioritized' }, TagSpecifications: [{ ResourceType: 'fleet', Tags }],
      LaunchTemplateConfigs: [{ LaunchTemplateSpecification: { LaunchTemplateName: 'bake-1', Version: '$Latest' }, Overrides: [
        { InstanceType: 't3.small', SubnetId: 'subnet-1', MaxPrice: '0.05', Priority: 0 }, { InstanceType: 'm5.large', AvailabilityZone: 'us-east-1b', MaxPrice: '0.05', Priority: 1 },
      ] }],
    }],
  ]);
});

t.test('a fleet that has no capacity says why', async (t) => {
  if (!(await need(t, 'moto'))) return;
  const errors = (...codes: readonly string[]) => ({ CreateFleet: `<errorSet>${codes.map((code) => `<item><errorCode>${code}</errorCode><errorMessage>no ${code}</errorMessage></item>`).join('')}</errorSet>` });
  const fleet = { template: 'bake-1', strategy: 'lowest-price', clientToken: 'token', choices: [{ type: 't3.small', place: {} }], tags: {} } as const;
  for (const [answers, expected] of [
    [errors('InsufficientInstanceCapacity', 'SpotMaxPriceTooLow'), { code: 'Ec2NoCapacity', message: /InsufficientInstanceCapacity/ }], [errors('InsufficientInstanceCapacity', 'UnauthorizedOperation'), { code: 'Ec2Denied' }], [{ CreateFleet: '<errorSet/>' }, { code: 'Ec2NoCapacity' }],
  ] as const) {
    const { access } = await start(t, answers);
    await t.rejects(awsEc2(access).runFleet(fleet, signal), expected);
  }
});

t.test('an image of the machine is told nothing of its volumes but whether they end with its own machines', async (t) => {
  if (!(await need(t, 'moto'))) return;
  const { calls, access } = await start(t, { CreateImage: '<imageId>ami-2</imageId>' });
  await awsEc2(access).createImage({ instanceId: 'i-1', name: 'web', noReboot: false, blockDevices: [{ deviceName: '/dev/xvda', deleteOnTermination: false }], tags: { a: 'b' } }, signal);
  t.strictSame(calls, [{ action: 'CreateImage', input: { InstanceId: 'i-1', Name: 'web', NoReboot: false, BlockDeviceMappings: [{ DeviceName: '/dev/xvda', Ebs: { DeleteOnTermination: false } }], TagSpecifications: [{ ResourceType: 'image', Tags: [{ Key: 'a', Value: 'b' }] }] } }]);
});

t.test('an image that is put together of snapshots', async (t) => {
  if (!(await need(t, 'moto'))) return;
  const { calls, access } = await start(t, { RegisterImage: '<imageId>ami-3</imageId>' });
  t.equal(await awsVolumes(access).register({
    name: 'bare', description: 'from nothing', architecture: 'arm64', rootDeviceName: '/dev/xvda', bootMode: 'uefi', uefiData: 'QU1aTg==', tpmSupport: 'v2.0', ena: true, sriov: true, tags: { a: 'b' },
    devices: [{ deviceName: '/dev/xvda', snapshotId: 'snap-1', size: 8, type: 'gp3', throughput: 250 }, { deviceName: '/dev/sdg', size: 20, encrypted: true, deleteOnTermination: false }],
  }, signal), 'ami-3');
  t.match(calls, [{ action: 'RegisterImage', input: {
    Name: 'bare', Description: 'from nothing', Architecture: 'arm64', RootDeviceName: '/dev/xvda', VirtualizationType: 'hvm', BootMode: 'uefi', UefiData: 'QU1aTg==', TpmSupport: 'v2.0', EnaSupport: true, SriovNetSupport: 'simple',
    BlockDeviceMappings: [{ DeviceName: '/dev/xvda', Ebs: { SnapshotId: 'snap-1', VolumeSize: 8, VolumeType: 'gp3', Throughput: 250 } }, { DeviceName: '/dev/sdg', Ebs: { VolumeSize: 20, Encrypted: true, DeleteOnTermination: false } }],
    TagSpecifications: [{ ResourceType: 'image', Tags: [{ Key: 'a', Value: 'b' }] }],
  } }]);
});

t.test('images that are old: all of them are seen, and each stage is one call', async (t) => {
  if (!(await need(t, 'moto'))) return;
  const item = (id: string, more: string) => `<item><imageId>${id}</imageId><name>web</name><creationDate>2026-01-02T03:04:05.000Z</creationDate>${more}</item>`;
  const { calls, access } = await start(t, { DescribeImages: `<imagesSet>${item('ami-1', '<imageState>disabled</imageState>')}${item('ami-2', '<imageState>available</imageState><deprecationTime>2026-02-01T00:00:00.000Z</deprecationTime><deregistrationProtection>enabled</deregistrationProtection>')}</imagesSet>` });
  const images = awsOldImages(access);
  t.match(await images.finished(signal), [{ id: 'ami-1', isDisabled: true, isDeprecated: false, isProtected: false, created: Date.UTC(2026, 0, 2, 3, 4, 5) }, { id: 'ami-2', isDisabled: false, isDeprecated: true, isProtected: true }]);
  await images.deprecate('ami-2', new Date('2027-06-30T12:00:00Z'), signal);
  await images.disable('ami-2', signal);
  t.match(calls, [
    { action: 'DescribeImages', input: { Owners: ['self'], IncludeDeprecated: true, IncludeDisabled: true, Filters: [{ Name: 'tag-key', Values: ['bake:run'] }, { Name: 'tag:bake:state', Values: ['finished'] }] } },
    { action: 'EnableImageDeprecation', input: { ImageId: 'ami-2', DeprecateAt: '2027-06-30T12:00:00Z' } }, { action: 'DisableImage', input: { ImageId: 'ami-2' } },
  ]);
});
