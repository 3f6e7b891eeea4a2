import { BakeError } from '../../../core/bake-error.js';
import type { ImagePruning, PrunedImage, ScanHost } from '../../../engine/extension.js';
import type { OldImage, OldImagesFor, OldImagesPort } from './old-images-port.js';
import { buildTag, projectTag, tagValue } from './stamps.js';

/** When an image came to the stage that it is at: a time in ISO 8601. */
export const stageTag = 'bake:stage-since';

/** Milliseconds until EC2 takes a deprecation for past: it allows none that is. */
const soon = 60_000;

/**
 * Retires images of a project's builds that have newer ones: deprecated, so that no lookup finds them; later disabled, so that
 * nobody starts a machine of them; later removed. Before the last stage all can be taken back, and whom it hits has time to say so.
 */
export async function pruneImages(options: ImagePruning, host: ScanHost, portFor: OldImagesFor, allRegions: () => Promise<readonly string[]>): Promise<readonly PrunedImage[]> {
  const names = host.regions?.includes('all') === true ? await allRegions() : host.regions;
  const ports = names?.map((region) => portFor({ region })) ?? [portFor({})];
  return (await Promise.all(ports.map((port) => pruneRegion(port, options, host)))).flat();
}

async function pruneRegion(port: OldImagesPort, options: ImagePruning, host: ScanHost): Promise<readonly PrunedImage[]> {
  const [region, finished] = await Promise.all([port.region(), port.finished(host.signal)]);
  const all = finished.filter(({ tags }) => tags[projectTag] === tagValue(options.projectName));
  const now = host.clock.now();
  const builds = new Set(all.flatMap(({ tags }) => tags[buildTag] ?? []));
  const old = [...builds].flatMap((build) => newestFirst(all, build).slice(options.keep)).filter(({ created }) => created <= now - options.olderThan);
  const users = await port.users(old.map(({ id }) => id), host.signal);
  const outcomes: PrunedImage[] = [];
  for (const image of old) {
    const entry = (action: PrunedImage['action'], reason: string): PrunedImage => ({ title: `${image.id} ${image.name} in ${region}`, build: image.tags[buildTag]!, action, reason });
    const user = users.get(image.id);
    if (user !== undefined) outcomes.push(entry('kept', `in use by ${user}`));
    else if (image.isProtected) outcomes.push(entry('kept', 'protected against deregistration'));
    else outcomes.push(await retire(image, port, options, host, entry).catch((error: unknown) => entry('kept', `could not be retired: ${BakeError.from(error).message}`)));
  }
  return outcomes;
}

function newestFirst(all: readonly OldImage[], build: string): readonly OldImage[] {
  return all.filter(({ tags }) => tags[buildTag] === build).sort((a, b) => b.created - a.created);
}

async function retire(image: OldImage, port: OldImagesPort, { now: atOnce, grace, dryRun }: ImagePruning, { clock, signal }: ScanHost, entry: (action: PrunedImage['action'], reason: string) => PrunedImage): Promise<PrunedImage> {
  const stage = image.isDisabled ? 'disabled' : image.isDeprecated ? 'deprecated' : 'current';
  const since = Date.parse(image.tags[stageTag] ?? '');
  // Of one that its own build has deprecated, the time begins now.
  const until = (Number.isNaN(since) ? clock.now() : since) + grace;
  if (!atOnce && stage !== 'current' && Number.isNaN(since) && !dryRun) await port.tag(image.id, { [stageTag]: new Date(clock.now()).toISOString() }, signal);
  if (!atOnce && stage !== 'current' && until > clock.now()) return entry('kept', `${stage} until ${new Date(until).toISOString().slice(0, 16)}Z`);
  const next = atOnce || stage === 'disabled' ? 'removed' : stage === 'deprecated' ? 'disabled' : 'deprecated';
  if (!dryRun) {
    if (next === 'removed') await port.remove(image.id, image.snapshots, signal);
    else {
      // First the time: an image whose stage nobody knows the age of would go on to the next one at once.
      await port.tag(image.id, { [stageTag]: new Date(clock.now()).toISOString() }, signal);
      if (next === 'disabled') await port.disable(image.id, signal);
      else await port.deprecate(image.id, new Date(clock.now() + soon), signal);
    }
  }
  return entry(next, next === 'removed' ? 'with its snapshots' : next === 'disabled' ? 'nobody can start a machine of it' : 'lookups do not find it any more');
}
