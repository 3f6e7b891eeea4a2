import { readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { type FakeBuild, FakeMachines } from './fake-machines.js';

const web = (text = 'does A', more: Partial<FakeBuild> = {}): FakeBuild => ({ image: 'Web', base: 'debian', provisioners: [{ name: 'A', text }], ...more });

t.test('what was built is written down: what it is, what it was built from, and by which run', async (t) => {
  const world = new FakeMachines(t.testdir());
  const { ids } = await world.run([web(), { image: 'App', base: { imageOf: 'Web' }, provisioners: [{ name: 'B', text: 'does B' }] }]);
  const records = await world.records.list();
  t.match(records.find(({ build }) => build === 'Web/B'), { image: 'Web', step: 'Web/B/Image', isMain: true, run: 'r1', lastRun: 'r1', artifact: { id: ids[0] }, fingerprint: /^[0-9a-f]{64}$/, parents: [{ digest: 'debian 1' }] });
  t.match(records.find(({ build }) => build === 'App/B'), { artifact: { id: ids[1] }, parents: [{ build: 'Web/B', id: ids[0] }] });
});

t.test('what is up to date is a result of that run too, and is not built again', async (t) => {
  const world = new FakeMachines(t.testdir());
  await world.run([web()]);
  const [first] = await world.records.list();
  await world.run([web('else')]);
  await world.run([web()]);
  const records = await world.records.list();
  t.equal(records.length, 2);
  t.match(records.find(({ name }) => name === first?.name), { run: 'r1', at: first?.at, lastRun: 'r3' }, 'the last build is the older image');
});

t.test('what can never be taken from a cache is written down as well', async (t) => {
  const world = new FakeMachines(t.testdir());
  await world.run([web('x', { provisioners: [{ name: 'M', text: 'mood', kind: 'mood' }] })]);
  const [record] = await world.records.list();
  t.match(record, { build: 'Web/B', run: 'r1' });
  t.equal(record?.fingerprint, undefined);
});

t.test('a failed build leaves no record, and a record that is not as it was written is none', async (t) => {
  const folder = t.testdir();
  const world = new FakeMachines(folder);
  world.failing.add('A');
  await world.run([web()]);
  t.same(await world.records.list(), []);
  world.failing.clear();
  await world.run([web()]);
  const [file] = readdirSync(join(folder, 'images'));
  for (const text of ['', '{"version":2}', '[]']) {
    writeFileSync(join(folder, 'images', file!), text);
    t.same(await world.records.list(), [], text);
  }
});
