import t from 'tap';
import { leastUseful, type Weighed } from '../../../lib/engine/cache/least-useful.js';

/** Numbers from 0 to 1 that are the same for the same seed. */
function seededRandom(seed: number): () => number {
  let state = seed;
  return () => (state = (state * 1_103_515_245 + 12_345) % 2 ** 31) / 2 ** 31;
}

const one = (key: string, usedAt: number, parent?: string, bytes = 10): Weighed => ({ key, usedAt, bytes, parent });

t.test('what was used least recently goes first, until there is room', async (t) => {
  const all = [one('a', 3), one('b', 1), one('c', 2)];
  t.same(leastUseful(all, new Set(), { limit: 10 }), ['b', 'c']);
  t.same(leastUseful(all, new Set(), { limit: 30 }), []);
  t.same(leastUseful(all, new Set(), {}), [], 'without rules nothing goes');
});

t.test('what another one stands on goes after it', async (t) => {
  const chain = [one('base', 1), one('middle', 2, 'base'), one('top', 3, 'middle'), one('other', 9)];
  t.same(leastUseful(chain, new Set(), { limit: 20 }), ['top', 'middle']);
  t.same(leastUseful(chain, new Set(), { limit: 0 }), ['top', 'middle', 'base', 'other']);
});

t.test('age alone is enough, and nothing old goes from below something young', async (t) => {
  t.same(leastUseful([one('old', 1), one('young', 9)], new Set(), { before: 5 }), ['old']);
  t.same(leastUseful([one('old', 1), one('young', 9, 'old')], new Set(), { before: 5 }), []);
});

t.test('what is in use stays, with what it stands on', async (t) => {
  const all = [one('base', 1), one('used', 2, 'base'), one('above', 3, 'used')];
  t.same(leastUseful(all, new Set(['used', 'base']), { limit: 0 }), ['above']);
  t.same(leastUseful(all, new Set(['used']), { limit: 0 }), ['above'], 'whether it is marked or not');
});

t.test('over random stores: what stays stands on nothing that goes, and no more goes than must', async (t) => {
  const seed = Date.now() % 1_000_000;
  const random = seededRandom(seed);
  const pick = (count: number) => Math.floor(random() * count);
  for (let round = 0; round < 500; round++) {
    const all: Weighed[] = [];
    const size = 1 + pick(15);
    for (let index = 0; index < size; index++) all.push(one(`k${index}`, pick(100), index > 0 && random() < 0.7 ? `k${pick(index)}` : undefined, pick(50)));
    const used = new Set(all.filter(() => random() < 0.2).map(({ key }) => key));
    const rules = { limit: random() < 0.2 ? undefined : pick(400), before: random() < 0.5 ? undefined : pick(100) };
    const going = leastUseful(all, used, rules);
    const gone = new Set(going);
    const stays = all.filter(({ key }) => !gone.has(key));
    const about = `seed ${seed}, round ${round}`;
    if (stays.some(({ parent }) => parent !== undefined && gone.has(parent))) t.fail(`${about}: something stands on what goes`);
    if (going.some((key) => used.has(key))) t.fail(`${about}: something in use goes`);
    for (const [index, key] of going.entries()) {
      const { parent } = all.find((each) => each.key === key)!;
      if (parent !== undefined && going.indexOf(parent) !== -1 && going.indexOf(parent) < index) t.fail(`${about}: ${parent} goes before what stands on it`);
    }
    const total = stays.reduce((sum, { bytes }) => sum + bytes, 0);
    const isNeeded = (key: string): boolean => used.has(key) || stays.some((each) => each.parent === key && isNeeded(each.key));
    const canGo = stays.filter(({ key }) => !isNeeded(key));
    if (total > (rules.limit ?? Infinity) && canGo.length > 0) t.fail(`${about}: there is more than may be, and ${canGo.length} could go`);
    const last = all.find(({ key }) => key === going.at(-1));
    if (last !== undefined && last.usedAt >= (rules.before ?? -Infinity) && total + last.bytes <= (rules.limit ?? Infinity)) t.fail(`${about}: ${last.key} need not have gone`);
  }
  t.pass(`seed ${seed}`);
});
