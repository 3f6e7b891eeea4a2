import type { IConstruct } from 'constructs';
import { Duration } from '../../core/duration.js';
import { checkProps } from '../../image/check-props.js';
import type { Fault } from './check-ec2-props.js';
import type { Ec2BlockDevice } from './ec2-props.js';
import type { Ec2Copy, Ec2FastLaunch, Ec2ImageProps, Ec2RegionProps, Ec2Sharing } from './image-props.js';
import { copiesOf } from './plan-image.js';

const regionNames: Readonly<Record<keyof Required<Ec2RegionProps>, true>> = { share: true, fastLaunch: true, ssmParameter: true };
const copyNames: Readonly<Record<keyof Required<Ec2Copy>, true>> = { ...regionNames, region: true, name: true, encrypted: true, kmsKeyId: true, tags: true, completionDuration: true };
const shareNames: Readonly<Record<keyof Required<Ec2Sharing>, true>> = { users: true, groups: true, organizations: true, organizationalUnits: true, snapshotUsers: true, snapshotGroups: true };
const fastLaunchNames: Readonly<Record<keyof Required<Ec2FastLaunch>, true>> = { launchTemplate: true, maxParallelLaunches: true, targetResourceCount: true };

/** For a source's own list. */
export const imagePropNames: Readonly<Record<keyof Required<Ec2ImageProps>, true>> = {
  ...regionNames, copyTo: true, encryptBoot: true, kmsKeyId: true, skipSaveBuildRegion: true, deprecateAt: true, deregistrationProtection: true, imdsSupport: true,
};

/** EC2's own limit. */
const longestUntilDeprecation = Duration.days(3_653);

type Props = Ec2ImageProps & { readonly region?: string; readonly blockDevices?: readonly Ec2BlockDevice[] };
/** How the volumes of an image in one region are encrypted. */
interface Encryption {
  readonly isEncrypted: boolean;
  readonly kmsKeyId?: string | undefined;
}

/** Finds what cannot become of an image. */
export function checkImageProps(source: IConstruct, props: Props, fault: Fault): void {
  const copies = copiesOf(props);
  if (props.copyTo !== undefined && !Array.isArray(props.copyTo)) fault('InvalidProp', '"copyTo" is not a list', "write copyTo: ['us-east-1']");
  for (const copy of copies) checkProps(source, copy, copyNames);
  for (const { fastLaunch } of [props, ...copies]) if (typeof fastLaunch === 'object') checkFastLaunch(source, fastLaunch, fault);
  checkRegions(props, copies, fault);
  checkEncryption(props, copies, fault);
  checkDeprecation(props, fault);
  const own = props.skipSaveBuildRegion === true ? [] : [{ at: 'the image', share: props.share, ...encryptionOf(props) }];
  const others = copies.map((copy) => ({ at: `the copy in ${copy.region}`, share: copy.share ?? props.share, ...encryptionOf(props, copy) }));
  for (const { at, share, ...encryption } of [...own, ...others]) if (share !== undefined) checkSharing(source, { at, share, encryption }, fault);
}

function checkRegions({ region, skipSaveBuildRegion }: Props, copies: readonly Ec2Copy[], fault: Fault): void {
  const names = copies.map((copy) => copy.region);
  for (const name of new Set(names.filter((one, index) => names.indexOf(one) !== index))) fault('InvalidProp', `"copyTo" has the region ${name} twice`, 'leave one of them out');
  if (region !== undefined && names.includes(region)) fault('InvalidProp', `"copyTo" has ${region}, where the image is made`, 'leave it out; encryptBoot and kmsKeyId are for the image there');
  if (skipSaveBuildRegion === true && copies.length === 0) fault('ConflictingProps', 'with "skipSaveBuildRegion" only copies stay, and there are none', 'name regions in copyTo');
}

function checkEncryption(props: Props, copies: readonly Ec2Copy[], fault: Fault): void {
  const { kmsKeyId, encryptBoot, skipSaveBuildRegion } = props;
  if (kmsKeyId !== undefined && encryptBoot !== true) fault('ConflictingProps', '"kmsKeyId" is the key for "encryptBoot", which is not on', 'add encryptBoot: true, or give the block device its kmsKeyId');
  if (kmsKeyId !== undefined && skipSaveBuildRegion === true) fault('ConflictingProps', '"kmsKeyId" is the key of an image that "skipSaveBuildRegion" leaves out', 'give the copies their own kmsKeyId');
  for (const copy of copies) {
    if (copy.encrypted !== false) continue;
    if (copy.kmsKeyId !== undefined) fault('ConflictingProps', `the copy in ${copy.region} has "kmsKeyId" and is not to be encrypted`, 'leave one of them out');
    if (encryptedDevice(props) !== undefined) fault('ConflictingProps', `the copy in ${copy.region} is not to be encrypted, and ${encryptedDevice(props)!.deviceName} is`, 'EC2 makes no unencrypted copies of encrypted volumes: leave encrypted: false out');
  }
}

function encryptionOf(props: Props, copy?: Ec2Copy): Encryption {
  const device = encryptedDevice(props);
  if (copy === undefined) return props.encryptBoot === true ? { isEncrypted: true, kmsKeyId: props.kmsKeyId } : { isEncrypted: device !== undefined, kmsKeyId: device?.kmsKeyId };
  // A key is of one region: what is encrypted gets the default one of the other, unless one is named.
  return { isEncrypted: copy.encrypted ?? (copy.kmsKeyId !== undefined || props.encryptBoot === true || device !== undefined), kmsKeyId: copy.kmsKeyId };
}

/** The one whose key is the most difficult to share. */
function encryptedDevice({ blockDevices = [] }: Props): Ec2BlockDevice | undefined {
  const encrypted = blockDevices.filter((device) => device.encrypted === true && device.noDevice !== true);
  return encrypted.find(({ kmsKeyId }) => isDefaultKey(kmsKeyId)) ?? encrypted[0];
}

/** Whether a volume is encrypted with the account's own key for EBS. */
export function isDefaultKey(kmsKeyId: string | undefined): boolean {
  return kmsKeyId === undefined || /(^|:)alias\/aws\/ebs$/.test(kmsKeyId);
}

function checkSharing(source: IConstruct, { at, share, encryption }: { readonly at: string; readonly share: Ec2Sharing; readonly encryption: Encryption }, fault: Fault): void {
  checkProps(source, share, shareNames);
  const shared = (Object.entries(share) as [string, readonly string[] | undefined][]).filter(([, list]) => list !== undefined && list.length > 0).map(([name]) => `"${name}"`);
  if (!encryption.isEncrypted || shared.length === 0) return;
  const isPublic = [...share.groups ?? [], ...share.snapshotGroups ?? []].length > 0;
  if (isPublic) fault('CannotShare', `${at} is encrypted, and what is encrypted cannot be for everybody`, 'share it with accounts by users, or leave it unencrypted');
  else if (isDefaultKey(encryption.kmsKeyId)) fault('CannotShare', `${at} is encrypted with the account's default key, which nobody else can use, so ${shared.join(', ')} would have no effect`, 'give kmsKeyId: a key of your own, whose policy lets them use it');
}

function checkFastLaunch(source: IConstruct, fastLaunch: Ec2FastLaunch, fault: Fault): void {
  checkProps(source, fastLaunch, fastLaunchNames);
  const { id, name } = fastLaunch.launchTemplate ?? {};
  if (fastLaunch.launchTemplate !== undefined && (id === undefined) === (name === undefined)) fault('InvalidProp', '"fastLaunch.launchTemplate" needs an id or a name, one of them', "write launchTemplate: { name: 'windows' }");
}

function checkDeprecation({ deprecateAt }: Props, fault: Fault): void {
  if (deprecateAt instanceof Date && Number.isNaN(deprecateAt.getTime())) fault('InvalidProp', '"deprecateAt" is not a time', "write new Date('2027-06-30T00:00:00Z') or Duration.days(90)");
  if (deprecateAt instanceof Duration && deprecateAt.toMilliseconds() > longestUntilDeprecation.toMilliseconds()) fault('InvalidProp', `"deprecateAt" is ${deprecateAt.toString()} from now, and EC2 takes 10 years at most`, 'leave it out for an image that is never deprecated');
}
