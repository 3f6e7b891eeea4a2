import t from 'tap';
import { parseLocation } from '../../../lib/vm/download/location.js';
import { shownUrl } from '../../../lib/vm/download/shown-url.js';

t.test('URLs and paths are told apart', async (t) => {
  t.match(parseLocation('https://example.org/a/debian%2012.iso?x=1#y'), { type: 'http', name: 'debian 12.iso', shown: 'https://example.org/a/debian%2012.iso?…' });
  t.match(parseLocation('HTTP://example.org'), { type: 'http', name: 'example.org' });
  t.match(parseLocation('images/disk.qcow2'), { type: 'file', path: 'images/disk.qcow2', name: 'disk.qcow2', shown: 'images/disk.qcow2' });
  t.match(parseLocation('file:///srv/a%20b.img'), { type: 'file', path: '/srv/a b.img', name: 'a b.img' });
  t.match(parseLocation('C:\\images\\disk.vhdx'), { type: 'file', name: 'disk.vhdx' });
});

t.test('what cannot be downloaded is said', async (t) => {
  t.throws(() => parseLocation(''), { code: 'InvalidUrl', message: 'the URL is empty' });
  t.throws(() => parseLocation('ftp://example.org/a.iso'), { code: 'InvalidUrl', message: 'bake cannot download from ftp: URLs, such as "ftp://example.org/a.iso"' });
  t.throws(() => parseLocation('https://'), { code: 'InvalidUrl', message: '"https://" is not a valid URL' });
  t.throws(() => parseLocation('file://server/share/disk.img'), { code: 'InvalidUrl', hint: /three slashes/ });
});

t.test('no URL is shown with its credentials or its query', async (t) => {
  for (const url of ['https://me:hidden@host/a?token=hidden#hidden', 'https://me:hid/den@host/a?hidden', 'https://me:hidden@[bad/a', 's3+https://me:hidden@host/a?hidden', 'https://hidden@host:99999/a?hidden']) {
    t.notMatch(shownUrl(url), /hidden|den@/, url);
  }
  t.equal(shownUrl('https://me:x@host:8443/a'), 'https://host:8443/a');
  t.equal(shownUrl('a/path?with=question'), 'a/path?with=question');
});
