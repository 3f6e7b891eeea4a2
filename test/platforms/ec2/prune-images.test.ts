import t from 'tap';
import type { ImagePruning, ScanHost } from '../../../lib/engine/extension.js';
import type { OldImage, OldImagesPort } from '../../../lib/platforms/ec2/engine/old-images-port.js';
import { pruneImages } from '../../../lib/platforms/ec2/engine/prune-images.js';
import { fakeClock } from '../../engine/fake-world.js';

const day = 24 * 60 * 60_000;

/** A region in memory; what is changed there is seen at the next look. */
function world(...given: readonly (Partial<OldImage> & { readonly id: string; readonly age: number })[]) {
  const clock = fakeClock();
  const start = clock.now();
  const images = new Map(given.map(({ age, tags, ...image }) => [image.id, {
    name: image.id, created: start - age * day, isDisabled: false, isDeprecated: false, isProtected: false, snapshots: [`snap-${image.id}`], tags: { 'bake:project': 'shop', 'bake:build': 'Web/Ec2', ...tags }, ...image,
  } as OldImage]));
  const used = new Map<string, string>();
  const change = async (id: string, more: Partial<OldImage>) => void images.set(id, { ...images.get(id)!, ...more });
  const port: OldImagesPort = {
    region: async () => 'eu-fake-1', finished: async () => [...images.values()], users: async () => used,
    deprecate: (id, at) => { t.ok(at.getTime() > clock.now(), 'EC2 takes no time that is past'); return change(id, { isDeprecated: true }); },
    disable: (id) => change(id, { isDisabled: true }), remove: async (id) => void images.delete(id), tag: (id, tags) => change(id, { tags: { ...images.get(id)!.tags, ...tags } }),
  };
  const host = { clock, signal: new AbortController().signal } as unknown as ScanHost;
  const prune = async (options: Partial<ImagePruning> = {}) => (await pruneImages({ projectName: 'shop', keep: 1, olderThan: 30 * day, grace: 7 * day, now: false, dryRun: false, ...options }, host, () => port, async () => ['eu-fake-1'])).map(({ title, action, reason }) => `${title.split(' ')[0]} ${action}: ${reason}`);
  return { clock, images, used, prune };
}

t.test('an old image goes a stage at a time, and stays at each for the grace', async (t) => {
  const { clock, images, prune } = world({ id: 'ami-new', age: 40 }, { id: 'ami-old', age: 50 });
  t.same(await prune({ dryRun: true }), ['ami-old deprecated: lookups do not find it any more']);
  t.notOk(images.get('ami-old')?.isDeprecated, 'a dry run changes nothing');
  await prune();
  t.ok(images.get('ami-old')?.isDeprecated);
  t.match(await prune(), [/^ami-old kept: deprecated until \d{4}-/]);
  await clock.sleep(7 * day);
  t.same(await prune(), ['ami-old disabled: nobody can start a machine of it']);
  t.match(await prune(), [/^ami-old kept: disabled until/]);
  await clock.sleep(7 * day);
  t.same(await prune(), ['ami-old removed: with its snapshots']);
  t.same([...images.keys()], ['ami-new']);
  t.same(await prune(), []);
});

t.test('the newest of each build stay, and so does what is young, in use or protected', async (t) => {
  const { images, used, prune } = world(
    { id: 'ami-1', age: 1 }, { id: 'ami-2', age: 20 }, { id: 'ami-3', age: 60 }, { id: 'ami-4', age: 70 }, { id: 'ami-5', age: 80, isProtected: true }, { id: 'ami-6', age: 90 },
    { id: 'ami-other', age: 400, tags: { 'bake:build': 'Db/Ec2' } }, { id: 'ami-before', age: 400, tags: { 'bake:build': undefined as never } }, { id: 'ami-theirs', age: 500, tags: { 'bake:project': 'blog' } },
  );
  used.set('ami-4', 'launch template web, version 3');
  t.same(await prune({ now: true, dryRun: true }), ['ami-3 removed: with its snapshots', 'ami-4 kept: in use by launch template web, version 3', 'ami-5 kept: protected against deregistration', 'ami-6 removed: with its snapshots']);
  t.equal(images.size, 9);
  await prune({ now: true, keep: 3 });
  t.same([...images.keys()], ['ami-1', 'ami-2', 'ami-3', 'ami-4', 'ami-5', 'ami-other', 'ami-before', 'ami-theirs'], 'another project may have a build of the same name');
  t.same(await prune({ keep: 0, olderThan: 0, now: true, dryRun: true }).then((lines) => lines.filter((line) => /other|before|theirs/.test(line))), ['ami-other removed: with its snapshots'], 'what no build is named on is never touched');
});

t.test('of one that its own build has deprecated the time begins when it is first seen', async (t) => {
  const { clock, images, prune } = world({ id: 'ami-new', age: 40 }, { id: 'ami-old', age: 50, isDeprecated: true });
  t.match(await prune(), [/^ami-old kept: deprecated until/]);
  t.ok(images.get('ami-old')?.tags['bake:stage-since']);
  await clock.sleep(7 * day);
  t.match(await prune(), [/^ami-old disabled/]);
});
