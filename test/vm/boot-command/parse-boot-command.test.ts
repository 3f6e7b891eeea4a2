import assert from 'node:assert/strict';
import fc from 'fast-check';
import t from 'tap';
import { BakeError } from '../../../lib/core/bake-error.js';
import { parseBootCommand, type BootAction } from '../../../lib/vm/boot-command/parse-boot-command.js';
import { keystrokes, specialKeys } from '../../../lib/vm/boot-command/us-keyboard.js';

const press = (key: string, shift = false) => ({ type: 'key', key, shift, action: 'press' });
const down = (key: string, shift = false) => ({ type: 'key', key, shift, action: 'down' });
const up = (key: string, shift = false) => ({ type: 'key', key, shift, action: 'up' });
const wait = (milliseconds: number) => ({ type: 'wait', milliseconds });

function errorOf(command: string | readonly string[]): BakeError {
  try {
    parseBootCommand(command);
  } catch (error) {
    if (BakeError.is(error)) return error;
    throw error;
  }
  throw new Error(`no error for ${String(command)}`);
}

t.test('characters become keys of a US keyboard, with Shift where it is needed', async (t) => {
  t.same(parseBootCommand('aB1!-_~ '), [press('a'), press('b', true), press('1'), press('1', true), press('minus'), press('minus', true), press('grave', true), press('space')]);
});

t.test('the items of a list are typed one after the other, and a tag may go over the seam', async (t) => {
  t.same(parseBootCommand(['a<en', 'ter>', 'b']), [press('a'), press('enter'), press('b')]);
  t.same(parseBootCommand([]), []);
});

t.test('special keys are read without regard to case, alone, down and up', async (t) => {
  t.same(parseBootCommand('<esc><F10><PAGEUP><return><bs><del><spacebar>'), ['escape', 'f10', 'pageUp', 'enter', 'backspace', 'delete', 'space'].map((key) => press(key)));
  t.same(parseBootCommand('<leftCtrlOn><leftaltON>x<LEFTALToff><leftCtrlOff>'), [down('leftCtrl'), down('leftAlt'), press('x'), up('leftAlt'), up('leftCtrl')]);
  t.same(parseBootCommand('<f1On><f1Off><leftCommandOn><rightOptionOff>'), [down('f1'), up('f1'), down('leftSuper'), up('rightAlt')]);
});

t.test('a character can be held down', async (t) => {
  t.same(parseBootCommand('<aOn><aOff><AOn><Aoff>'), [down('a'), up('a'), down('a', true), up('a', true)]);
  t.same(parseBootCommand('<<On><<Off><>On><>Off>'), [down('comma', true), up('comma', true), down('period', true), up('period', true)]);
});

t.test('waits are seconds or durations as Go writes them', async (t) => {
  t.same(parseBootCommand('<wait><wait5><WAIT10><wait0>'), [wait(1_000), wait(5_000), wait(10_000), wait(0)]);
  t.same(parseBootCommand('<wait1m20s><wait500ms><wait1.5s><wait1h><wait250us>'), [wait(80_000), wait(500), wait(1_500), wait(3_600_000), wait(0.25)]);
});

t.test('a lesser-than sign that begins no tag is typed', async (t) => {
  const text = 'a < b <<EOF <1> <- <> <a.b>';
  t.equal(parseBootCommand(text).length, text.length);
  t.same(parseBootCommand('<'), [press('comma', true)]);
});

t.test('a name that is no key is refused with the nearest one and its place', async (t) => {
  const error = errorOf(['<wait>', 'linux<etner>']);
  t.equal(error.code, 'UnknownBootKey');
  t.equal(error.message, ['<etner> is not a key, at item 2, character 6 of the boot command', '  linux<etner>', '       ^^^^^^^'].join('\n'));
  t.match(error.hint, /did you mean <enter>\?; to type the character < itself/);
  t.match(errorOf('<lefCtrlOn>').hint, /did you mean <leftCtrlOn>\?/);
  t.match(errorOf('<wiat>').hint, /did you mean <wait>\?/);
  t.match(errorOf('<xyzzy42>').hint, /the keys are bs, del, enter/);
});

t.test('what the hint says types the refused text', async (t) => {
  const typed = parseBootCommand('<<On><<Off>html>');
  t.equal(errorOf('<html>').code, 'UnknownBootKey');
  t.same(typed.slice(2), [...'html>'].map((character) => ({ type: 'key', action: 'press', ...keystrokes.get(character) })));
});

t.test('a wait that is none is refused', async (t) => {
  for (const bad of ['<wait5x>', '<wait 5>', '<wait-1s>', '<wait1.5>', '<waiting>', '<wait1m20>', '<waitOn>']) {
    const error = errorOf(`a${bad}`);
    t.equal(error.code, 'InvalidBootCommand', bad);
    t.match(error.message, `${bad} is not a wait, at character 2 of the boot command`);
  }
  t.match(errorOf('<wait25h>').message, '<wait25h> is longer than a day');
  t.match(errorOf(`<wait${'9'.repeat(400)}>`).message, 'is longer than a day');
});

t.test('a bracket that was forgotten is refused', async (t) => {
  t.match(errorOf('root<enter<wait>').message, ['<enter is not closed, at character 5 of the boot command', '  root<enter<wait>', '      ^^^^^^'].join('\n'));
  t.match(errorOf('<leftCtrlOn').message, '<leftCtrlOn is not closed');
  t.match(errorOf('<wait5').message, '<wait5 is not closed');
});

t.test('a character without a key is refused with its place', async (t) => {
  const error = errorOf('passé');
  t.equal(error.code, 'InvalidBootCommand');
  t.equal(error.message, ['the character "é" (U+00E9) has no key on a US keyboard, at character 5 of the boot command', '  passé', '      ^'].join('\n'));
  t.match(errorOf('a\nb').hint, /write <enter>/);
  t.match(errorOf('a\nb').message, /\n {2}a b\n {3}\^$/);
  t.match(errorOf('<éOn>').message, 'at character 2');
  t.match(errorOf('😀').message, 'U+1F600');
});

/** A tag or a character, and what it stands for. */
const piece: fc.Arbitrary<readonly [string, BootAction]> = fc.oneof(
  fc.constantFrom(...[...keystrokes].filter(([character]) => character !== '<')).map(([character, keystroke]): [string, BootAction] => [character, { type: 'key', ...keystroke, action: 'press' }]),
  fc.tuple(fc.constantFrom(...keystrokes), fc.constantFrom(['On', 'down'], ['Off', 'up'], ['on', 'down'] as const)).map(
    ([[character, keystroke], [suffix, action]]): [string, BootAction] => [`<${character}${suffix}>`, { type: 'key', ...keystroke, action: action as 'down' }]),
  fc.tuple(fc.constantFrom(...Object.entries(specialKeys)), fc.boolean(), fc.constantFrom(['', 'press'], ['On', 'down'], ['Off', 'up'] as const)).map(
    ([[name, key], isUpper, [suffix, action]]): [string, BootAction] => [`<${isUpper ? name.toUpperCase() : name}${suffix}>`, { type: 'key', key, shift: false, action: action as 'press' }]),
  fc.nat({ max: 86_400 }).map((seconds): [string, BootAction] => [`<wait${seconds}>`, { type: 'wait', milliseconds: seconds * 1_000 }]),
  fc.tuple(fc.nat({ max: 59 }), fc.nat({ max: 59 }), fc.nat({ max: 999 })).map(([m, s, ms]): [string, BootAction] => [`<wait${m}m${s}s${ms}ms>`, { type: 'wait', milliseconds: m * 60_000 + s * 1_000 + ms }]),
);

t.test('whatever is put together from the grammar is read back, cut into items anywhere', async (t) => {
  fc.assert(fc.property(fc.array(piece), fc.array(fc.nat()), (pieces, cuts) => {
    const text = pieces.map(([part]) => part).join('');
    const places = [0, ...cuts.map((cut) => cut % (text.length + 1)).sort((a, b) => a - b), text.length];
    const items = places.slice(1).map((place, index) => text.slice(places[index], place));
    assert.deepEqual(parseBootCommand(items), pieces.map(([, action]) => action));
  }), { numRuns: 300 });
  t.pass('all were');
});

t.test('any text is read or refused with a place in it', async (t) => {
  const texts = fc.oneof(fc.string({ unit: 'binary' }), fc.string({ unit: fc.constantFrom('<', '>', 'w', 'a', 'i', 't', 'on', 'off', 'enter', '5', 's', 'é') }));
  fc.assert(fc.property(fc.array(texts), (items) => {
    try {
      parseBootCommand(items);
    } catch (error) {
      if (!BakeError.is(error)) throw error;
      const [first = '', line = '', caret = ''] = error.message.split('\n');
      if (!/at (item \d+, )?character \d+ of the boot command$/.test(first)) throw new Error(`no place: ${first}`, { cause: error });
      if (caret.length > line.length || !/^ {2} *\^+$/.test(caret)) throw new Error(`the caret is beyond the text: ${error.message}`, { cause: error });
    }
  }), { numRuns: 1_000 });
  t.pass('no other error came');
});
