// Objects and imports in memory. Contract: an object is there when its upload has ended, and parts of it before; removing takes both, and succeeds if there is
// nothing. An import reads its object when it is started, is active for some time, and then completed with a snapshot that carries no tags, or ended. One that
// is cancelled ends some time later, and what it had made goes. It is told of for ever.
import { BakeError } from '../../../lib/core/bake-error.js';
import type { Clock } from '../../../lib/core/ports.js';
import type { FakeEc2Options } from '../../../lib/platforms/ec2/engine/fake-ec2.js';
import type { FakeVolumes } from '../../../lib/platforms/ec2/engine/fake-volumes.js';
import type { ImportFacts, ImportPort, ImportRequest } from '../../../lib/platforms/ec2/engine/import-port.js';
import type { ObjectContent, ObjectPlace, ObjectPort } from '../../../lib/platforms/ec2/engine/object-port.js';

interface Task {
  readonly id: string;
  readonly request: ImportRequest;
  readonly since: number;
  cancelledAt: number;
  snapshot?: ReturnType<FakeVolumes['addSnapshot']>;
}

type Options = Pick<FakeEc2Options, 'boundary' | 'clock'> & { readonly volumes: FakeVolumes; /** Milliseconds. */ readonly importTakes?: number; /** Why imports fail. */ readonly importFailure?: string };

export class FakeBucket implements ObjectPort, ImportPort {
  readonly objects = new Map<string, 'parts' | 'whole'>();
  readonly #tasks = new Map<string, Task>();
  readonly #clock: Clock;
  readonly #options: Options;

  constructor(options: Options) {
    this.#clock = options.clock;
    this.#options = options;
  }

  /** What is there that somebody must remove. */
  get things(): readonly string[] {
    return [...this.objects.keys(), ...[...this.#tasks.values()].map((task) => this.#facts(task)).filter(({ state }) => state === 'active').map(({ id }) => id)];
  }

  async checkBucket(bucket: string): Promise<void> {
    if (bucket !== 'imports') throw new BakeError({ code: 'NoSuchBucket', message: bucket });
  }

  async upload({ key }: ObjectPlace, _content: ObjectContent, onBytes: (bytes: number) => void): Promise<void> {
    await this.#change('CreateMultipartUpload', () => { this.objects.set(key, 'parts'); });
    onBytes(1);
    await this.#change('CompleteMultipartUpload', () => { this.objects.set(key, 'whole'); });
  }

  isThere({ key }: ObjectPlace): Promise<boolean> {
    return this.#look('HeadObject', () => this.objects.has(key));
  }

  remove({ key }: ObjectPlace): Promise<void> {
    return this.#change('DeleteObject', () => { this.objects.delete(key); });
  }

  start(request: ImportRequest): Promise<string> {
    return this.#change('ImportSnapshot', () => {
      const known = [...this.#tasks.values()].find((task) => task.request.clientToken === request.clientToken);
      if (known !== undefined) return known.id;
      if (this.objects.get(request.key) !== 'whole') throw new BakeError({ code: 'Ec2Refused', message: `there is no ${request.key}` });
      const id = `import-snap-${this.#tasks.size + 1}`;
      this.#tasks.set(id, { id, request, since: this.#clock.now(), cancelledAt: Infinity });
      return id;
    });
  }

  tasks(query: { readonly ids: readonly string[] } | { readonly tags: Readonly<Record<string, string>> }): Promise<readonly ImportFacts[]> {
    return this.#look('DescribeImportSnapshotTasks', () => {
      const all = [...this.#tasks.values()].map((task) => this.#facts(task));
      return all.filter(({ id, tags }) => ('ids' in query ? query.ids.includes(id) : Object.entries(query.tags).every(([key, value]) => tags[key] === value)));
    });
  }

  cancel(id: string): Promise<void> {
    return this.#change('CancelImportTask', () => {
      const task = this.#tasks.get(id);
      if (task !== undefined && this.#facts(task).state === 'active') task.cancelledAt = this.#clock.now();
    });
  }

  #facts(task: Task): ImportFacts {
    const { importTakes = 30_000, importFailure: message, volumes } = this.#options;
    const { id, request: { tags }, since, cancelledAt } = task;
    const now = this.#clock.now();
    if (cancelledAt < Infinity) return { id, tags, state: now >= cancelledAt + 5_000 ? 'ended' : 'active', message: 'cancelled' };
    if (now < since + importTakes) return { id, tags, state: 'active', progress: Math.floor((now - since) * 100 / importTakes) };
    if (message !== undefined) return { id, tags, state: 'ended', message };
    if (task.snapshot === undefined) {
      task.snapshot = volumes.addSnapshot({});
      task.snapshot.complete();
    }
    return { id, tags, state: 'completed', snapshotId: task.snapshot.id };
  }

  async #look<T>(call: string, work: () => T): Promise<T> {
    await this.#options.boundary?.(call, 'before');
    return work();
  }

  async #change<T>(call: string, work: () => T): Promise<T> {
    const result = await this.#look(call, work);
    await this.#options.boundary?.(call, 'after');
    return result;
  }
}
