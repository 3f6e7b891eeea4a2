import t from 'tap';
import { chooseHost } from '../../lib/cli/hosts/choose-host.js';
import { matchChoice } from '../../lib/cli/hosts/prompt.js';
import { RateMeter } from '../../lib/cli/hosts/progress-text.js';
import { parseArguments } from '../../lib/cli/arguments/parse-arguments.js';
import { commandTable } from '../../lib/cli/arguments/command-table.js';
import type { CommandContext } from '../../lib/cli/command.js';
import { makeStyle } from '../../lib/cli/terminal/style.js';
import { unicodeSymbols } from '../../lib/cli/terminal/symbols.js';
import type { EventBody, Question } from '../../lib/core/events.js';
import { type FakeIo, fakeIo } from './fake-io.js';
import { FakeTerminal } from './fake-terminal.js';

const style = makeStyle(false);
const terminal = { columns: 60, rows: 20 };
const context = (io: FakeIo, ...options: string[]): CommandContext => ({ args: parseArguments(['run', ...options], commandTable), io, outStyle: style, errStyle: style, symbols: unicodeSymbols });
const step = { build: 'Web/Docker', step: 'Web/Docker/S', title: 'shell' };
const started: EventBody = { type: 'run.started', run: 'r1', log: '/project/.bake/log', builds: [{ id: 'Web/Docker', platform: 'docker', steps: 2 }, { id: 'Db/A', platform: 'null', steps: 1 }] };
const question: Question = { id: 'q', message: 'go on?', choices: [{ key: 'continue', label: 'go on' }, { key: 'abort', label: 'stop here' }], fallback: 'abort' };

function plainHost(io = fakeIo()) {
  const host = chooseHost(context(io), { mayBeLive: true });
  const notify = (event: EventBody) => host.notify({ ...event, at: io.timers.at });
  return { io, host, notify };
}

t.test('piped, each event is a line with its build in front, on standard error', async (t) => {
  const { io, notify } = plainHost();
  notify(started);
  notify({ type: 'build.started', build: 'Web/Docker', platform: 'docker' });
  notify({ type: 'step.started', attempt: 1, ...step });
  notify({ type: 'step.output', stream: 'stdout', line: 'hello', ...step });
  notify({ type: 'step.warned', code: 'W', message: 'careful', hint: 'look', ...step });
  notify({ type: 'step.retried', attempt: 1, delay: 1_000, error: { code: 'X', message: 'went wrong', source: 'user' }, ...step });
  notify({ type: 'step.started', attempt: 2, ...step });
  notify({ type: 'machine.lost', reason: 'spot capacity was taken back', again: [], ...step });
  notify({ type: 'step.started', attempt: 1, ...step });
  notify({ type: 'step.succeeded', milliseconds: 1_500, ...step });
  notify({ type: 'release.started', ...step });
  notify({ type: 'release.succeeded', milliseconds: 3, ...step });
  notify({ type: 'build.finished', build: 'Db/A', status: 'failed', milliseconds: 10, artifacts: [], error: { code: 'X', message: 'went wrong', source: 'user' } });
  t.equal(io.stdout.text, '');
  t.same(io.stderr.lines, [
    'bake       │ run r1  2 builds, log .bake/log',
    'Web/Docker │ started on docker',
    'Web/Docker │ ▸ 1/2 shell',
    'Web/Docker │   hello',
    'Web/Docker │ ▲ shell: careful → look',
    'Web/Docker │ ▲ shell failed: went wrong → again in 1s',
    'Web/Docker │ ▸ 1/2 shell (attempt 2)',
    'Web/Docker │ ▲ shell was lost: spot capacity was taken back → another one takes its place, and what was done on it is done again',
    'Web/Docker │ ▸ 1/2 shell',
    'Web/Docker │ ✔ shell 1.5s',
    'Web/Docker │ ▾ removing: shell',
    'Web/Docker │ ✔ removed: shell 3ms',
    'Db/A       │ ✖ failed after 10ms: went wrong',
  ]);
});

t.test('hostile output has no control characters and cannot pass for a line of ours', async (t) => {
  const { io, notify } = plainHost();
  notify(started);
  const before = io.stderr.lines.length;
  for (const line of ['\x1b[2J\x1b[1;1HWeb/Docker │ ✔ done', '\r✔ done', '\x1b]0;evil\x07x', 'a\nDb/A       │ ✔ done after 1s', '\u009b31m']) notify({ type: 'step.output', stream: 'stdout', line, ...step });
  notify({ type: 'step.failed', milliseconds: 1, continued: false, error: { code: 'X', message: 'bad\n\x1b[1Aoverwritten', source: 'user' }, ...step });
  const lines = io.stderr.lines.slice(before);
  t.notMatch(lines.join('\n'), /(?!\n)\p{Cc}/u);
  const machine = lines.slice(0, 6);
  t.ok(machine.every((line) => line.startsWith('Web/Docker │   ') || line === 'Web/Docker │'), 'all of it is indented below its build');
  t.same(lines.slice(6), ['Web/Docker │ ✖ shell: bad', 'Web/Docker │   overwritten']);
});

t.test('piped, a step that is busy says so now and then, and one that talks does not', async (t) => {
  const { io, host, notify } = plainHost();
  notify(started);
  const before = io.stderr.lines.length;
  const said = () => io.stderr.lines.slice(before);
  notify({ type: 'step.started', attempt: 1, ...step });
  io.timers.pass(1_900);
  t.equal(said().length, 1, 'nothing in the first two seconds');
  notify({ type: 'step.progress', label: 'debian:12', current: 1_048_576, total: 4_194_304, unit: 'bytes', ...step });
  io.timers.pass(1_100);
  t.same(said().slice(1), ['Web/Docker │ … shell: debian:12 25%  1 MiB of 4 MiB (2s)']);
  notify({ type: 'step.progress', label: 'debian:12', current: 3_145_728, total: 4_194_304, unit: 'bytes', ...step });
  io.timers.pass(5_000);
  t.match(said().at(-1), /75% {2}3 MiB of 4 MiB/);
  t.equal(said().length, 3, 'one line in five seconds');
  io.timers.pass(60_000);
  const silent = said().length;
  t.ok(silent >= 6 && silent <= 9, 'a silent step is named less and less often');
  notify({ type: 'step.succeeded', milliseconds: 1, ...step });
  io.timers.pass(120_000);
  t.equal(said().length, silent + 1, 'nothing about what has ended');
  const other = { ...step, step: 'Web/Docker/T' };
  notify({ type: 'step.started', attempt: 1, ...other });
  for (let second = 0; second < 20; second++) {
    notify({ type: 'step.output', stream: 'stdout', line: 'x', ...other });
    io.timers.pass(1_000);
  }
  t.notOk(said().slice(silent + 2).some((line) => line.includes('…')));
  host.close();
  io.timers.pass(600_000);
  t.notMatch(said().at(-1), /…/);
});

t.test('with --json each event is one JSON object on standard output', async (t) => {
  const io = fakeIo({ terminal });
  const host = chooseHost(context(io, '--json'), { mayBeLive: true });
  host.notify({ ...started, at: 1 });
  host.notify({ type: 'step.output', stream: 'stdout', line: 'two\nlines \x1b[2J \u009b', ...step, at: 2 });
  t.equal(io.stdout.lines.length, 2);
  t.same(io.stdout.lines.map((line) => JSON.parse(line).type), ['run.started', 'step.output']);
  t.equal(JSON.parse(io.stdout.lines[1]!).line, 'two\nlines \x1b[2J \u009b');
  t.notMatch(io.stdout.text, /(?!\n)\p{Cc}/u);
  t.equal(io.stderr.text, '');
  t.equal(await host.ask(question), 'abort');
});

t.test('a terminal has a live tree, at most twenty frames a second however many events there are', async (t) => {
  const io = fakeIo({ terminal });
  const host = chooseHost(context(io), { mayBeLive: true });
  host.notify({ ...started, at: 0 });
  host.notify({ type: 'build.started', build: 'Web/Docker', platform: 'docker', at: 0 });
  for (let number = 0; number < 1_000; number++) {
    host.notify({ type: 'step.output', stream: 'stdout', line: `line ${number}`, ...step, at: io.timers.at });
    io.timers.pass(1);
  }
  const frames = io.stderr.text.split('\x1b[?2026h').length - 1;
  t.ok(frames > 5 && frames <= 20, `${frames} frames`);
  host.notify({ type: 'step.warned', code: 'W', message: 'careful', ...step, at: 0 });
  host.close();
  const seen = new FakeTerminal(60);
  seen.write(io.stderr.text);
  t.equal(seen.screen, 'Web/Docker │ ▲ shell: careful');
  t.ok(seen.isCursorShown);
  const { text } = io.stderr;
  io.timers.pass(1_000);
  t.equal(io.stderr.text, text, 'nothing is drawn after the end');
});

t.test('with --verbose all output scrolls by above the tree', async (t) => {
  const io = fakeIo({ terminal });
  const host = chooseHost(context(io, '--verbose'), { mayBeLive: true });
  host.notify({ ...started, at: 0 });
  for (const line of ['one', 'two']) host.notify({ type: 'step.output', stream: 'stdout', line, ...step, at: 0 });
  io.timers.pass(100);
  const seen = new FakeTerminal(60);
  seen.write(io.stderr.text);
  t.match(seen.screen, /^bake {7}│ run r1.*\nWeb\/Docker │ {3}one\nWeb\/Docker │ {3}two\n. run r1/);
});

t.test('lines instead of a tree: in CI, on a dumb terminal, for clean', async (t) => {
  for (const [env, mayBeLive] of [[{ CI: '1' }, true], [{ TERM: 'dumb' }, true], [{}, false]] as const) {
    const io = fakeIo({ terminal, env });
    chooseHost(context(io), { mayBeLive }).notify({ ...started, at: 0 });
    io.timers.pass(1_000);
    t.notOk(io.stderr.text.includes('\x1b[?'));
    t.match(io.stderr.text, /bake {7}│ run r1/);
  }
});

t.test('an answer is a key, the beginning of one or of its label; nothing is the fallback', async (t) => {
  t.equal(matchChoice(question, 'abort'), 'abort');
  t.equal(matchChoice(question, ' C '), 'continue');
  t.equal(matchChoice(question, 'stop'), 'abort');
  t.equal(matchChoice(question, ''), 'abort');
  t.equal(matchChoice(question, 'x'), undefined);
  t.equal(matchChoice({ ...question, choices: [{ key: 'keep', label: '' }, { key: 'kill', label: '' }] }, 'k'), undefined);
});

t.test('questions of several builds are asked one after the other, and again until the answer fits', async (t) => {
  const io = fakeIo({ terminal });
  const host = chooseHost(context(io), { mayBeLive: false });
  const answers = [host.ask(question), host.ask({ ...question, message: 'and \x1b[31mhere?' })];
  io.stdin.write('what?\n');
  io.stdin.write('cont\n');
  t.equal(await answers[0], 'continue');
  const rest = io.stderr.text.length;
  t.match(io.stderr.text, /go on\?\n {4}continue {2}go on\n {4}abort {5}stop here {2}\(default\)/);
  t.match(io.stderr.text, /answer continue, abort/);
  io.stdin.write('\n');
  t.equal(await answers[1], 'abort');
  t.match(io.stderr.text.slice(rest - 200), /\? and here\?/);
});

t.test('nobody to ask, or --yes, or the end of input: the fallback, and it is said', async (t) => {
  for (const io of [fakeIo(), fakeIo({ terminal })]) {
    const host = chooseHost(context(io, '--yes'), { mayBeLive: false });
    t.equal(await host.ask(question), 'abort');
    t.match(io.stderr.text, /go on\? \(nobody to ask: stop here\)/);
  }
  const io = fakeIo({ terminal });
  const answer = chooseHost(context(io), { mayBeLive: false }).ask(question);
  io.stdin.end();
  t.equal(await answer, 'abort');
});

t.test('a question ends when the run is cancelled', async (t) => {
  const io = fakeIo({ terminal });
  const host = chooseHost(context(io), { mayBeLive: true });
  const controller = new AbortController();
  const answer = host.ask(question, controller.signal);
  await Promise.resolve();
  controller.abort(new Error('stop'));
  await t.rejects(answer, { message: 'stop' });
  await t.rejects(host.ask(question, controller.signal), { message: 'stop' });
});

t.test('the tree is away while a question is asked', async (t) => {
  const io = fakeIo({ terminal });
  const host = chooseHost(context(io), { mayBeLive: true });
  host.notify({ ...started, at: 0 });
  io.timers.pass(100);
  const answer = host.ask(question);
  await new Promise(setImmediate);
  const { length } = io.stderr.text;
  io.timers.pass(1_000);
  t.equal(io.stderr.text.length, length, 'not drawn over');
  io.stdin.write('continue\n');
  t.equal(await answer, 'continue');
  io.timers.pass(100);
  t.match(io.stderr.text.slice(length), /run r1/);
  host.close();
});

t.test('what is typed beside the tree belongs to the tree, and what is typed at a question to the question', async (t) => {
  const io = fakeIo({ terminal });
  const host = chooseHost(context(io), { mayBeLive: true });
  host.notify({ ...started, at: 0 });
  io.timers.pass(100);
  io.stderr.write('\n');
  for (const tell of io.typists) tell(1);
  io.timers.pass(100);
  const answer = host.ask(question);
  await new Promise(setImmediate);
  t.equal(io.typists.size, 0);
  io.stdin.write('continue\n');
  await answer;
  t.equal(io.typists.size, 1);
  host.close();
  t.equal(io.typists.size, 0);
  const seen = new FakeTerminal(60);
  seen.write(io.stderr.text);
  t.notMatch(seen.screen, /run r1/, 'no line of the tree is left');
});

t.test('a rate is that of the last seconds', async (t) => {
  const meter = new RateMeter();
  meter.add(0, 0);
  t.equal(meter.rate, undefined);
  for (let second = 1; second <= 10; second++) meter.add(second * 1_000, second < 6 ? second * 100 : 500 + (second - 5) * 1_000);
  t.equal(meter.rate, 1_000);
  meter.add(11_000, 0);
  t.equal(meter.rate, undefined, 'it began anew');
});
