import t from 'tap';
import { Joint } from '../../../lib/platforms/ec2/engine/joint.js';

/** Work that a test ends. */
function open() {
  const begun: { readonly signal: AbortSignal; readonly resolve: (value: string) => void; readonly reject: (error: Error) => void }[] = [];
  const work = (signal: AbortSignal) => new Promise<string>((resolve, reject) => { begun.push({ signal, resolve, reject }); });
  return { begun, work };
}

t.test('who wants the same at the same time gets it by one piece of work; who comes later, by another', async (t) => {
  const joint = new Joint<string>();
  const { begun, work } = open();
  const { signal } = new AbortController();
  const both = [joint.join('a', signal, work), joint.join('a', signal, work)];
  void joint.join('b', signal, work);
  t.equal(begun.length, 2);
  begun[0]!.resolve('done');
  t.same(await Promise.all(both), ['done', 'done']);
  void joint.join('a', signal, work);
  t.equal(begun.length, 3);
});

t.test('who is aborted leaves the others to wait, and the work ends with the last', async (t) => {
  const joint = new Joint<string>();
  const { begun, work } = open();
  const [one, other] = [new AbortController(), new AbortController()];
  const first = joint.join('a', one.signal, work);
  const second = joint.join('a', other.signal, work);
  one.abort(new Error('I leave'));
  await t.rejects(first, { message: 'I leave' });
  t.notOk(begun[0]!.signal.aborted);
  other.abort(new Error('I too'));
  await t.rejects(second, { message: 'I too' });
  t.ok(begun[0]!.signal.aborted);
  const again = joint.join('a', new AbortController().signal, work);
  t.equal(begun.length, 2, 'what was aborted is not waited for');
  begun[1]!.resolve('new');
  t.equal(await again, 'new');
});

t.test('a failure is everybody\'s, and the next try is a new one', async (t) => {
  const joint = new Joint<string>();
  const { begun, work } = open();
  const { signal } = new AbortController();
  const both = [joint.join('a', signal, work), joint.join('a', signal, work)];
  begun[0]!.reject(new Error('no'));
  for (const one of both) await t.rejects(one, { message: 'no' });
  void joint.join('a', signal, work);
  t.equal(begun.length, 2);
});
