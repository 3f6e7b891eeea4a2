import fc from 'fast-check';
import t from 'tap';
import { neutralise, neutraliseAll, neutraliseLine, safeJson } from '../../lib/cli/terminal/neutralise.js';

t.test('escape sequences are dropped and other control characters made visible', async (t) => {
  t.equal(neutralise('\x1b[31mred\x1b[0m'), 'red');
  t.equal(neutralise('a\x1b[2J\x1b[10;1Hb'), 'ab');
  t.equal(neutralise('\x1b]0;title\x07text'), 'text');
  t.equal(neutralise('back\b\b\bspace'), 'back���space');
  t.equal(neutralise('x\u009b2Jy'), 'xy');
  t.equal(neutralise('user\u202egnp.exe'), 'user�gnp.exe');
  t.equal(neutralise('a\u2028b'), 'a�b');
});

t.test('letters of all kinds and emoji stay as they are', async (t) => {
  for (const text of ['naïve', '日本語', '👨‍👩‍👧', 'می‌خواهم', 'two\nlines']) t.equal(neutralise(text), text);
});

t.test('tabs become spaces up to the next stop', async (t) => {
  t.equal(neutralise('a\tb\tc'), 'a       b       c');
  t.equal(neutralise('12345678\tx'), '12345678        x');
});

t.test('a line stays one line', async (t) => {
  t.equal(neutraliseLine('one\n  two\r\n'), 'one two�');
});

t.test('whatever comes in, nothing that moves a cursor comes out', async (t) => {
  const hostile = fc.string({ unit: fc.oneof(fc.constantFrom('\x1b', '[', ']', '\u009b', '\r', '\x07', 'A', ';', '1', '\x9d', 'P', '\\'), fc.string({ unit: 'binary', minLength: 1, maxLength: 1 })) });
  fc.assert(fc.property(hostile, (text) => !/(?!\n)\p{Cc}/u.test(neutralise(text))), { numRuns: 2_000 });
  t.pass();
});

t.test('every text in a value is treated, keys included', async (t) => {
  t.same(neutraliseAll({ '\x07k': ['\x1b[1mv', 1, null, { deep: '\x00' }] }), { '�k': ['v', 1, null, { deep: '�' }] });
});

t.test('JSON says the same and has no raw control character', async (t) => {
  fc.assert(fc.property(fc.string({ unit: 'binary' }), (text) => {
    const json = safeJson({ text });
    return JSON.parse(json).text === text && !/\p{Cc}/u.test(json);
  }));
  t.equal(safeJson('\u009b'), '"\\u009b"');
});
