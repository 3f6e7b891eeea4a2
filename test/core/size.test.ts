import t from 'tap';
import { Size } from '../../lib/core/size.js';

t.test('a size is read in powers of 1024, whichever way its unit is written', async (t) => {
  for (const [text, bytes] of [['0', 0], ['4096', 4096], ['512B', 512], ['1k', 1024], ['1.5 KiB', 1536], ['500MB', 500 * 1024 ** 2], ['20GB', 20 * 1024 ** 3], ['2tib', 2 * 1024 ** 4]] as const) t.equal(Size.parse(text).toBytes(), bytes, text);
});

t.test('anything else is not a size', async (t) => {
  for (const text of ['', 'GB', '-1GB', '1 000', '1PB', '1GBs', '1e3', '1,5GB', '99999999TB']) t.throws(() => Size.parse(text), { code: 'InvalidSize' }, text);
});
