import t from 'tap';
import { algorithmOfLength, hexLengths, parseChecksum } from '../../../lib/vm/download/checksum.js';

const hex = (length: number) => 'Ab'.repeat(length / 2);

t.test('every algorithm is read with its name, in any case, and without', async (t) => {
  for (const [algorithm, length] of Object.entries(hexLengths)) {
    const sum = { type: 'sum', sum: { algorithm, hex: hex(length).toLowerCase() } };
    t.same(parseChecksum(`${algorithm}:${hex(length)}`), sum);
    t.same(parseChecksum(` ${algorithm.toUpperCase()}:${hex(length)} `), sum);
    t.same(parseChecksum(hex(length)), sum);
    t.equal(algorithmOfLength(length), algorithm);
  }
});

t.test('only the word none turns the check off', async (t) => {
  t.same(parseChecksum('none'), { type: 'none' });
  t.same(parseChecksum('NONE'), { type: 'none' });
  t.throws(() => parseChecksum(''), { code: 'InvalidChecksum', message: 'the checksum is empty', hint: /only "none" turns the check off/ });
});

t.test('a list of sums is a URL or a path', async (t) => {
  t.match(parseChecksum('file:https://example.org/a/SHA256SUMS'), { type: 'list', location: { type: 'http', name: 'SHA256SUMS', shown: 'https://example.org/a/SHA256SUMS' } });
  t.match(parseChecksum('file:sums/SHA256SUMS'), { type: 'list', location: { type: 'file', path: 'sums/SHA256SUMS' } });
  t.match(parseChecksum('file:///srv/SHA256SUMS'), { type: 'list', location: { type: 'file', path: '/srv/SHA256SUMS' } });
  t.match(parseChecksum('file:/srv/SHA256SUMS'), { type: 'list', location: { type: 'file', path: '/srv/SHA256SUMS' } });
});

t.test('a bad checksum is said to be bad, and why', async (t) => {
  t.throws(() => parseChecksum('sha256:abc'), { code: 'InvalidChecksum', message: 'the sha256 checksum "abc" has 3 digits, not 64' });
  t.throws(() => parseChecksum(`sha256:${'x'.repeat(64)}`), { message: /is not hexadecimal$/ });
  t.throws(() => parseChecksum(`sha265:${hex(64)}`), { message: '"sha265" is not a checksum algorithm', hint: /did you mean "sha256"\?/ });
  t.throws(() => parseChecksum(`crc32:1234`), { message: '"crc32" is not a checksum algorithm' });
  t.throws(() => parseChecksum('abcdef'), { message: 'the checksum "abcdef" has 6 digits, which fits no algorithm' });
  t.throws(() => parseChecksum('what is it'), { message: '"what is it" is not a checksum' });
});

t.test('a URL without file: is recognised, and its token is not shown', async (t) => {
  t.throws(() => parseChecksum('https://me:hidden@example.org/SHA256SUMS?token=hidden'), {
    message: 'the checksum "https://example.org/SHA256SUMS?…" is a URL', hint: 'write file:https://example.org/SHA256SUMS?… for a list of sums',
  });
});
