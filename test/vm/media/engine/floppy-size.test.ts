import t from 'tap';
import { floppySizeFor } from '../../../../lib/vm/media/engine/floppy-size.js';
import { planTree } from '../../../../lib/vm/media/engine/medium-tree.js';

const sizeOf = async (content: Record<string, string | Uint8Array>) => floppySizeFor(await planTree({ content }));

t.test('what a 1.44 MB floppy has no room for goes on one of 2.88 MB, and more is refused', async (t) => {
  const room = (2880 - 33) * 512;
  t.equal(await sizeOf({ A: new Uint8Array(room) }), 1440);
  t.equal(await sizeOf({ A: new Uint8Array(room + 1) }), 2880);
  await t.rejects(sizeOf({ A: new Uint8Array(3_000_000) }), { code: 'FloppyFull', message: /the largest: A \(/ });
});

t.test('too many names in the root are refused', async (t) => {
  const files = (count: number, name: (index: number) => string) => Object.fromEntries(Array.from({ length: count }, (_, index) => [name(index), '']));
  t.equal(await sizeOf(files(223, (index) => `F${index}`)), 1440);
  t.equal(await sizeOf(files(239, (index) => `F${index}`)), 2880);
  await t.rejects(sizeOf(files(240, (index) => `F${index}`)), { code: 'FloppyFull', message: /room for 240 names/ });
  await t.rejects(sizeOf(files(120, (index) => `small-letters-${index}`)), { code: 'FloppyFull' });
  t.equal(await sizeOf(files(240, (index) => `D/F${index}`)), 1440);
});

t.test('names that FAT cannot hold are refused', async (t) => {
  for (const name of ['a:b', 'what?', 'a|b', 'dot.', 'dot./a']) await t.rejects(sizeOf({ [name]: '' }), { code: 'InvalidMediumFile' }, name);
});
