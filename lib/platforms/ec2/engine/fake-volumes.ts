import { BakeError } from '../../../core/bake-error.js';
import type { Tags } from './ec2-port.js';
import type { FakeEc2, FakeEc2Options } from './fake-ec2.js';
import type { RegisterRequest, SnapshotFacts, SnapshotRequest, VolumeFacts, VolumePort } from './volume-port.js';

/** How slow and how weak they are; milliseconds. */
export interface FakeVolumesOptions extends Pick<FakeEc2Options, 'clock' | 'visibleAfter' | 'stateAfter' | 'boundary'> {
  /** Snapshots fail, with this reason. @default - they are completed */
  readonly snapshotFailure?: string;
}

interface Volume {
  readonly id: string;
  tags: Tags;
  attached: { readonly instanceId: string; readonly deviceName: string; endsWithInstance: boolean } | undefined;
  /** From then on it is as it says. */
  since: number;
}
interface Snapshot {
  readonly id: string;
  readonly volumeId: string;
  readonly createdAt: number;
  /** When EC2 has begun to complete it; infinity while that is waited for. */
  since: number;
  tags: Tags;
}

/** Volumes and snapshots in memory; fake-volumes.md says what they promise. */
export class FakeVolumes implements VolumePort {
  readonly #ec2: FakeEc2;
  readonly #options: FakeVolumesOptions;
  readonly #seen = new Set<string>();
  readonly #volumes = new Map<string, Volume>();
  readonly #snapshots = new Map<string, Snapshot>();
  readonly #ofImages = new Map<string, readonly string[]>();
  #next = 1;

  constructor(ec2: FakeEc2, options: FakeVolumesOptions) {
    this.#ec2 = ec2;
    this.#options = options;
    ec2.onTag = (ids, tags) => {
      this.#follow();
      for (const id of ids) for (const thing of [this.#volumes.get(id), this.#snapshots.get(id)]) if (thing !== undefined) thing.tags = { ...thing.tags, ...tags };
    };
  }

  /** What there is that does not go by itself. */
  get things(): readonly string[] {
    this.#follow();
    return [...[...this.#volumes.values()].filter(({ attached }) => attached?.endsWithInstance !== true).map(({ id }) => id), ...this.#snapshots.keys()];
  }

  volumes(query: { readonly ids: readonly string[] } | { readonly tags: Tags } | { readonly instanceId: string }): Promise<readonly VolumeFacts[]> {
    return this.#look('DescribeVolumes', () => {
      const all = [...this.#volumes.values()];
      if ('ids' in query) return query.ids.map((id) => this.#facts(this.#volume(id)));
      return all.filter((one) => ('tags' in query ? hasTags(one.tags, query.tags) : one.attached?.instanceId === query.instanceId)).map((one) => this.#facts(one));
    });
  }

  setEnd(instanceId: string, deviceName: string, endsWithInstance: boolean): Promise<void> {
    return this.#change('ModifyInstanceAttribute', () => {
      const instance = this.#ec2.machines.find(({ id }) => id === instanceId);
      if (instance === undefined) return missing(instanceId);
      if (instance.state === 'terminated' || instance.state === 'shutting-down') throw inUse(`${instanceId} is ${instance.state}`);
      const volume = [...this.#volumes.values()].find(({ attached }) => attached?.instanceId === instanceId && attached.deviceName === deviceName);
      if (volume?.attached === undefined) return missing(deviceName);
      volume.attached.endsWithInstance = endsWithInstance;
    });
  }

  detach(volumeId: string): Promise<void> {
    return this.#change('DetachVolume', () => {
      const volume = this.#volume(volumeId);
      if (volume.attached === undefined) throw inUse(`${volumeId} is available`);
      volume.attached = undefined;
      volume.since = this.#now() + this.#delay();
    });
  }

  attach(volumeId: string, instanceId: string, deviceName: string): Promise<void> {
    return this.#change('AttachVolume', () => {
      const volume = this.#volume(volumeId);
      if (volume.attached !== undefined) throw inUse(`${volumeId} is in use`);
      volume.attached = { instanceId, deviceName, endsWithInstance: false };
      volume.since = this.#now() + this.#delay();
    });
  }

  deleteVolume(id: string): Promise<void> {
    return this.#change('DeleteVolume', () => {
      if (this.#volumes.get(id)?.attached !== undefined) throw inUse(`${id} is in use`);
      this.#volumes.delete(id);
    });
  }

  createSnapshot({ volumeId, tags }: SnapshotRequest): Promise<string> {
    return this.#change('CreateSnapshot', () => {
      this.#volume(volumeId);
      const snapshot: Snapshot = { id: this.#id('snap'), volumeId, tags, createdAt: this.#now(), since: this.#now() };
      this.#snapshots.set(snapshot.id, snapshot);
      return snapshot.id;
    });
  }

  /** For another fake: a snapshot of no volume, which is pending until it is told to complete. */
  addSnapshot(tags: Tags): { readonly id: string; readonly isThere: () => boolean; readonly isSeen: () => boolean; readonly complete: () => void } {
    const snapshot: Snapshot = { id: this.#id('snap'), volumeId: 'vol-ffffffff', tags, createdAt: this.#now(), since: Infinity };
    this.#snapshots.set(snapshot.id, snapshot);
    const isThere = () => this.#snapshots.has(snapshot.id);
    return { id: snapshot.id, isThere, isSeen: () => isThere() && this.#now() >= snapshot.createdAt + (this.#options.visibleAfter ?? 0), complete: () => { snapshot.since = this.#now(); } };
  }

  snapshots(query: { readonly ids: readonly string[] } | { readonly tags: Tags }): Promise<readonly SnapshotFacts[]> {
    return this.#look('DescribeSnapshots', () => {
      const seen = [...this.#snapshots.values()].filter(({ createdAt }) => this.#now() >= createdAt + (this.#options.visibleAfter ?? 0));
      const found = 'ids' in query ? query.ids.map((id) => seen.find((one) => one.id === id) ?? missing(id)) : seen.filter(({ tags }) => hasTags(tags, query.tags));
      return found.map((one) => this.#snapshotFacts(one));
    });
  }

  deleteSnapshot(id: string): Promise<void> {
    return this.#change('DeleteSnapshot', () => {
      const there = new Set(this.#ec2.things);
      if ([...this.#ofImages].some(([image, snapshots]) => there.has(image) && snapshots.includes(id))) throw inUse(`${id} is in use by an image`);
      this.#snapshots.delete(id);
    });
  }

  async register({ name, devices, tags }: RegisterRequest): Promise<string> {
    this.#follow();
    const used = devices.flatMap(({ snapshotId }) => (snapshotId === undefined ? [] : [snapshotId]));
    for (const id of used) if (this.#snapshotFacts(this.#snapshots.get(id) ?? missing(id)).state !== 'completed') throw new BakeError({ code: 'Ec2Refused', message: `${id} is not completed` });
    const id = await this.#ec2.addImage(name, tags);
    this.#ofImages.set(id, used);
    return id;
  }

  /** Instances come with volumes, and take them with them or not. */
  #follow(): void {
    for (const { id, state, request } of this.#ec2.machines) {
      if (!this.#seen.has(id)) {
        this.#seen.add(id);
        for (const { deviceName } of request.blockDevices) {
          const volume: Volume = { id: this.#id('vol'), tags: request.tags, attached: { instanceId: id, deviceName, endsWithInstance: true }, since: 0 };
          this.#volumes.set(volume.id, volume);
        }
      }
      if (state !== 'terminated') continue;
      for (const volume of [...this.#volumes.values()].filter(({ attached }) => attached?.instanceId === id)) {
        if (volume.attached?.endsWithInstance === true) this.#volumes.delete(volume.id);
        else volume.attached = undefined;
      }
    }
  }

  async #look<T>(call: string, work: () => T): Promise<T> {
    await this.#options.boundary?.(call, 'before');
    this.#follow();
    return work();
  }

  async #change<T>(call: string, work: () => T): Promise<T> {
    const result = await this.#look(call, work);
    await this.#options.boundary?.(call, 'after');
    return result;
  }

  #volume(id: string): Volume {
    return this.#volumes.get(id) ?? missing(id);
  }

  #facts({ id, tags, attached, since }: Volume): VolumeFacts {
    const isSettled = this.#now() >= since;
    return { id, tags, zone: 'eu-fake-1a', state: (attached === undefined) === isSettled ? 'available' : 'in-use', ...(attached === undefined ? {} : { attached: { ...attached } }) };
  }

  #snapshotFacts({ id, volumeId, tags, since }: Snapshot): SnapshotFacts {
    const { snapshotFailure: reason } = this.#options;
    if (this.#now() < since + this.#delay()) return { id, volumeId, tags, state: 'pending' };
    return reason === undefined ? { id, volumeId, tags, state: 'completed' } : { id, volumeId, tags, state: 'failed', reason };
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

function missing(id: string): never {
  throw new BakeError({ code: 'Ec2NotFound', message: `there is no ${id}` });
}

function inUse(message: string): BakeError {
  return new BakeError({ code: 'Ec2InUse', source: 'platform', message, transient: true });
}

function hasTags(tags: Tags, wanted: Tags): boolean {
  return Object.entries(wanted).every(([key, value]) => (value === '*' ? key in tags : tags[key] === value));
}
