import { EventEmitter } from 'node:events';
import { PassThrough } from 'node:stream';
import t from 'tap';
import { readTyped } from '../../lib/cli/terminal/read-typed.js';
import { LiveScreen } from '../../lib/cli/terminal/live-screen.js';
import { styledLine } from '../../lib/cli/terminal/styled-line.js';
import { makeStyle, wantsColor } from '../../lib/cli/terminal/style.js';
import { pad, textWidth, truncate, wrap } from '../../lib/cli/terminal/text-width.js';
import { FakeStream } from './fake-io.js';
import { FakeTerminal } from './fake-terminal.js';

t.test('width counts columns, not characters', async (t) => {
  t.equal(textWidth('abc'), 3);
  t.equal(textWidth('日本'), 4);
  t.equal(textWidth('👨‍👩‍👧'), 2);
  t.equal(textWidth('é'), 1);
  t.equal(pad('日本', 6), '日本  ');
});

t.test('a text is cut at a column and never inside a character', async (t) => {
  t.equal(truncate('abcdef', 6), 'abcdef');
  t.equal(truncate('abcdef', 5), 'abcd…');
  t.equal(truncate('日本語', 5), '日本…');
  t.equal(truncate('日本語', 4), '日…');
  t.equal(truncate('abc', 0), '');
  for (let columns = 1; columns < 9; columns++) t.ok(textWidth(truncate('a😀日😀本', columns)) <= columns, String(columns));
});

t.test('text is wrapped between words', async (t) => {
  t.same(wrap('one two three', 7), ['one two', 'three']);
  t.same(wrap('extraordinary', 5), ['extraordinary']);
});

t.test('a line of pieces is cut before it is painted', async (t) => {
  const red = (text: string) => `<${text}>`;
  t.equal(styledLine(['ab', ['cdef', red], 'gh'], 8), 'ab<cdef>gh');
  t.equal(styledLine(['ab', ['cdef', red], 'gh'], 5), 'ab<cd…>');
  t.equal(styledLine(['a\nb'], 5), 'a b');
});

t.test('colour: the option wins, then NO_COLOR, then FORCE_COLOR, then the terminal', async (t) => {
  const tty = { isTTY: true };
  t.equal(wantsColor(true, { NO_COLOR: '1' }, {}), true);
  t.equal(wantsColor(false, { FORCE_COLOR: '1' }, tty), false);
  t.equal(wantsColor(undefined, { NO_COLOR: '1', FORCE_COLOR: '1' }, tty), false);
  t.equal(wantsColor(undefined, { NO_COLOR: '' }, tty), true);
  t.equal(wantsColor(undefined, { FORCE_COLOR: '1' }, {}), true);
  t.equal(wantsColor(undefined, { FORCE_COLOR: '0' }, tty), false);
  t.equal(wantsColor(undefined, { TERM: 'dumb' }, tty), false);
  t.equal(wantsColor(undefined, {}, {}), false);
  t.equal(makeStyle(false).red('x'), 'x');
  t.equal(makeStyle(true).red('x'), '\x1b[31mx\x1b[39m');
});

t.test('frames replace one another, and what is printed above stays', async (t) => {
  const stream = new FakeStream({ columns: 20, rows: 10 });
  const terminal = new FakeTerminal(20);
  const screen = new LiveScreen({ ...stream, isTTY: true, columns: 20, rows: 10, write: (text) => terminal.write(text), on: () => {}, off: () => {} });
  terminal.write('$ bake run\n');
  screen.draw(['one', 'two', 'three']);
  t.equal(terminal.screen, '$ bake run\none\ntwo\nthree');
  t.notOk(terminal.isCursorShown);
  screen.printAbove(['a warning']);
  screen.draw(['ONE', 'x']);
  t.equal(terminal.screen, '$ bake run\na warning\nONE\nx');
  screen.printAbove(['another']);
  screen.close();
  t.equal(terminal.screen, '$ bake run\na warning\nanother');
  t.ok(terminal.isCursorShown);
  t.ok(terminal.wraps);
  terminal.write('done\n');
  t.equal(terminal.screen, '$ bake run\na warning\nanother\ndone');
});

t.test('who presses Enter leaves no line of an old frame behind', async (t) => {
  const terminal = new FakeTerminal(20);
  const screen = new LiveScreen({ isTTY: true, columns: 20, rows: 10, write: (text) => terminal.write(text), on: () => {}, off: () => {} });
  terminal.write('$ bake run\n');
  screen.draw(['one', 'two']);
  terminal.write('\n\n'); // as the terminal echoes it
  screen.pushedDown(2);
  screen.draw(['one', 'two']);
  t.equal(terminal.screen, '$ bake run\none\ntwo');
  terminal.write('\n');
  screen.pushedDown(1);
  screen.close();
  t.equal(terminal.screen, '$ bake run');
});

t.test('what is typed in the foreground is counted and swallowed, and in the background left alone', async (t) => {
  const stdin = Object.assign(new PassThrough(), { isTTY: true });
  const signals = new EventEmitter();
  let isForeground = true;
  const lines: number[] = [];
  const stop = readTyped(stdin, signals, (count) => lines.push(count), () => isForeground);
  const type = async (text: string) => { stdin.write(text); await new Promise(setImmediate); };
  await type('\n');
  await type('abc');
  await type('d\n\n');
  t.same(lines, [1, 2]);
  isForeground = false;
  signals.emit('SIGCONT');
  await type('for the shell\n');
  t.same(lines, [1, 2]);
  t.ok(stdin.isPaused());
  isForeground = true;
  signals.emit('SIGCONT');
  await new Promise(setImmediate);
  t.same(lines, [1, 2, 1]);
  stdin.emit('error', new Error('EIO'));
  stop();
  await type('an answer\n');
  t.equal(String(stdin.read()), 'an answer\n', 'what comes later is for whoever asks');
  t.equal(signals.listenerCount('SIGCONT'), 0);
});

t.test('without a terminal nothing is read', async (t) => {
  const stdin = Object.assign(new PassThrough(), { isTTY: false });
  readTyped(stdin, new EventEmitter(), () => t.fail('never'), () => true)();
  stdin.write('x\n');
  t.equal(String(stdin.read()), 'x\n');
});

t.test('a line wider than the terminal cannot push the frame down', async (t) => {
  const terminal = new FakeTerminal(10);
  const screen = new LiveScreen({ isTTY: true, columns: 10, rows: 10, write: (text) => terminal.write(text), on: () => {}, off: () => {} });
  screen.draw(['x'.repeat(35), 'second']);
  screen.draw(['first', 'second']);
  t.equal(terminal.screen, 'first\nsecond');
});

t.test('a frame has fewer lines than the terminal, and nothing is written if nothing changed', async (t) => {
  const stream = new FakeStream({ columns: 20, rows: 4 });
  const screen = new LiveScreen(stream);
  screen.draw(['1', '2', '3', '4', '5']);
  t.notMatch(stream.text, /4/);
  const before = stream.text;
  screen.draw(['1', '2', '3']);
  t.equal(stream.text, before);
});

t.test('after the terminal got narrower, the lines it broke anew are counted', async (t) => {
  const stream = new FakeStream({ columns: 40, rows: 30 });
  const screen = new LiveScreen(stream);
  screen.draw(['x'.repeat(40), 'y']);
  stream.resize(20, 30);
  stream.text = '';
  screen.draw(['x', 'y']);
  t.ok(stream.text.includes('\x1b[3A'));
});

t.test('the terminal is given back once', async (t) => {
  const stream = new FakeStream({ columns: 40, rows: 30 });
  const screen = new LiveScreen(stream);
  screen.close();
  t.equal(stream.text, '');
  screen.draw(['x']);
  screen.close();
  const { text } = stream;
  screen.close();
  t.equal(stream.text, text);
});
