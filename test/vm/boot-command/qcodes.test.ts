import t from 'tap';
import { qcodes, qcodesOf } from '../../../lib/vm/boot-command/qcodes.js';
import { bootKeys } from '../../../lib/vm/boot-command/us-keyboard.js';

t.test('every key has a code of its own', async (t) => {
  t.equal(new Set(bootKeys.map((key) => qcodes[key])).size, bootKeys.length);
});

t.test('Shift goes down first', async (t) => {
  t.same(qcodesOf({ key: 'a', shift: true }), ['shift', 'a']);
  t.same(qcodesOf({ key: 'enter', shift: false }), ['ret']);
});
