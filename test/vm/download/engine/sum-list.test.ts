import t from 'tap';
import { parseLocation } from '../../../../lib/vm/download/location.js';
import { findSum } from '../../../../lib/vm/download/engine/sum-list.js';

const [a, b, c] = ['a', 'b', 'c'].map((digit) => digit.repeat(64)) as [string, string, string];
const find = (list: string, url = 'https://example.org/dists/netboot/mini.iso') => findSum(list, parseLocation(url), 'SUMS');

t.test('lists of sha256sum, of BSD, of OpenSSL and of the sum alone are read', async (t) => {
  const sum = { algorithm: 'sha256', hex: a };
  for (const line of [`${a}  mini.iso`, `${a} *mini.iso`, `${a.toUpperCase()}\tmini.iso`, `${a}  ./mini.iso`, `SHA256 (mini.iso) = ${a}`, `SHA2-256(mini.iso)= ${a}`, a, `\\${a}  mini.iso`]) {
    t.same(find(`${line}\n`), sum, line);
    t.same(find(`${line}\r\n`), sum, `${line} with a carriage return`);
  }
  t.same(find(`SHA512 (mini.iso) = ${'d'.repeat(128)}`), { algorithm: 'sha512', hex: 'd'.repeat(128) });
});

t.test('signatures and comments around the sums do not count', async (t) => {
  t.same(find(`-----BEGIN PGP SIGNED MESSAGE-----\nHash: SHA256\n\n# mini.iso: 5 MB\n${a}  mini.iso\n${b}  other.iso\n-----BEGIN PGP SIGNATURE-----\niQIz\n`), { algorithm: 'sha256', hex: a });
});

t.test('of several files of that name it is the one in the folders of the URL', async (t) => {
  const list = `${a}  ./gtk/mini.iso\n${b}  ./netboot/mini.iso\n${c}  ./netboot/xen/mini.iso\n`;
  t.same(find(list), { algorithm: 'sha256', hex: b });
  t.throws(() => find(list, 'https://example.org/mini.iso'), { code: 'ChecksumNotListed', message: /3 different sha256 sums for "mini.iso"/ });
});

t.test('the strongest of several algorithms is taken', async (t) => {
  t.same(find(`MD5 (mini.iso) = ${'1'.repeat(32)}\nSHA512 (mini.iso) = ${'2'.repeat(128)}\nSHA256 (mini.iso) = ${a}\n`), { algorithm: 'sha512', hex: '2'.repeat(128) });
});

t.test('a file that is not in the list is said, with what is', async (t) => {
  t.throws(() => find(`${a}  mimi.iso\n`), { code: 'ChecksumNotListed', message: 'SUMS has no sum for "mini.iso"', hint: 'the nearest name in it is "mimi.iso"' });
  t.throws(() => find(`${a}  server.img\n`), { code: 'ChecksumNotListed', hint: 'it names server.img' });
  t.throws(() => find('<html>not here</html>'), { code: 'ChecksumNotListed', hint: /no line of a sum/ });
});
