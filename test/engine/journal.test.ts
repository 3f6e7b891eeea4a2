import t from 'tap';
import { Journal, parseJournal, type JournalEntry, type JournalStore } from '../../lib/engine/journal.js';
import { ledgerOf } from '../../lib/engine/ledger.js';

const closed = (at: number): JournalEntry => ({ type: 'run.closed', at });

t.test('entries of the same moment share one write, in order, and a durable one syncs them all', async (t) => {
  const writes: [string, boolean][] = [];
  const store: JournalStore = { append: async (lines, durable) => { writes.push([lines, durable]); }, close: async () => {} };
  const journal = new Journal(store);
  await Promise.all([journal.append(closed(1), 'eventual'), journal.append(closed(2), 'durable'), journal.append(closed(3), 'eventual')]);
  t.same(writes.map(([lines, durable]) => [lines.trim().split('\n').map((line) => JSON.parse(line).at), durable]), [[[1, 2, 3], true]]);
  await journal.append(closed(4), 'eventual');
  t.equal(writes.length, 2, 'a later one starts a new write');
});

t.test('a write that fails fails each entry of it, and the next is tried again', async (t) => {
  let isFull = true;
  const journal = new Journal({ append: async () => { if (isFull) throw new Error('ENOSPC'); }, close: async () => {} });
  const results = await Promise.allSettled([journal.append(closed(1), 'durable'), journal.append(closed(2), 'durable')]);
  t.match(results, [{ status: 'rejected', reason: { code: 'JournalNotWritable' } }, { status: 'rejected' }]);
  isFull = false;
  await t.resolves(journal.append(closed(3), 'durable'));
});

t.test('a torn last line counts as never written; a damaged one before it is told', async (t) => {
  const line = JSON.stringify(closed(1));
  t.equal(parseJournal(`${line}\n{"type":"run.cl`, 'j').length, 1);
  t.throws(() => parseJournal(`{"type"\n${line}\n`, 'j'), { code: 'JournalCorrupt', message: /line 1 of j/ });
  t.throws(() => parseJournal('{"type":"run.opened","version":99}\n', 'j'), { code: 'JournalTooNew' });
});

t.test('what is owed comes in the order in which it must go; artifacts of a build that succeeded are kept', async (t) => {
  const begun = (step: string, lifetime: 'run' | 'artifact'): JournalEntry => ({ type: 'resource.begun', step, kind: 'k', title: step, build: 'B', platform: 'p', lifetime, token: step, spec: {}, needs: [], at: 1 });
  const entries: JournalEntry[] = [begun('net', 'run'), begun('machine', 'run'), begun('image', 'artifact'), { type: 'resource.acquired', step: 'image', handle: { id: 1 }, at: 2 }];
  t.same(ledgerOf(entries).owed.map((item) => item.begun.step), ['image', 'machine', 'net']);
  const after = ledgerOf([...entries, { type: 'build.succeeded', build: 'B', at: 3 }, { type: 'resource.released', step: 'machine', at: 4 }]);
  t.same([after.owed.map((item) => item.begun.step), after.kept.map((item) => item.begun.step)], [['net'], ['image']]);
});

t.test('a damaged line is found even if the one after it is torn, and so is a line that is no entry', async (t) => {
  for (const text of ['{"type":"run.op\n{"type":"re', 'null\n', '5\n{"to', '{}\n']) t.throws(() => parseJournal(text, 'j'), { code: 'JournalCorrupt', message: 'line 1 of j is damaged' }, text);
});
