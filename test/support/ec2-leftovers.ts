import { DescribeImagesCommand, DescribeInstancesCommand, DescribeKeyPairsCommand, DescribeLaunchTemplatesCommand, DescribeSecurityGroupsCommand, DescribeSnapshotsCommand, DescribeVolumesCommand, EC2Client } from '@aws-sdk/client-ec2';
import { IAMClient, ListInstanceProfilesCommand, ListRolesCommand } from '@aws-sdk/client-iam';

/** Roles of bake's own, wherever the region. */
async function rolesAt(endpoint: string): Promise<readonly string[]> {
  const iam = new IAMClient({ endpoint, region: 'eu-west-1', credentials: { accessKeyId: 'test', secretAccessKey: 'test' } });
  const [{ Roles = [] }, { InstanceProfiles = [] }] = await Promise.all([iam.send(new ListRolesCommand({ PathPrefix: '/bake/' })), iam.send(new ListInstanceProfilesCommand({ PathPrefix: '/bake/' }))]);
  return [...Roles.map(({ RoleName }) => `role ${RoleName}`), ...InstanceProfiles.map(({ InstanceProfileName }) => `instance profile ${InstanceProfileName}`)];
}

const ours = [{ Name: 'tag-key', Values: ['bake:run'] }];

/** A client of the tests' own for a server that takes any login. */
export function ec2Client(endpoint: string, region = 'eu-west-1'): EC2Client {
  return new EC2Client({ endpoint, region, credentials: { accessKeyId: 'test', secretAccessKey: 'test' } });
}

/** All that carries our tag and is temporary: instances that are not gone, volumes, groups, key pairs, images, snapshots, those of no image that is finished, and roles. */
export async function ec2Leftovers(client: EC2Client): Promise<readonly string[]> {
  const [instances, groups, keyPairs, templates, volumes, images, snapshots] = await Promise.all([
    client.send(new DescribeInstancesCommand({ Filters: ours })), client.send(new DescribeSecurityGroupsCommand({ Filters: ours })),
    client.send(new DescribeKeyPairsCommand({ Filters: ours })), client.send(new DescribeLaunchTemplatesCommand({ Filters: ours })), client.send(new DescribeVolumesCommand({ Filters: ours })), client.send(new DescribeImagesCommand({ Owners: ['self'] })), client.send(new DescribeSnapshotsCommand({ OwnerIds: ['self'] })),
  ]);
  const alive = (instances.Reservations ?? []).flatMap(({ Instances = [] }) => Instances).filter(({ State }) => State?.Name !== 'terminated');
  const own = (images.Images ?? []).filter(({ Tags = [] }) => Tags.some(({ Key }) => Key === 'bake:run'));
  const isFinished = ({ Tags }: { readonly Tags?: readonly { readonly Key?: string | undefined; readonly Value?: string | undefined }[] | undefined }) => Tags?.some(({ Key, Value }) => Key === 'bake:state' && Value === 'finished') === true;
  const isTemporary = ({ Tags }: Parameters<typeof isFinished>[0]) => Tags?.some(({ Key, Value }) => Key === 'bake:state' && Value === 'temporary') === true;
  const kept = new Set(own.filter(isFinished).flatMap(({ BlockDeviceMappings = [] }) => BlockDeviceMappings.map(({ Ebs }) => Ebs?.SnapshotId)));
  return [
    ...await rolesAt(await endpointOf(client)), ...alive.map(({ InstanceId }) => `instance ${InstanceId}`), ...(groups.SecurityGroups ?? []).map(({ GroupName }) => `group ${GroupName}`), ...(keyPairs.KeyPairs ?? []).map(({ KeyName }) => `key pair ${KeyName}`),
    ...(templates.LaunchTemplates ?? []).map(({ LaunchTemplateName }) => `launch template ${LaunchTemplateName}`),
    ...(volumes.Volumes ?? []).filter((volume) => !isFinished(volume)).map(({ VolumeId }) => `volume ${VolumeId}`), ...own.filter((image) => !isFinished(image)).map(({ ImageId }) => `image ${ImageId}`),
    ...(snapshots.Snapshots ?? []).filter(isTemporary).map(({ SnapshotId }) => `snapshot ${SnapshotId}`),
    // What the server makes by itself for its own images carries no tag of anybody.
    ...(snapshots.Snapshots ?? []).filter(({ SnapshotId, Description = '' }) => /CreateImage\(i-/.test(Description) && !kept.has(SnapshotId)).map(({ SnapshotId }) => `snapshot ${SnapshotId}`),
  ];
}

async function endpointOf(client: EC2Client): Promise<string> {
  const { protocol, hostname, port } = await client.config.endpoint!();
  return `${protocol}//${hostname}:${port}`;
}
