import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import * as z from 'zod';
import { Masker } from '../../../lib/engine/masker.js';
import { PinFile } from '../../../lib/engine/pins/pin-file.js';
import { Pins, type PinsOptions } from '../../../lib/engine/pins/pins.js';
import { systemClock } from '../../../lib/toolkit/host/clock.js';

const schema = z.object({ digest: z.string() });

function setUp(t: Test, text?: string) {
  const project = t.testdir(text === undefined ? {} : { 'bake.lock.json': text });
  const path = join(project, 'bake.lock.json');
  const masker = new Masker();
  const lines: string[] = [];
  const pins = (options: Partial<PinsOptions> = {}) => {
    const made = new Pins({ file: new PinFile(project, systemClock), masker, frozen: false, isRenewed: () => false, ...options });
    return {
      made,
      of: (what: string, lookup: (isRenewal: boolean) => Promise<{ digest: string } | undefined>, step = 'Web/B/Base') =>
        made.of(what, schema, lookup, { step: { id: step }, signal: new AbortController().signal, log: (line) => { lines.push(line); } }),
    };
  };
  return { path, text: () => readFileSync(path, 'utf8'), masker, lines, pins };
}
const is = (digest: string) => async () => ({ digest });
const never = () => Promise.reject(new Error('looked up'));

t.test('what was found stays so, in a file with a line for each, until it is renewed', async (t) => {
  const { pins, text, lines } = setUp(t);
  const first = pins();
  t.same(await first.of('docker web:1', is('b')), { digest: 'b' });
  t.same(await first.of('docker app:1', is('a')), { digest: 'a' });
  t.equal(text(), '{\n  "docker app:1": {"digest":"a"},\n  "docker web:1": {"digest":"b"},\n  "lockfileVersion": 1\n}\n');
  t.same(lines, ['bake.lock.json: docker web:1 is b', 'bake.lock.json: docker app:1 is a']);

  t.same(await pins().of('docker web:1', is('moved')), { digest: 'b' });
  let renewed: boolean | undefined;
  const renewing = pins({ isRenewed: (what) => what === 'docker web:1' });
  t.same(await renewing.of('docker web:1', async (isRenewal) => { renewed = isRenewal; return { digest: 'c' }; }), { digest: 'c' });
  t.equal(renewed, true);
  t.same(await renewing.of('docker app:1', never), { digest: 'a' });
  t.match(text(), '"docker web:1": {"digest":"c"}');
  t.equal(lines.at(-1), 'bake.lock.json: docker web:1 was b and is c');
  t.same(renewing.made.usedBy('Web/B/Base'), { 'docker web:1': { digest: 'c' }, 'docker app:1': { digest: 'a' } });
});

t.test('steps that ask for the same at once share one answer, and one that fails leaves the question to the next', async (t) => {
  const { pins } = setUp(t);
  const run = pins();
  let asked = 0;
  const lookup = async () => ({ digest: String(++asked) });
  t.same(await Promise.all([run.of('docker web:1', lookup), run.of('docker web:1', lookup), run.of('docker web:1', lookup)]), [{ digest: '1' }, { digest: '1' }, { digest: '1' }]);
  const [failed, worked] = await Promise.allSettled([run.of('docker x:1', () => Promise.reject(new Error('gone'))), run.of('docker x:1', is('x'))]);
  t.equal(failed.status, 'rejected');
  t.match(worked, { status: 'fulfilled', value: { digest: 'x' } });
});

t.test('who waits for the answer of another step may leave', async (t) => {
  const { pins } = setUp(t);
  const { made } = pins();
  let answer = (_: { digest: string }): void => {};
  const answered = new Promise<{ digest: string }>((resolve) => { answer = resolve; });
  const asker = (signal: AbortSignal) => ({ step: { id: 'x' }, log: () => {}, signal });
  const first = made.of('docker web:1', schema, () => answered, asker(new AbortController().signal));
  const limit = new AbortController();
  const second = made.of('docker web:1', schema, never, asker(limit.signal));
  limit.abort(new Error('its time is over'));
  await t.rejects(second, { message: 'its time is over' });
  answer({ digest: 'a' });
  t.same(await first, { digest: 'a' });
});

t.test('what would be another thing elsewhere is not pinned', async (t) => {
  const { pins, path } = setUp(t);
  t.equal(await pins().of('docker mine:1', async () => undefined), undefined);
  t.throws(() => readFileSync(path), { code: 'ENOENT' });
});

t.test('frozen: what is pinned is used, what is not fails, and nothing is written', async (t) => {
  const { pins, text } = setUp(t, '{ "docker web:1": { "digest": "b" }, "lockfileVersion": 1 }');
  const before = text();
  const frozen = pins({ frozen: true });
  t.same(await frozen.of('docker web:1', never), { digest: 'b' });
  await t.rejects(frozen.of('docker app:1', never), { code: 'NotPinned', message: /docker app:1/, hint: /without --frozen/ });
  t.equal(text(), before);
});

t.test('a secret in a name is masked in the file', async (t) => {
  const { pins, text, masker } = setUp(t);
  masker.add('hunter2');
  await pins().of('download https://host/hunter2/disk.img', is('a'));
  t.notMatch(text(), 'hunter2');
  t.same(await pins().of('download https://host/hunter2/disk.img', never), { digest: 'a' });
});

t.test('several processes that write at once lose nothing of each other', async (t) => {
  const { pins, text } = setUp(t);
  await Promise.all(Array.from({ length: 20 }, (_, index) => pins().of(`docker web:${index}`, is('a'))));
  t.equal(Object.keys(JSON.parse(text()) as object).length, 21);
});

t.test('a file that is nested without end is no such file', async (t) => {
  const { pins } = setUp(t, `{ "docker a:1": { "digest": ${'['.repeat(50_000)}${']'.repeat(50_000)} }, "lockfileVersion": 1 }`);
  await t.rejects(pins().of('docker a:1', never), { code: 'InvalidPinFile' });
});

t.test('a file that is no such file says where and what to do, and is left as it is', async (t) => {
  const cases: [string, RegExp][] = [
    ['{\n<<<<<<< HEAD\n  "docker a:1": {"digest":"a"},\n=======\n>>>>>>> b\n  "lockfileVersion": 1\n}\n', /merge conflict at line 2/],
    ['{ "docker a:1": ', /not JSON/], ['[]', /a pin that is none/], ['{ "docker a:1": "b", "lockfileVersion": 1 }', /docker a:1/], ['{ "lockfileVersion": 2 }', /lockfileVersion 2/], ['{}', /lockfileVersion undefined/], ['{ "docker a:1": 7, "lockfileVersion": 1 }', /docker a:1/],
    ['{ "docker a:1": { "digest": 7 }, "lockfileVersion": 1 }', /"docker a:1".*\{"digest":7\}/],
  ];
  for (const [content, message] of cases) {
    await t.test(content, async (t) => {
      const { pins, text } = setUp(t, content);
      await t.rejects(pins().of('docker a:1', never), { code: 'InvalidPinFile', message, hint: /\w/ });
      t.equal(text(), content);
    });
  }
});
