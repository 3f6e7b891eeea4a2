import { createHash } from 'node:crypto';
import { Readable } from 'node:stream';
import type { ContainerPort } from '../../../communicators/docker-exec/container-port.js';
import { BakeError } from '../../../core/bake-error.js';
import { parseReference, withTag } from '../reference.js';
import type { Abortable, BuildOptions, CommitOptions, ContainerFacts, ContainerOptions, DaemonVersion, DockerEngine, ImageConfig, ImageFacts, ImageRemoval, ImportOptions, Labelled, PullOptions, PushOptions, TaggedImage } from './docker-engine.js';
import { FakeContainerPort, type FakeInside } from './fake-container-port.js';
import { type FakeFiles, packFrom, unpackInto } from './fake-files.js';
import { type FakeProgram, fakeShell } from './fake-shell.js';

interface FakeImage {
  readonly id: string;
  readonly parent: string | undefined;
  readonly config: ImageConfig;
  readonly files: FakeFiles;
  readonly tags: Set<string>;
  readonly digests: Set<string>;
  readonly comment?: string;
}

interface FakeContainer extends FakeInside {
  readonly id: string;
  readonly options: ContainerOptions;
  readonly image: string;
}

export interface FakeDockerOptions {
  /** What runs in its containers. @default fakeShell */
  readonly program?: FakeProgram;
  /** Called before each call with its name; throws to make it fail, as `DockerUnavailable` for a daemon that is gone. */
  readonly onCall?: (call: string) => void | Promise<void>;
  /** Called after the effect of each call that changes something: throws to lose the answer. */
  readonly onDone?: (call: string) => void | Promise<void>;
  /** Who may pull and push: registry → user and password. @default - everybody */
  readonly logins?: Readonly<Record<string, { readonly username: string; readonly password: string }>>;
}

const emptyConfig: ImageConfig = { user: '', workingDir: '', entrypoint: null, cmd: null, labels: {} };

/**
 * A Docker daemon in memory. Its contract is that of `DockerEngine`, in the words of `fake-docker-engine.md`; both it and the
 * real one are held to `test/platforms/docker/engine-contract.ts`.
 */
export class FakeDockerEngine implements DockerEngine {
  readonly #options: FakeDockerOptions;
  readonly #images = new Map<string, FakeImage>();
  readonly #containers = new Map<string, FakeContainer>();
  /** Reference → image, of all registries. */
  readonly #registry = new Map<string, { readonly image: FakeImage; readonly digest: string }>();
  #count = 0;

  constructor(options: FakeDockerOptions = {}) {
    this.#options = options;
  }

  /** Puts an image there, as if it had been pulled long ago: its id. */
  addImage(name: string, config: Partial<ImageConfig> = {}): string {
    const id = this.#newImage({ config: { ...emptyConfig, ...config }, files: new Map(), parent: undefined });
    this.#image(id)!.tags.add(withTag(name));
    return id;
  }
  /** Puts an image into a registry. */
  publish(reference: string, config: Partial<ImageConfig> = {}): void {
    const image: FakeImage = { id: this.#newId(), parent: undefined, config: { ...emptyConfig, ...config }, files: new Map(), tags: new Set(), digests: new Set() };
    this.#registry.set(withTag(reference), { image, digest: image.id });
  }
  /** All that exists, for asserting that nothing is left: images by name or id, containers by name. */
  get world(): { readonly images: readonly string[]; readonly containers: readonly string[] } {
    return {
      images: [...this.#images.values()].map((image) => [...image.tags][0] ?? image.id),
      containers: [...this.#containers.values()].map((container) => container.options.name),
    };
  }

  async version(): Promise<DaemonVersion> {
    await this.#enter('version');
    return { version: '0.0.0-fake', apiVersion: '1.41', os: 'linux', arch: 'amd64' };
  }

  async inspectImage(reference: string): Promise<ImageFacts | undefined> {
    await this.#enter('inspectImage');
    const image = this.#image(reference);
    return image === undefined ? undefined : { id: image.id, repoTags: [...image.tags], repoDigests: [...image.digests], size: 0, platform: 'linux/amd64', config: image.config };
  }

  async pull({ reference, auth, signal, onProgress }: PullOptions): Promise<void> {
    await this.#enter('pull', signal);
    this.#login('DockerPullFailed', reference, auth);
    const { repository, digest } = parseReference(reference);
    const published = digest === undefined ? this.#registry.get(withTag(reference)) : [...this.#registry.values()].find((one) => one.digest === digest);
    if (published === undefined) throw new BakeError({ code: 'DockerPullFailed', source: 'platform', message: `could not pull ${reference}: manifest unknown`, hint: 'check the name and the tag' });
    onProgress?.({ layer: '0123456789ab', status: 'Downloading', current: 1, total: 2 });
    onProgress?.({ layer: '0123456789ab', status: 'Pull complete' });
    if (!this.#images.has(published.image.id)) this.#images.set(published.image.id, { ...published.image, tags: new Set(), digests: new Set() });
    this.#images.get(published.image.id)!.digests.add(`${repository}@${published.digest}`);
    if (digest === undefined) this.#move(withTag(reference), published.image.id);
    await this.#leave('pull');
  }

  async push({ reference, auth, signal, onProgress }: PushOptions): Promise<string> {
    await this.#enter('push', signal);
    const image = this.#image(reference);
    if (image === undefined) throw notFound(reference);
    this.#login('DockerPushFailed', reference, auth);
    onProgress?.({ layer: '0123456789ab', status: 'Pushing', current: 2, total: 2 });
    this.#registry.set(withTag(reference), { image, digest: image.id });
    image.digests.add(`${parseReference(reference).repository}@${image.id}`);
    await this.#leave('push');
    return image.id;
  }

  /** Knows `FROM`, and `RUN` of what its shell knows. */
  async build({ context, dockerfile, labels, target, onLine, signal }: BuildOptions): Promise<string> {
    await this.#enter('build', signal);
    const files: FakeFiles = new Map();
    await unpackInto(files, '/', context);
    const lines = (files.get(`/${dockerfile}`)?.content.toString() ?? '').split('\n').filter((line) => line.trim() !== '');
    let base: FakeImage | undefined;
    for (const line of lines) {
      const [word = '', ...rest] = line.trim().split(/\s+/);
      const fail = (reason: string) => new BakeError({ code: 'DockerBuildFailed', message: `the Dockerfile failed at "${line}": ${reason}`, output: lines, hint: 'correct that instruction' });
      onLine?.(line);
      if (word === 'FROM') {
        base = this.#image(rest[0] ?? '');
        if (base === undefined) throw fail('manifest unknown');
        if (target !== undefined && rest[2] === target) break;
      } else if (word === 'RUN') {
        const code = await (this.#options.program ?? fakeShell)({ argv: ['/bin/sh', '-c', rest.join(' ')], files, stdin: async () => Buffer.alloc(0), out: (text) => onLine?.(String(text)), err: (text) => onLine?.(text), killed: signal ?? new AbortController().signal });
        signal?.throwIfAborted();
        if (code !== 0) throw fail(`returned a non-zero code: ${code}`);
      } else throw fail(`unknown instruction: ${word}`);
    }
    const id = this.#newImage({ parent: base?.id, config: { ...(base?.config ?? emptyConfig), labels: { ...base?.config.labels, ...labels } }, files: new Map(base?.files) });
    await this.#leave('build');
    return id;
  }

  async importImage({ tarball, changes, signal }: ImportOptions): Promise<string> {
    await this.#enter('importImage', signal);
    const files: FakeFiles = new Map();
    await unpackInto(files, '/', tarball).catch((error: Error) => { throw importFailure(error); });
    const id = this.#newImage({ parent: undefined, config: apply(changes, emptyConfig), files });
    await this.#leave('importImage');
    return id;
  }

  async load(archive: Readable, { signal }: Abortable = {}): Promise<void> {
    await this.#enter('load', signal);
    const files: FakeFiles = new Map();
    await unpackInto(files, '/', archive).catch((error: Error) => { throw importFailure(error); });
    const [manifest] = JSON.parse(files.get('/manifest.json')?.content.toString() ?? '[]') as { Config: string; RepoTags: string[] }[];
    if (manifest === undefined) throw importFailure(new Error('no manifest.json'));
    const id = `sha256:${manifest.Config.replace('.json', '')}`;
    const config = JSON.parse(files.get(`/${manifest.Config}`)?.content.toString() ?? '{}') as ImageConfig;
    if (!this.#images.has(id)) this.#images.set(id, { id, parent: undefined, config, files: new Map(), tags: new Set(), digests: new Set() });
    for (const tag of manifest.RepoTags) this.#move(tag, id);
    await this.#leave('load');
  }

  async tag(image: string, reference: string): Promise<void> {
    await this.#enter('tag');
    const found = this.#image(image);
    if (found === undefined) throw notFound(image);
    this.#move(withTag(reference), found.id);
    await this.#leave('tag');
  }

  async untag(reference: string): Promise<void> {
    await this.#enter('untag');
    this.#image(reference)?.tags.delete(withTag(reference));
    await this.#leave('untag');
  }

  async removeImage(id: string): Promise<ImageRemoval> {
    await this.#enter('removeImage');
    const image = this.#image(id);
    if (image === undefined) return 'missing';
    if ([...this.#containers.values()].some((container) => container.image === image.id && container.isRunning)) throw new BakeError({ code: 'DockerImageInUse', source: 'platform', message: `the image ${id} is in use` });
    image.tags.clear();
    const isKept = [...this.#images.values()].some((other) => other.parent === image.id);
    if (!isKept) this.#images.delete(image.id);
    await this.#leave('removeImage');
    return isKept ? 'kept' : 'removed';
  }

  async listImages(label: string): Promise<readonly Labelled[]> {
    await this.#enter('listImages');
    const isHidden = (image: FakeImage) => image.tags.size === 0 && [...this.#images.values()].some((other) => other.parent === image.id);
    return [...this.#images.values()].filter((image) => has(image.config.labels, label) && !isHidden(image)).map((image) => ({ id: image.id, title: [...image.tags][0] ?? image.id.slice(0, 19), labels: image.config.labels }));
  }

  async imagesNamed(repository: string): Promise<readonly TaggedImage[]> {
    await this.#enter('imagesNamed');
    const tagsOf = (image: FakeImage) => [...image.tags].filter((name) => name.startsWith(`${repository}:`)).map((name) => name.slice(repository.length + 1));
    return [...this.#images.values()].flatMap((image) => tagsOf(image).map((tag) => ({ id: image.id, tag, comment: image.comment ?? '' })));
  }

  async save(references: readonly string[]): Promise<Readable> {
    await this.#enter('save');
    const images = references.map((reference) => this.#image(reference) ?? (() => { throw notFound(reference); })());
    const [image] = images;
    const hex = image!.id.replace('sha256:', '');
    const entry = (content: unknown) => ({ type: 'file', mode: 0o644, uid: 0, gid: 0, content: Buffer.from(JSON.stringify(content)) }) as const;
    const tags = references.filter((reference) => !reference.startsWith('sha256:')).map(withTag);
    return packFrom(new Map([[`/${hex}.json`, entry(image!.config)], ['/manifest.json', entry([{ Config: `${hex}.json`, RepoTags: tags }])]]), '/.');
  }

  async createContainer(options: ContainerOptions): Promise<string> {
    await this.#enter('createContainer');
    const image = this.#image(options.image);
    if (image === undefined) throw notFound(options.image);
    if ([...this.#containers.values()].some((other) => other.options.name === options.name)) throw new BakeError({ code: 'DockerNameTaken', source: 'platform', message: `the name ${options.name} is already in use` });
    const id = this.#newId().replace('sha256:', '');
    this.#containers.set(id, { id, options, image: image.id, files: new Map(image.files), isRunning: false, processes: new Set() });
    await this.#leave('createContainer');
    return id;
  }

  async startContainer(id: string): Promise<void> {
    await this.#enter('startContainer');
    const container = this.#containers.get(id);
    if (container === undefined) throw new BakeError({ code: 'DockerContainerFailed', source: 'platform', message: `could not start a container: no such container: ${id}` });
    if (container.options.argv !== undefined && container.options.argv[0] !== '/bin/sh') throw new BakeError({ code: 'DockerContainerFailed', message: `could not start a container: exec: "${container.options.argv[0]}": no such file or directory` });
    container.isRunning = true;
    await this.#leave('startContainer');
  }

  async inspectContainer(id: string): Promise<ContainerFacts | undefined> {
    await this.#enter('inspectContainer');
    const container = this.#containers.get(id);
    if (container === undefined) return undefined;
    const labels = { ...this.#images.get(container.image)?.config.labels, ...container.options.labels };
    return { id, name: container.options.name, image: container.image, isRunning: container.isRunning, exitCode: 0, error: '', address: container.isRunning ? '172.17.0.2' : '', ports: {}, labels };
  }

  async removeContainer(id: string): Promise<void> {
    await this.#enter('removeContainer');
    const container = this.#containers.get(id);
    if (container !== undefined) {
      container.isRunning = false;
      for (const process of container.processes) process.abort();
      this.#containers.delete(id);
    }
    await this.#leave('removeContainer');
  }

  async listContainers(label: string): Promise<readonly Labelled[]> {
    await this.#enter('listContainers');
    return [...this.#containers.values()]
      .map((container) => ({ id: container.id, title: container.options.name, labels: { ...this.#images.get(container.image)?.config.labels, ...container.options.labels } }))
      .filter((container) => has(container.labels, label));
  }

  /** All commands of the fake have ended when their call has. */
  async countProcesses(id: string): Promise<number> {
    await this.#enter('countProcesses');
    return this.#containers.has(id) ? 1 : Infinity;
  }
  async commit({ container, changes, config, name, message = '' }: CommitOptions): Promise<string> {
    await this.#enter('commit');
    const found = this.#containers.get(container);
    if (found === undefined) throw new BakeError({ code: 'DockerCommitFailed', source: 'platform', message: `could not commit the container: no such container: ${container}` });
    const labels = { ...this.#images.get(found.image)?.config.labels, ...found.options.labels, ...config.labels };
    const id = this.#newImage({ parent: found.image, config: apply(changes, { ...config, labels }), files: new Map(found.files), comment: message });
    if (name !== undefined) await this.tag(id, name);
    await this.#leave('commit');
    return id;
  }

  async exportContainer(id: string): Promise<Readable> {
    await this.#enter('exportContainer');
    const container = this.#containers.get(id);
    if (container === undefined) throw new BakeError({ code: 'DockerContainerNotFound', source: 'platform', message: `could not export the container ${id}` });
    return packFrom(container.files, '/.');
  }

  container(id: string): ContainerPort {
    return new FakeContainerPort({ inside: () => this.#containers.get(id), program: this.#options.program ?? fakeShell, enter: (call) => this.#enter(call) });
  }

  async #enter(call: string, signal?: AbortSignal): Promise<void> {
    signal?.throwIfAborted();
    await this.#options.onCall?.(call);
  }
  async #leave(call: string): Promise<void> {
    await this.#options.onDone?.(call);
  }

  #newId(): string {
    return `sha256:${createHash('sha256').update(`fake ${++this.#count}`).digest('hex')}`;
  }
  #newImage({ config, files, parent, comment = '' }: Pick<FakeImage, 'config' | 'files' | 'parent' | 'comment'>): string {
    const id = this.#newId();
    this.#images.set(id, { id, parent, config, files, comment, tags: new Set(), digests: new Set() });
    return id;
  }
  #image(reference: string): FakeImage | undefined {
    const byId = this.#images.get(reference);
    if (byId !== undefined || reference.startsWith('sha256:')) return byId;
    const { repository, digest } = parseReference(reference);
    return [...this.#images.values()].find((image) => (digest === undefined ? image.tags.has(withTag(reference)) : image.digests.has(`${repository}@${digest}`)));
  }
  #move(tag: string, id: string): void {
    for (const image of this.#images.values()) image.tags.delete(tag);
    this.#images.get(id)!.tags.add(tag);
  }
  #login(code: 'DockerPullFailed' | 'DockerPushFailed', reference: string, auth: PullOptions['auth']): void {
    const wanted = this.#options.logins?.[parseReference(reference).registry ?? ''];
    if (wanted === undefined || (auth?.username === wanted.username && auth.password === wanted.password)) return;
    throw new BakeError({ code: 'DockerAuthFailed', source: 'platform', message: `could not ${code === 'DockerPullFailed' ? 'pull' : 'push'} ${reference}: no basic auth credentials`, hint: 'check auth, or log in with "docker login" as the user that runs bake' });
  }
}

const notFound = (reference: string) => new BakeError({ code: 'DockerImageNotFound', source: 'platform', message: `the daemon has no image ${reference}` });
const importFailure = (error: Error) => new BakeError({ code: 'DockerImportFailed', source: 'platform', message: `the tarball could not be imported: ${error.message}` });

function has(labels: Readonly<Record<string, string>>, filter: string): boolean {
  const [name = '', ...value] = filter.split('=');
  return name in labels && (value.length === 0 || labels[name] === value.join('='));
}

/** Knows LABEL as bake writes it, USER, WORKDIR, and CMD and ENTRYPOINT as JSON. */
function apply(changes: readonly string[], config: ImageConfig): ImageConfig {
  let result = config;
  for (const change of changes) {
    const [, word = '', rest = ''] = /^\s*(\S+)\s+(.*)$/s.exec(change) ?? [];
    const label = /^"((?:[^"\\]|\\.)*)"="((?:[^"\\]|\\.)*)"$/.exec(rest);
    const plain = (text = '') => text.replaceAll(/\\(.)/g, '$1');
    if (word === 'LABEL' && label !== null) result = { ...result, labels: { ...result.labels, [plain(label[1])]: plain(label[2]) } };
    else if (word === 'USER') result = { ...result, user: rest };
    else if (word === 'WORKDIR') result = { ...result, workingDir: rest };
    else if (word === 'CMD') result = { ...result, cmd: JSON.parse(rest) as string[] };
    else if (word === 'ENTRYPOINT') result = { ...result, entrypoint: JSON.parse(rest) as string[] };
    else if (!['ENV', 'EXPOSE', 'LABEL', 'VOLUME'].includes(word)) throw new BakeError({ code: 'DockerCommitFailed', message: `could not commit the container: unknown instruction: ${word}` });
  }
  return result;
}
