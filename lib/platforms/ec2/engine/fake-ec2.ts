import { BakeError } from '../../../core/bake-error.js';
import type { Clock } from '../../../core/ports.js';
import type { CreateImageRequest, Ec2Port, Filters, FleetRequest, ImageFacts, ImageQuery, InstanceFacts, InstanceRequest, InstanceState, LaunchPlace, SecurityGroupRequest, SubnetFacts, Tags } from './ec2-port.js';

/** How slow and how weak this EC2 is; milliseconds. */
export interface FakeEc2Options {
  readonly clock: Clock;
  /** For so long, what was just created is unknown to whoever looks. @default 0 */
  readonly visibleAfter?: number;
  /** Each change of a state takes so long. @default 0 */
  readonly stateAfter?: number;
  /** Types that there is no capacity for, anywhere or in one subnet (`t3.small subnet-00000001`). @default - none */
  readonly soldOut?: readonly string[];
  /** Instances end by themselves while they start, with this reason. @default - they start */
  readonly startFailure?: string;
  /** How many of them. @default - all */
  readonly startFailures?: number;
  /** Images fail, with this reason. @default - they become available */
  readonly imageFailure?: string;
  /** Called before and after each effect: a test may throw there, or hang for ever. @default - nothing happens */
  readonly boundary?: (call: string, when: 'before' | 'after') => Promise<void>;
}

interface Thing {
  readonly id: string;
  readonly tags: Tags;
  readonly createdAt: number;
}
interface Instance extends Thing {
  readonly request: InstanceRequest;
  readonly number: number;
  /** Each state with the time from which on it is so. */
  readonly states: [InstanceState, number][];
  /** Why it ended by itself. */
  reason?: string;
}
interface Group extends Thing {
  readonly name: string;
}
interface FakeImage extends Thing {
  readonly name: string;
  readonly snapshots: readonly string[];
  tags: Tags;
}

const vpcs = [{ id: 'vpc-00000001', tags: { kind: 'build' } }, { id: 'vpc-00000002', tags: { kind: 'other' } }] as const;
const subnets = [
  { id: 'subnet-00000001', vpcId: 'vpc-00000001', zone: 'eu-fake-1a', free: 200, tags: { tier: 'build' } },
  { id: 'subnet-00000002', vpcId: 'vpc-00000001', zone: 'eu-fake-1b', free: 20, tags: { tier: 'build' } },
  { id: 'subnet-00000003', vpcId: 'vpc-00000002', zone: 'eu-fake-1a', free: 2_000, tags: { tier: 'web' } },
] as const;

/** An EC2 in memory; fake-ec2.md says what it promises. */
export class FakeEc2 implements Ec2Port {
  readonly calls: string[] = [];
  readonly #options: FakeEc2Options;
  readonly #instances = new Map<string, Instance>();
  readonly #groups = new Map<string, Group>();
  readonly #images = new Map<string, FakeImage>();
  readonly #keyPairs = new Map<string, Group>();
  readonly #templates = new Map<string, { readonly createdAt: number; readonly request: InstanceRequest }>();
  readonly #snapshots = new Set<string>();
  #next = 1;
  #failedStarts = 0;

  constructor(options: FakeEc2Options) {
    this.#options = options;
    this.#images.set('ami-00000001', { id: 'ami-00000001', name: 'base-1', tags: {}, createdAt: -Infinity, snapshots: [] });
  }

  /** What there is that was made by somebody, and is not on its way out. */
  get things(): readonly string[] {
    return [
      ...[...this.#instances.values()].filter((one) => !isEnding(this.#stateOf(one))).map(({ id }) => id), ...this.#groups.keys(), ...this.#keyPairs.keys(), ...this.#templates.keys(),
      ...[...this.#images.values()].filter(({ createdAt }) => createdAt !== -Infinity).map(({ id }) => id), ...this.#snapshots,
    ];
  }

  /** Instances as they are this moment, the ended ones too; for the fake of their volumes. */
  get machines(): readonly { readonly id: string; readonly state: InstanceState; readonly request: InstanceRequest }[] {
    return [...this.#instances.values()].map((one) => ({ id: one.id, state: this.#stateOf(one), request: one.request }));
  }

  /** An image made otherwise than of an instance; its snapshots are those of the other fake. */
  addImage(name: string, tags: Tags): Promise<string> {
    return this.#change('RegisterImage', () => {
      if ([...this.#images.values()].some((image) => image.name === name)) throw new BakeError({ code: 'Ec2NameTaken', message: `${name} is taken` });
      const image: FakeImage = { id: this.#id('ami'), name, tags, createdAt: this.#now(), snapshots: [] };
      this.#images.set(image.id, image);
      return image.id;
    });
  }

  /** For the fake of volumes: what is tagged there too. */
  onTag: (ids: readonly string[], tags: Tags) => void = () => {};

  region(): Promise<string> {
    return Promise.resolve('eu-fake-1');
  }

  regions(): Promise<readonly string[]> {
    return this.#look('DescribeRegions', () => ['eu-fake-1']);
  }

  images({ ids, owners, filters = {} }: ImageQuery): Promise<readonly ImageFacts[]> {
    return this.#look('DescribeImages', () => {
      const seen = [...this.#images.values()].filter((image) => this.#isVisible(image));
      if (ids !== undefined) return ids.map((id) => this.#facts(seen.find((image) => image.id === id) ?? missing(id)));
      return seen.filter((image) => owners?.includes('self') !== true || image.createdAt !== -Infinity).filter((image) => Object.entries(filters).every(([key, values]) => matches(image, key, values))).map((image) => this.#facts(image));
    });
  }

  instances(query: { readonly ids: readonly string[] } | { readonly tags: Tags }): Promise<readonly InstanceFacts[]> {
    return this.#look('DescribeInstances', () => {
      const seen = [...this.#instances.values()].filter((one) => this.#isVisible(one));
      if ('ids' in query) return query.ids.map((id) => this.#instanceFacts(seen.find((one) => one.id === id) ?? missing(id)));
      return seen.filter(({ tags }) => hasTags(tags, query.tags)).map((one) => this.#instanceFacts(one));
    });
  }

  runInstance(request: InstanceRequest): Promise<InstanceFacts> {
    return this.#change('RunInstances', () => this.#launch(request));
  }

  #isSoldOut(type: string, { subnetId = '' }: LaunchPlace): boolean {
    return [type, `${type} ${subnetId}`].some((what) => this.#options.soldOut?.includes(what) === true);
  }

  #launch(request: InstanceRequest): InstanceFacts {
    const same = [...this.#instances.values()].find((one) => one.request.clientToken === request.clientToken);
    if (same !== undefined) return this.#instanceFacts(same);
    if (!this.#images.has(request.imageId)) return missing(request.imageId);
    for (const group of request.securityGroupIds) if (!this.#groups.has(group)) return missing(group);
    if (this.#isSoldOut(request.type, request.place)) throw new BakeError({ code: 'Ec2NoCapacity', source: 'platform', message: `no capacity for ${request.type}` });
    const now = this.#now();
    const { startFailure, startFailures = Infinity } = this.#options;
    const fails = startFailure !== undefined && this.#failedStarts++ < startFailures;
    const number = this.#next;
    const instance: Instance = { id: this.#id('i'), number, tags: request.tags, createdAt: now, request, states: [['pending', now], [fails ? 'terminated' : 'running', now + this.#delay()]], ...(fails ? { reason: startFailure } : {}) };
    this.#instances.set(instance.id, instance);
    return this.#instanceFacts(instance);
  }

  createLaunchTemplate(name: string, request: InstanceRequest): Promise<void> {
    return this.#change('CreateLaunchTemplate', () => { this.#templates.set(name, { createdAt: this.#now(), request }); });
  }

  launchTemplates({ tags }: { readonly tags: Tags }): Promise<readonly { readonly name: string; readonly tags: Tags }[]> {
    return this.#look('DescribeLaunchTemplates', () => [...this.#templates].map(([name, { createdAt, request }]) => ({ id: name, name, createdAt, tags: request.tags })).filter((one) => this.#isVisible(one) && hasTags(one.tags, tags)));
  }

  deleteLaunchTemplate(name: string): Promise<void> {
    return this.#change('DeleteLaunchTemplate', () => { this.#templates.delete(name); });
  }

  runFleet({ template, choices, clientToken, tags }: FleetRequest): Promise<InstanceFacts> {
    return this.#change('CreateFleet', () => {
      const { request } = this.#templates.get(template) ?? missing(template);
      const choice = choices.findLast(({ type, place }) => !this.#isSoldOut(type, place));
      if (choice === undefined) throw new BakeError({ code: 'Ec2NoCapacity', source: 'platform', message: `no capacity for ${choices.map(({ type }) => type).join(', ')}` });
      return this.#launch({ ...request, ...choice, clientToken, tags });
    });
  }

  checkInstance({ imageId }: InstanceRequest): Promise<void> {
    return this.#look('RunInstances', () => { if (!this.#images.has(imageId)) missing(imageId); });
  }

  stopInstance(id: string): Promise<void> {
    return this.#change('StopInstances', () => this.#go(this.#instances.get(id) ?? missing(id), 'stopping', 'stopped'));
  }

  /** Ends all instances, as EC2 does with those of spot capacity. */
  takeAway(reason: string): void {
    for (const instance of this.#instances.values()) {
      if (isEnding(this.#stateOf(instance))) continue;
      this.#go(instance, 'shutting-down', 'terminated');
      instance.reason = reason;
    }
  }

  terminateInstance(id: string): Promise<void> {
    return this.#change('TerminateInstances', () => {
      const instance = this.#instances.get(id);
      if (instance !== undefined && !isEnding(this.#stateOf(instance))) this.#go(instance, 'shutting-down', 'terminated');
    });
  }

  vpcs(filters: Filters): Promise<readonly string[]> {
    return this.#look('DescribeVpcs', () => vpcs.filter(({ tags }) => hasAll({ tags }, filters)).map(({ id }) => id));
  }

  subnets(query: { readonly ids: readonly string[] } | { readonly filters: Filters }): Promise<readonly SubnetFacts[]> {
    return this.#look('DescribeSubnets', () => {
      if ('ids' in query) return query.ids.map((id) => subnets.find((subnet) => subnet.id === id) ?? missing(id));
      return subnets.filter(({ vpcId, zone, tags }) => hasAll({ 'vpc-id': vpcId, 'availability-zone': zone, tags }, query.filters));
    });
  }

  createSecurityGroup({ name, tags }: SecurityGroupRequest): Promise<string> {
    return this.#change('CreateSecurityGroup', () => {
      if ([...this.#groups.values()].some((group) => group.name === name)) throw new BakeError({ code: 'Ec2NameTaken', message: `the group ${name} exists` });
      const group: Group = { id: this.#id('sg'), name, tags, createdAt: this.#now() };
      this.#groups.set(group.id, group);
      return group.id;
    });
  }

  allow(group: string): Promise<void> {
    return this.#change('AuthorizeSecurityGroupIngress', () => { if (!this.#groups.has(group)) missing(group); });
  }

  securityGroups(query: { readonly tags: Tags } | { readonly filters: Filters }): ReturnType<Ec2Port['securityGroups']> {
    return this.#look('DescribeSecurityGroups', () => [...this.#groups.values()].filter((group) => this.#isVisible(group) && ('tags' in query ? hasTags(group.tags, query.tags) : hasAll({ 'group-name': group.name, 'tags': group.tags }, query.filters))));
  }

  deleteSecurityGroup(id: string): Promise<void> {
    return this.#change('DeleteSecurityGroup', () => {
      const isUsed = [...this.#instances.values()].some((one) => this.#stateOf(one) !== 'terminated' && one.request.securityGroupIds.includes(id));
      if (isUsed) throw new BakeError({ code: 'Ec2InUse', source: 'platform', message: `${id} is in use`, transient: true });
      this.#groups.delete(id);
    });
  }

  importKeyPair({ name, tags }: { readonly name: string; readonly publicKey: string; readonly tags: Tags }): Promise<void> {
    return this.#change('ImportKeyPair', () => {
      if (this.#keyPairs.has(name)) throw new BakeError({ code: 'Ec2NameTaken', message: `the key pair ${name} exists` });
      this.#keyPairs.set(name, { id: name, name, tags, createdAt: this.#now() });
    });
  }

  keyPairs(query: { readonly tags: Tags }): ReturnType<Ec2Port['keyPairs']> {
    return this.#look('DescribeKeyPairs', () => [...this.#keyPairs.values()].filter((pair) => this.#isVisible(pair) && hasTags(pair.tags, query.tags)));
  }

  deleteKeyPair(name: string): Promise<void> {
    return this.#change('DeleteKeyPair', () => void this.#keyPairs.delete(name));
  }

  createImage({ instanceId, name, tags }: CreateImageRequest): Promise<string> {
    return this.#change('CreateImage', () => {
      if (!this.#instances.has(instanceId)) return missing(instanceId);
      if ([...this.#images.values()].some((image) => image.name === name)) throw new BakeError({ code: 'Ec2NameTaken', message: `${name} is taken` });
      const snapshot = this.#id('snap');
      const image: FakeImage = { id: this.#id('ami'), name, tags, createdAt: this.#now(), snapshots: [snapshot] };
      this.#images.set(image.id, image);
      this.#snapshots.add(snapshot);
      return image.id;
    });
  }

  deregisterImage(id: string, snapshots: readonly string[]): Promise<void> {
    return this.#change('DeregisterImage', () => {
      this.#images.delete(id);
      for (const snapshot of snapshots) this.#snapshots.delete(snapshot);
    });
  }

  tag(ids: readonly string[], tags: Tags): Promise<void> {
    return this.#change('CreateTags', () => { for (const id of ids) { const image = this.#images.get(id); if (image !== undefined) image.tags = { ...image.tags, ...tags }; } this.onTag(ids, tags); });
  }

  async #look<T>(call: string, work: () => T): Promise<T> {
    this.calls.push(call);
    await this.#options.boundary?.(call, 'before');
    return work();
  }

  async #change<T>(call: string, work: () => T): Promise<T> {
    const result = await this.#look(call, work);
    await this.#options.boundary?.(call, 'after');
    return result;
  }

  #go(instance: Instance, through: InstanceState, to: InstanceState): void {
    instance.states.push([through, this.#now()], [to, this.#now() + this.#delay()]);
  }

  #stateOf({ states }: Instance): InstanceState {
    return states.findLast(([, since]) => since <= this.#now())?.[0] ?? 'pending';
  }

  #instanceFacts(instance: Instance): InstanceFacts {
    const state = this.#stateOf(instance);
    const { id, number, request: { type }, tags, reason = '' } = instance;
    const hasAddress = state !== 'pending' || this.#delay() === 0;
    return { id, state, type, zone: 'eu-fake-1a', tags, reason: isEnding(state) ? reason : '', privateIp: `10.0.0.${number}`, ...(hasAddress ? { publicIp: `203.0.113.${number}`, publicDns: `ec2-${number}.example.org`, privateDns: `ip-${number}.example.org` } : {}) };
  }

  #facts({ id, name, snapshots, tags, createdAt }: FakeImage): ImageFacts {
    const isDone = this.#now() >= createdAt + this.#delay();
    const { imageFailure } = this.#options;
    const state = !isDone ? 'pending' : imageFailure !== undefined && createdAt !== -Infinity ? 'failed' : 'available';
    return { id, name, state, ...(state === 'failed' ? { reason: imageFailure ?? '' } : {}), created: new Date(Math.max(0, createdAt)).toISOString(), rootDevice: '/dev/xvda', architecture: 'x86_64', snapshots: isDone ? snapshots : [], tags };
  }

  #isVisible({ createdAt }: Thing): boolean {
    return this.#now() >= createdAt + (this.#options.visibleAfter ?? 0);
  }

  #id(prefix: string): string {
    return `${prefix}-${(this.#next++).toString(16).padStart(8, '0')}`;
  }

  #now(): number {
    return this.#options.clock.now();
  }

  #delay(): number {
    return this.#options.stateAfter ?? 0;
  }
}

function isEnding(state: InstanceState): boolean {
  return state === 'shutting-down' || state === 'terminated';
}

function missing(id: string): never {
  throw new BakeError({ code: 'Ec2NotFound', message: `there is no ${id}` });
}

function hasTags(tags: Tags, wanted: Tags): boolean {
  return Object.entries(wanted).every(([key, value]) => (value === '*' ? key in tags : tags[key] === value));
}

/** Whether what is known of a thing is what each filter asks for. */
function hasAll({ tags, ...facts }: { readonly tags: Tags; readonly [name: string]: string | Tags }, filters: Filters): boolean {
  return Object.entries(filters).every(([key, values]) => values.some((value) => value === (key.startsWith('tag:') ? tags[key.slice(4)] : facts[key])));
}

function matches({ name, tags }: FakeImage, key: string, values: readonly string[]): boolean {
  if (key === 'name') return values.some((value) => new RegExp(`^${value.replaceAll('*', '.*')}$`).test(name));
  if (key === 'tag-key') return values.some((value) => value in tags);
  return !key.startsWith('tag:') || values.includes(tags[key.slice(4)] ?? '');
}
