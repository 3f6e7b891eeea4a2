import type { BuildPlanner, CompiledStep, PlannedStep } from '../../image/compile.js';
import type { TextInput } from '../../image/ref.js';
import type { Ec2Copy, Ec2ImageProps, Ec2RegionProps } from './image-props.js';
import { ec2AmiCopy, ec2FastLaunch, ec2Image, ec2ImageNames, ec2ImageProtection, ec2ImageSettings, ec2SsmParameter, type ImageSpec } from './image-steps.js';
import type { Ec2Access } from './steps.js';

type Tags = Readonly<Record<string, string>>;
type Planner = Pick<BuildPlanner, 'step'>;

/** What a source has made, and how it is to be called. */
export interface MadeImage {
  readonly access: Ec2Access;
  /** Has the outputs of `ec2.ami`. */
  readonly ami: PlannedStep;
  /** The image that it was made of, with the outputs of `ec2.baseImage`. @default - none */
  readonly base?: PlannedStep | undefined;
  /** @default - that of `base` */
  readonly architecture?: unknown;
  readonly name?: TextInput | undefined;
  /** Fills in what a name has in braces. */
  readonly named: (text: TextInput) => TextInput;
  /** Of a name that no other run gives. */
  readonly namePrefix: string;
  readonly description?: TextInput | undefined;
  readonly replace: boolean;
  readonly tags: Tags;
  /** Of its snapshots, beside `tags`. */
  readonly snapshotTags?: Tags | undefined;
}

/** One image that stays. */
interface Place {
  /** Ends the names of its steps, and their titles. */
  readonly suffix: string;
  readonly where: string;
  readonly access: Ec2Access;
  readonly image: PlannedStep;
  readonly wishes: Ec2RegionProps;
  readonly tags: Tags;
}

/** A new copy of an image that is there, or another setting, needs no machine. */
const kept = { lifetime: 'artifact', needsMachine: false } as const;

/** Whether the image of the machine is only there to be copied. */
export function isIntermediate({ encryptBoot, skipSaveBuildRegion }: Ec2ImageProps): boolean {
  return encryptBoot === true || skipSaveBuildRegion === true;
}

/** What is asked for of each other region. */
export function copiesOf({ copyTo = [] }: Ec2ImageProps): readonly Ec2Copy[] {
  return Array.isArray(copyTo) ? (copyTo as NonNullable<Ec2ImageProps['copyTo']>).map((copy) => (typeof copy === 'string' ? { region: copy } : copy)) : [];
}

/**
 * Plans a look at whether the names are free, for the machine to wait for. Copies of an image that stays are not looked at: a
 * new one must not make the machine another.
 */
export function planImageNames(build: Planner, props: Ec2ImageProps, { access, name, named, replace }: Pick<MadeImage, 'access' | 'name' | 'named' | 'replace'>): readonly PlannedStep[] {
  if (replace) return [];
  const copies = props.skipSaveBuildRegion === true ? copiesOf(props) : [];
  const wished = copies.length === 0 ? [{ access, name }] : copies.map((copy) => ({ access: { ...access, region: copy.region }, name: copy.name === undefined ? name : named(copy.name) }));
  const names = wished.filter((one) => one.name !== undefined);
  return names.length === 0 ? [] : [build.step('Names', { kind: ec2ImageNames, title: 'is the name free', spec: { names } })];
}

/**
 * Plans what becomes of an image: copies, who may use them, and where their ids are written.
 * @returns the step with the artifact
 */
export function planImage(build: Planner, props: Ec2ImageProps, made: MadeImage): PlannedStep {
  const { step, after } = compileImage(build, props, made);
  return build.step('Image', step, { ...kept, after });
}

/** As `planImage`, but for the last step, which is given as it goes into the plan, with those that it waits for. */
export function compileImage(build: Planner, props: Ec2ImageProps, made: MadeImage): { readonly step: CompiledStep; readonly after: readonly PlannedStep[] } {
  const places = [...ownPlace(build, props, made), ...copiesOf(props).map((copy) => copyPlace(build, props, made, copy))];
  const settled = places.flatMap((place) => settle(build, props, place));
  const parameters = places.flatMap((place) => writeParameters(build, place, settled));
  const step: CompiledStep<ImageSpec> = {
    kind: ec2Image, title: places.length === 1 ? 'finish the image' : `finish the images of ${places.length} regions`,
    spec: {
      images: places.map(({ access, image, tags }) => ({ access, id: image.ref('id'), region: image.ref('region'), name: image.ref('name'), snapshots: image.ref('snapshots'), token: image.ref('token'), tags, snapshotTags: made.snapshotTags })),
      parameters: parameters.map(({ access, step }) => ({ access, name: step.ref('name'), imageId: step.ref('imageId') })),
      sourceAmi: made.base?.ref('id'), sourceAmiName: made.base?.ref('name'), architecture: made.architecture ?? made.base?.ref('architecture'),
    },
  };
  return { step, after: settled };
}

function ownPlace(build: Planner, props: Ec2ImageProps, made: MadeImage): readonly Place[] {
  if (props.skipSaveBuildRegion === true) return [];
  const { access, ami, tags } = made;
  const image = props.encryptBoot === true ? copy(build, made, 'Encrypted', { title: 'encrypted copy', access, tags, spec: { encrypted: true, kmsKeyId: props.kmsKeyId } }) : ami;
  return [{ suffix: '', where: '', access, image, wishes: props, tags }];
}

function copyPlace(build: Planner, props: Ec2ImageProps, made: MadeImage, { region, name, encrypted, kmsKeyId, tags, completionDuration, ...own }: Ec2Copy): Place {
  const access = { ...made.access, region };
  const allTags = { ...made.tags, ...tags };
  const isEncrypted = encrypted ?? (kmsKeyId !== undefined || props.encryptBoot === true ? true : undefined);
  const image = copy(build, made, `Copy-${region}`, { title: `copy to ${region}`, access, tags: allTags, spec: { encrypted: isEncrypted, kmsKeyId, completionDuration, ...(name === undefined ? {} : { name: made.named(name) }) } });
  const { share, fastLaunch, ssmParameter } = props;
  return { suffix: `-${region}`, where: ` in ${region}`, access, image, wishes: { ...defined({ share, fastLaunch, ssmParameter }), ...defined(own) }, tags: allTags };
}

function copy(build: Planner, made: MadeImage, step: string, { title, access, tags, spec }: { readonly title: string; readonly access: Ec2Access; readonly tags: Tags; readonly spec: object }): PlannedStep {
  const { ami, name, namePrefix, description, replace, snapshotTags } = made;
  return build.step(step, {
    kind: ec2AmiCopy, title,
    spec: { access, from: made.access, sourceId: ami.ref('id'), sourceRegion: ami.ref('region'), name, namePrefix, description, replace, tags, snapshotTags: { ...tags, ...snapshotTags }, encrypted: undefined, kmsKeyId: undefined, completionDuration: undefined, ...spec },
  }, kept);
}

/** All that can be done for one image as soon as it is there; what makes it hard to remove comes last. */
function settle(build: Planner, props: Ec2ImageProps, { suffix, where, access, image, wishes }: Place): readonly PlannedStep[] {
  const { deprecateAt, imdsSupport, deregistrationProtection: protection = false } = props;
  const { share, fastLaunch = false } = wishes;
  const imageId = image.ref('id');
  const settings = build.step(`Settings${suffix}`, {
    kind: ec2ImageSettings, title: `${share === undefined ? 'settings of the image' : 'share the image'}${where}`,
    spec: { access, imageId, snapshots: image.ref('snapshots'), token: image.ref('token'), ...sharing(share), imdsSupport, deprecateAt: deprecateAt instanceof Date ? deprecateAt.toISOString() : deprecateAt },
  }, { needsMachine: false });
  const fast = fastLaunch === false ? [] : [build.step(`FastLaunch${suffix}`, {
    kind: ec2FastLaunch, title: `prepare fast launches${where}`, spec: { access, imageId, launchTemplate: undefined, maxParallelLaunches: undefined, targetResourceCount: undefined, ...(fastLaunch === true ? {} : fastLaunch) },
  }, kept)];
  const before = [settings, ...fast];
  if (protection === false) return before;
  return [...before, build.step(`Protection${suffix}`, {
    kind: ec2ImageProtection, title: `protect the image${where}`, spec: { access, imageId, cooldown: typeof protection === 'object' && protection.cooldown === true },
  }, { ...kept, after: before })];
}

function sharing({ users, groups, organizations, organizationalUnits, snapshotUsers, snapshotGroups }: Ec2RegionProps['share'] = {}) {
  const some = (members: Readonly<Record<string, readonly string[] | undefined>>) => (Object.values(members).some((list) => list !== undefined && list.length > 0) ? members : undefined);
  return { launch: some({ users, groups, organizations, organizationalUnits }), snapshot: some({ users: snapshotUsers, groups: snapshotGroups }) };
}

function writeParameters(build: Planner, { suffix, where, access, image, wishes: { ssmParameter = [] } }: Place, after: readonly PlannedStep[]): readonly { readonly access: Ec2Access; readonly step: PlannedStep }[] {
  const names = Array.isArray(ssmParameter) ? ssmParameter as readonly TextInput[] : [ssmParameter as TextInput];
  return names.map((name, index) => ({
    access, step: build.step(`Parameter${suffix}${index === 0 ? '' : `-${index + 1}`}`, {
      kind: ec2SsmParameter, title: `parameter ${typeof name === 'string' ? name : 'of Systems Manager'}${where}`, spec: { access, name, imageId: image.ref('id') },
    }, { ...kept, after }),
  }));
}

function defined<T extends object>(values: T): Partial<T> {
  return Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined)) as Partial<T>;
}
