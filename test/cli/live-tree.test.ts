import t from 'tap';
import { renderTree } from '../../lib/cli/hosts/live-tree.js';
import { RunView } from '../../lib/cli/hosts/run-view.js';
import { makeStyle } from '../../lib/cli/terminal/style.js';
import { asciiSymbols, unicodeSymbols } from '../../lib/cli/terminal/symbols.js';
import { textWidth } from '../../lib/cli/terminal/text-width.js';
import type { EventBody } from '../../lib/core/events.js';

const error = { code: 'ScriptFailed', message: 'the script ended with 7', source: 'user' } as const;
const image = { type: 'docker.image', id: 'sha256:1', title: 'web:latest', files: [], data: {} };

function viewOf(...events: readonly (readonly [at: number, event: EventBody])[]): RunView {
  const view = new RunView();
  for (const [at, event] of events) view.apply({ ...event, at });
  return view;
}

const step = (build: string, name: string, title: string) => ({ build, step: `${build}/${name}`, title });
const draw = (view: RunView, { columns = 70, height = 30, now = 12_000, symbols = unicodeSymbols } = {}) => renderTree(view, { columns, height, now, style: makeStyle(false), symbols });

const started: readonly [number, EventBody] = [0, {
  type: 'run.started', run: 'r1', log: 'log', builds: [{ id: 'Web/Docker', platform: 'docker', steps: 3 }, { id: 'Web/Qemu', platform: 'qemu', steps: 3 }, { id: 'Db/Docker', platform: 'docker', steps: 2 }],
}];

t.test('a run is a tree of images, builds and steps', async (t) => {
  const view = viewOf(
    started,
    [0, { type: 'build.started', build: 'Web/Docker', platform: 'docker' }],
    [0, { type: 'step.started', attempt: 1, ...step('Web/Docker', 'Base', 'pull debian:12') }],
    [2_000, { type: 'step.succeeded', milliseconds: 2_000, ...step('Web/Docker', 'Base', 'pull debian:12') }],
    [2_000, { type: 'step.started', attempt: 1, ...step('Web/Docker', 'Nginx', 'shell: 2 lines') }],
    [3_000, { type: 'step.output', stream: 'stdout', line: 'Reading package lists...', ...step('Web/Docker', 'Nginx', 'shell: 2 lines') }],
    [3_000, { type: 'build.started', build: 'Web/Qemu', platform: 'qemu' }],
    [3_000, { type: 'step.started', attempt: 1, ...step('Web/Qemu', 'Disk', 'download disk.qcow2') }],
    [10_000, { type: 'step.progress', label: 'disk.qcow2', current: 10_485_760, total: 41_943_040, unit: 'bytes', ...step('Web/Qemu', 'Disk', 'download disk.qcow2') }],
    [11_000, { type: 'step.progress', label: 'disk.qcow2', current: 20_971_520, total: 41_943_040, unit: 'bytes', ...step('Web/Qemu', 'Disk', 'download disk.qcow2') }],
  );
  t.equal(draw(view).join('\n'), [
    '⠋ run r1  2 running  1 waiting  12s',
    'Web',
    '├─ ⠋ Docker  1/3  12s',
    '│    ✔ pull debian:12  2s',
    '│    ⠋ shell: 2 lines  10s',
    '│    │ Reading package lists...',
    '└─ ⠋ Qemu  0/3  9s',
    '     ⠋ download disk.qcow2  9s  ━━━━━━━━━━──────────  50%  20 MiB of …',
    'Db',
    '└─ ◦ Docker',
  ].join('\n'));
});

t.test('finished builds take one line, with what they made or why they failed, and what is still being removed', async (t) => {
  const view = viewOf(
    started,
    [0, { type: 'build.started', build: 'Web/Docker', platform: 'docker' }],
    [0, { type: 'step.started', attempt: 1, ...step('Web/Docker', 'Container', 'container') }],
    [0, { type: 'step.succeeded', milliseconds: 5, ...step('Web/Docker', 'Container', 'container') }],
    [9_000, { type: 'build.finished', build: 'Web/Docker', status: 'succeeded', milliseconds: 9_000, artifacts: [image] }],
    [9_000, { type: 'build.finished', build: 'Web/Qemu', status: 'failed', milliseconds: 80_000, artifacts: [], error }],
    [9_000, { type: 'release.started', ...step('Web/Qemu', 'Machine', 'machine') }],
    [9_000, { type: 'build.finished', build: 'Db/Docker', status: 'skipped', milliseconds: 0, artifacts: [] }],
  );
  t.equal(draw(view, { symbols: asciiSymbols, now: 12_080 }).join('\n'), [
    '\\ run r1  1 done  1 failed  1 not built  12s',
    'Web',
    '|- + Docker  9s  web:latest',
    '`- x Qemu  1m20s  the script ended with 7',
    '     \\ removing: machine  3s',
    'Db',
    '`- - Docker  skipped',
  ].join('\n'));
});

t.test('retries, failures that are passed over, and things that are stuck are shown', async (t) => {
  const nginx = step('Web/Docker', 'Nginx', 'shell');
  const view = viewOf(
    started,
    [0, { type: 'build.started', build: 'Web/Docker', platform: 'docker' }],
    [0, { type: 'step.started', attempt: 1, ...step('Web/Docker', 'Opt', 'optional') }],
    [1_000, { type: 'step.failed', milliseconds: 1_000, error, continued: true, ...step('Web/Docker', 'Opt', 'optional') }],
    [1_000, { type: 'step.started', attempt: 1, ...nginx }],
    [2_000, { type: 'step.retried', attempt: 1, delay: 1_000, error, ...nginx }],
    [3_000, { type: 'release.failed', error: { ...error, message: 'busy' }, ...step('Db/Docker', 'Net', 'network') }],
  );
  const lines = draw(view);
  t.ok(lines.includes('│    ▲ optional  the script ended with 7'));
  t.ok(lines.includes('│    ⠋ shell  11s  attempt 1 failed, trying again'));
  t.ok(lines.includes('│      the script ended with 7'));
  t.ok(lines.includes('     ✖ network  could not be removed: busy'));
});

t.test('what is done again after a machine was lost is counted once', async (t) => {
  const [machine, shell] = [step('Web/Docker', 'Machine', 'machine'), step('Web/Docker', 'Shell', 'shell')];
  const view = viewOf(
    started,
    [0, { type: 'build.started', build: 'Web/Docker', platform: 'docker' }],
    ...[machine, shell].flatMap((one) => [[0, { type: 'step.started', attempt: 1, ...one }], [0, { type: 'step.succeeded', milliseconds: 0, ...one }]] as const),
    [1_000, { type: 'machine.lost', reason: 'taken back', again: [shell.step], ...machine }],
    [1_000, { type: 'release.started', ...machine }],
    [1_000, { type: 'release.succeeded', milliseconds: 0, ...machine }],
    [2_000, { type: 'step.started', attempt: 1, ...machine }],
    [2_000, { type: 'step.succeeded', milliseconds: 0, ...machine }],
  );
  t.equal(view.builds.get('Web/Docker')?.done, 1);
});

t.test('a cancelled run says what it does and how to leave', async (t) => {
  t.match(draw(viewOf(started, [1, { type: 'run.cancelling', run: 'r1', reason: 'SIGINT' }]), { columns: 100 })[0], /stopping, removing what was made; Ctrl-C again leaves at once/);
});

t.test('400 builds are summed up: the busy ones that fit, and a count', async (t) => {
  const ids = Array.from({ length: 400 }, (_, index) => `Fleet/Node${index}`);
  const events: (readonly [number, EventBody])[] = [[0, { type: 'run.started', run: 'r', log: '', builds: ids.map((id) => ({ id, platform: 'null', steps: 2 })) }]];
  for (const id of ids.slice(0, 300)) events.push([0, { type: 'build.started', build: id, platform: 'null' }], [0, { type: 'step.started', attempt: 1, ...step(id, 'S', 'sleep') }]);
  for (const id of ids.slice(0, 40)) events.push([5, { type: 'build.finished', build: id, status: id.endsWith('7') ? 'failed' : 'succeeded', milliseconds: 5, artifacts: [], error }]);
  const lines = draw(viewOf(...events), { height: 10, now: 3_000 });
  t.equal(lines.length, 10);
  t.match(lines[0], /260 running {2}100 waiting {2}36 done {2}4 failed/);
  t.match(lines[1], /✖ Fleet\/Node7 {2}the script ended with 7/);
  t.equal(lines.at(-1), '… and 256 more');
});

t.test('no line is wider and no tree higher than the terminal, at any size', async (t) => {
  const view = viewOf(
    started,
    ...['Web/Docker', 'Web/Qemu', 'Db/Docker'].flatMap((build): (readonly [number, EventBody])[] => [
      [0, { type: 'build.started', build, platform: 'x' }],
      ...[1, 2, 3, 4].flatMap((number): (readonly [number, EventBody])[] => [
        [0, { type: 'step.started', attempt: 1, ...step(build, String(number), `とても長い題名 ${'x'.repeat(number * 20)}`) }],
        [0, { type: 'step.output', stream: 'stdout', line: '完了 '.repeat(30), ...step(build, String(number), '') }],
        [0, { type: 'step.progress', label: 'a', current: 1, total: 3, unit: 'items', ...step(build, String(number), '') }],
        [0, { type: 'step.progress', label: 'b', current: 1, unit: 'bytes', ...step(build, String(number), '') }],
      ]),
    ]),
  );
  for (const columns of [1, 5, 20, 79, 200]) {
    for (const height of [1, 2, 5, 12, 60]) {
      const lines = draw(view, { columns, height });
      t.ok(lines.length <= height, `${columns} × ${height}`);
      t.ok(lines.every((line) => textWidth(line) <= columns), `${columns} × ${height}`);
    }
  }
});

t.test('what a machine prints cannot leave its line', async (t) => {
  const hostile = step('Web/\x1b[2JDocker', 'S', 'title\n\x1b[10A✔ fake');
  const lines = draw(viewOf(
    [0, { type: 'build.started', build: hostile.build, platform: 'x' }],
    [0, { type: 'step.started', attempt: 1, ...hostile }],
    [0, { type: 'step.output', stream: 'stdout', line: '\x1b[H\x1b[2K\rgone\x07', ...hostile }],
  ));
  t.notMatch(lines.join('\n'), /(?!\n)\p{Cc}/u);
  t.equal(lines.length, 5);
});
