import { Readable } from 'node:stream';
import type Docker from 'dockerode';
import { BakeError, type BakeErrorOptions } from '../../../core/bake-error.js';
import { parseReference, withTag } from '../reference.js';
import { buildKitLines } from './buildkit-lines.js';
import { daemonError, reasonOf, statusOf } from './daemon-error.js';
import type { Abortable, BuildOptions, ImageConfig, ImageFacts, ImageRemoval, ImportOptions, LayerProgress, Labelled, PullOptions, PushOptions, RegistryAuth, TaggedImage } from './docker-engine.js';
import { labelChange } from './labels.js';
import { eachMessage, failureOf, type StreamMessage } from './json-stream.js';
import { registryFailure } from './registry-error.js';
import { untilAborted } from './until-aborted.js';

/** How many lines of a failed build its error shows. */
const shownLines = 15;
/** Two zero blocks: a tar with nothing in it. */
const emptyTar = 1024;

/** The image half of `DockerodeEngine`. */
export class DockerodeImages {
  readonly #docker: Docker;

  constructor(docker: Docker) {
    this.#docker = docker;
  }

  async inspect(reference: string, { signal }: Abortable = {}): Promise<ImageFacts | undefined> {
    try {
      const facts = await untilAborted(this.#docker.getImage(reference).inspect(), signal);
      return { id: facts.Id, repoTags: facts.RepoTags ?? [], repoDigests: facts.RepoDigests ?? [], size: facts.Size, platform: [facts.Os, facts.Architecture, facts.Variant].filter(Boolean).join('/'), config: configOf(facts.Config) };
    } catch (error) {
      signal?.throwIfAborted();
      if (statusOf(error) === 404) return undefined;
      throw daemonError(error, (reason) => ({ code: 'DockerFailed', message: `could not look at the image ${reference}: ${reason}` }));
    }
  }

  async pull({ reference, platform, auth, onProgress, signal }: PullOptions): Promise<void> {
    const { repository, tag, digest } = parseReference(reference);
    await this.#follow(
      () => this.#docker.createImage(authconfig(auth), { fromImage: repository, tag: digest ?? tag ?? 'latest', ...(platform === undefined ? {} : { platform }), ...abortable(signal) }) as Promise<Readable>,
      (message) => progress(message, onProgress), signal, (reason) => registryFailure('DockerPullFailed', reference, reason));
  }

  async push({ reference, platform, auth, onProgress, signal }: PushOptions): Promise<string> {
    const { repository, tag } = parseReference(reference);
    let digest = '';
    const options = { tag: tag ?? 'latest', ...(platform === undefined ? {} : { platform: JSON.stringify(platformObject(platform)) }), authconfig: authconfig(auth), ...abortable(signal) };
    await this.#follow(() => this.#docker.getImage(repository).push(options) as Promise<Readable>, (message) => {
      progress(message, onProgress);
      const aux = message.aux as { Digest?: string } | undefined;
      if (aux?.Digest !== undefined) digest = aux.Digest;
    }, signal, (reason) => (/does not exist locally|does not exist$/.test(reason) ? notFound(reference, reason) : registryFailure('DockerPushFailed', reference, reason)));
    return digest;
  }

  async build({ context, dockerfile, args, labels, target, platform, noCache, pull, network, buildKit, auths, onLine, signal }: BuildOptions): Promise<string> {
    let id = '';
    let step = '';
    const lines: string[] = [];
    const say = (line: string) => {
      // The classic builder counts the labels that bake adds as steps, so its numbers would mislead.
      step = /^(?:Step \d+\/\d+ : |\[(?:[^\]]* )?\d+\/\d+\] )(.*)$/.exec(line)?.[1] ?? step;
      lines.push(line);
      if (lines.length > shownLines) lines.shift();
      onLine?.(line);
    };
    const options = {
      dockerfile, labels: { ...labels }, rm: true, forcerm: true,
      ...(args === undefined ? {} : { buildargs: { ...args } }), ...(target === undefined ? {} : { target }), ...(platform === undefined ? {} : { platform }),
      ...(noCache === undefined ? {} : { nocache: noCache }), ...(pull === undefined ? {} : { pull: String(pull) }), ...(network === undefined ? {} : { networkmode: network }),
      ...(buildKit === true ? { version: '2' as const } : {}), ...(auths === undefined ? {} : { registryconfig: { ...auths } }), ...abortable(signal),
    };
    const trace = buildKit === true ? buildKitLines(say) : undefined;
    const fail = (reason: string) => ({
      code: 'DockerBuildFailed', source: 'user' as const, message: `the Dockerfile failed${step === '' ? '' : ` at "${step}"`}: ${reason}`, output: [...lines],
      hint: step === '' ? 'correct the Dockerfile' : 'correct that instruction; the last lines of its output are above',
    });
    await this.#follow(async () => await this.#docker.buildImage(context, options as Docker.ImageBuildOptions) as Readable, (message) => {
      for (const line of (message.stream ?? '').split('\n')) if (line.trim() !== '') say(line.trimEnd());
      if (message.id === 'moby.buildkit.trace') trace?.(message.aux as string);
      id = (message.aux as { ID?: string } | undefined)?.ID ?? id;
    }, signal, fail);
    return id;
  }

  async importImage({ tarball, changes, message, platform, signal }: ImportOptions): Promise<string> {
    let id = '';
    const options = { fromSrc: '-', changes: [...changes], ...(message === undefined ? {} : { message }), ...(platform === undefined ? {} : { platform }), ...abortable(signal) };
    await this.#follow(() => this.#docker.importImage(tarball, options) as Promise<Readable>, (line) => { if (line.status?.startsWith('sha256:')) id = line.status; }, signal, (reason) => importFailure(reason));
    return id;
  }

  async load(archive: Readable, { signal }: Abortable = {}): Promise<void> {
    await this.#follow(() => this.#docker.loadImage(archive, { quiet: true, ...abortable(signal) }) as Promise<Readable>, () => {}, signal, (reason) => importFailure(reason));
  }

  async tag(image: string, reference: string): Promise<void> {
    const { repository, tag } = parseReference(reference);
    try {
      await this.#docker.getImage(image).tag({ repo: repository, tag: tag ?? 'latest' });
    } catch (error) {
      throw daemonError(error, (reason, status) => (status === 404 ? notFound(image, reason) : { code: 'DockerTagFailed', message: `could not name ${image} ${reference}: ${reason}` }));
    }
  }

  async untag(reference: string, labels: Readonly<Record<string, string>>): Promise<void> {
    const named = await this.inspect(reference);
    if (named === undefined) return;
    if (named.repoTags.length > 1) {
      await this.#docker.getImage(withTag(reference)).remove({ noprune: true }).catch(ignoreMissing);
      return;
    }
    const scratch = await this.importImage({ tarball: Readable.from([Buffer.alloc(emptyTar)]), changes: Object.entries(labels).map(([name, value]) => labelChange(name, value)) });
    await this.tag(scratch, reference);
    await this.remove(scratch);
  }

  async remove(id: string): Promise<ImageRemoval> {
    try {
      await this.#docker.getImage(id).remove({ force: true, noprune: true });
      return 'removed';
    } catch (error) {
      if (statusOf(error) === 404) return 'missing';
      if (statusOf(error) === 409 && /dependent child images/i.test(reasonOf(error))) {
        // The daemon refused before it took the names away; without them it stays as an ancestor only.
        for (const name of (await this.inspect(id))?.repoTags ?? []) await this.#docker.getImage(name).remove({ noprune: true }).catch(ignoreMissing);
        return 'kept';
      }
      throw daemonError(error, (reason, status) => (status === 409 ? inUse(id, reason) : { code: 'DockerFailed', message: `could not remove the image ${id}: ${reason}` }));
    }
  }

  async list(label: string, { signal }: Abortable = {}): Promise<readonly Labelled[]> {
    try {
      const images = await this.#docker.listImages({ filters: { label: [label] }, ...abortable(signal) } as Docker.ListImagesOptions);
      return images.map((image) => ({ id: image.Id, title: image.RepoTags?.find((name) => name !== '<none>:<none>') ?? image.Id.slice(0, 19), labels: image.Labels ?? {} }));
    } catch (error) {
      signal?.throwIfAborted();
      throw daemonError(error, (reason) => ({ code: 'DockerFailed', message: `could not list images: ${reason}` }));
    }
  }

  async named(repository: string, { signal }: Abortable = {}): Promise<readonly TaggedImage[]> {
    try {
      const images = await this.#docker.listImages({ filters: { reference: [repository] }, ...abortable(signal) } as Docker.ListImagesOptions);
      const tagged: TaggedImage[] = [];
      for (const { Id: id, RepoTags: names } of images) {
        const facts = await untilAborted(this.#docker.getImage(id).inspect(), signal).catch((error: unknown) => { if (statusOf(error) !== 404) throw error; });
        const tags = (names ?? []).filter((name) => name.startsWith(`${repository}:`)).map((name) => name.slice(repository.length + 1));
        if (facts !== undefined) tagged.push(...tags.map((tag) => ({ id, tag, comment: facts.Comment ?? '' })));
      }
      return tagged;
    } catch (error) {
      signal?.throwIfAborted();
      throw daemonError(error, (reason) => ({ code: 'DockerFailed', message: `could not list images: ${reason}` }));
    }
  }

  async save(references: readonly string[], { signal }: Abortable = {}): Promise<Readable> {
    try {
      return await new Promise<Readable>((resolve, reject) => {
        const names = references.map((name) => `names=${encodeURIComponent(name)}`).join('&');
        // dockerode's own call takes one image only. The path gets no options, so that its query stays as it is.
        this.#docker.modem.dial({ path: `/images/get?${names}&`, method: 'GET', isStream: true, statusCodes: { 200: true, 404: 'no such image', 500: 'server error' }, abortSignal: signal } as never,
          (error, answer) => { if (error) reject(error as Error); else resolve(answer as Readable); });
      });
    } catch (error) {
      signal?.throwIfAborted();
      throw daemonError(error, (reason, status) => (status === 404 ? notFound(references.join(', '), reason) : { code: 'DockerFailed', message: `could not save ${references.join(', ')}: ${reason}` }));
    }
  }

  /** Starts a call that answers with a stream of messages, and sees it through. */
  async #follow(start: () => Promise<Readable>, onMessage: (message: StreamMessage) => void, signal: AbortSignal | undefined, describe: (reason: string) => BakeErrorOptions): Promise<void> {
    signal?.throwIfAborted();
    let failure: string | undefined;
    try {
      await eachMessage(await start(), (message) => { onMessage(message); failure ??= failureOf(message); }, signal);
    } catch (error) {
      signal?.throwIfAborted();
      throw daemonError(error, describe);
    }
    if (failure !== undefined) throw new BakeError({ source: 'platform', ...describe(failure) });
  }
}

function ignoreMissing(error: unknown): void {
  if (statusOf(error) !== 404) throw daemonError(error, (reason) => ({ code: 'DockerTagFailed', message: `could not take a name away: ${reason}` }));
}

const abortable = (signal: AbortSignal | undefined): { abortSignal?: AbortSignal } => (signal === undefined ? {} : { abortSignal: signal });

/** Without a login the daemon still wants the header: an empty one. */
const authconfig = (auth: RegistryAuth | undefined): Docker.AuthConfig => (auth ?? {}) as Docker.AuthConfig;

function progress(message: StreamMessage, onProgress: ((progress: LayerProgress) => void) | undefined): void {
  if (message.id === undefined || message.status === undefined || !/^[0-9a-f]{12}$/.test(message.id)) return;
  const { current, total } = message.progressDetail ?? {};
  onProgress?.({ layer: message.id, status: message.status, ...(current === undefined ? {} : { current }), ...(total === undefined ? {} : { total }) });
}

function configOf(config: { User?: string; WorkingDir?: string; Entrypoint?: string | string[] | null; Cmd?: string[] | null; Labels?: Record<string, string> | null } | undefined): ImageConfig {
  const entrypoint = config?.Entrypoint ?? null;
  return { user: config?.User ?? '', workingDir: config?.WorkingDir ?? '', entrypoint: typeof entrypoint === 'string' ? [entrypoint] : entrypoint, cmd: config?.Cmd ?? null, labels: config?.Labels ?? {} };
}

const notFound = (reference: string, reason: string) => ({ code: 'DockerImageNotFound', message: `the daemon has no image ${reference}: ${reason}`, hint: 'it may have been removed meanwhile; build or pull it again' });
const inUse = (reference: string, reason: string) => ({ code: 'DockerImageInUse', message: `the image ${reference} is in use: ${reason}`, hint: 'remove the container that uses it, with "docker rm -f <container>"' });
const importFailure = (reason: string) => (/no space left/i.test(reason)
  ? { code: 'DockerImportFailed', message: `the tarball could not be imported: ${reason}`, hint: 'make room on the disk of the daemon, for example with "docker system prune"' }
  : { code: 'DockerImportFailed', message: `the tarball could not be imported: ${reason}`, hint: 'is it a tar archive, plain or compressed with gzip, bzip2 or xz? "tar -tf <file>" lists one' });

function platformObject(platform: string): { os: string; architecture: string; variant?: string } {
  const [os = '', architecture = '', variant] = platform.split('/');
  return { os, architecture, ...(variant === undefined ? {} : { variant }) };
}
