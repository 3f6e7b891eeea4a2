import t from 'tap';
import { codeFrame, formatLocation, sourceReader } from '../../lib/cli/report/code-frame.js';
import { formatDiff, formatValue } from '../../lib/cli/report/diff-text.js';
import { findingsOf, formatFindings } from '../../lib/cli/report/finding-text.js';
import { formatHealth } from '../../lib/cli/report/health-text.js';
import { formatPlans } from '../../lib/cli/report/plan-text.js';
import { formatLeftovers, formatOutcome, formatResults } from '../../lib/cli/report/run-summary.js';
import { makeStyle } from '../../lib/cli/terminal/style.js';
import { unicodeSymbols as symbols } from '../../lib/cli/terminal/symbols.js';
import { BakeError } from '../../lib/core/bake-error.js';
import { diffPlans } from '../../lib/plan/diff.js';
import { planOf } from './fake-io.js';

const style = makeStyle(false);
const source = ["import { App } from 'bake-sdk';", '', 'class Web extends Image {', '\tnew Shell(this, "日本", { inlin: [] });', '}', ''].join('\n');
const roots = { project: '/project', cwd: '/project', read: (path: string) => (path === '/project/image.ts' ? source : undefined) };
const look = { roots, style, symbols };

t.test('a code frame shows the lines around, and a mark under the place', async (t) => {
  t.equal(codeFrame({ file: 'image.ts', line: 4, column: 18 }, 1, roots, style, symbols).join('\n'), [
    '  3 │ class Web extends Image {',
    '› 4 │         new Shell(this, "日本", { inlin: [] });',
    '    │                         ^',
    '  5 │ }',
  ].join('\n'));
  t.equal(codeFrame({ file: 'image.ts', line: 1 }, 9, roots, style, symbols).length, 6, 'ends at the ends of the file');
  t.match(codeFrame({ file: 'image.ts', line: 4 }, 0, roots, style, symbols)[1], / {4}│ {9}\^$/, 'without a column, where the code begins');
  t.same(codeFrame({ file: 'image.ts', line: 99 }, 1, roots, style, symbols), []);
  t.same(codeFrame({ file: 'other.ts', line: 1 }, 1, roots, style, symbols), []);
});

t.test('places are shown as seen from the folder of the user', async (t) => {
  t.equal(formatLocation({ file: 'image.ts', line: 3, column: 1 }, { project: '/a/b', cwd: '/a/b' }), 'image.ts:3:1');
  t.equal(formatLocation({ file: 'image.ts', line: 3 }, { project: '/a/b', cwd: '/a/c' }), '../b/image.ts:3');
  t.equal(formatLocation({ file: 'image.ts', line: 3 }, { project: '/x/y', cwd: '/a/b/c/d' }), '/x/y/image.ts:3');
});

t.test('a missing source file is no error', async (t) => {
  t.equal(sourceReader()('/no/such/file'), undefined);
});

t.test('an error has its code, construct, line, frame, last output and hint', async (t) => {
  t.equal(formatFindings([{
    code: 'ScriptFailed', message: 'the script ended with 7', construct: 'Web/Docker:Nginx', location: { file: 'image.ts', line: 3 },
    output: ['E: no such package', '\x1b[2Jhostile'], hint: 'correct the script',
  }], look), [
    '✖ ScriptFailed: the script ended with 7',
    '  Web/Docker:Nginx  image.ts:3',
    '',
    "    1 │ import { App } from 'bake-sdk';",
    '    2 │',
    '  › 3 │ class Web extends Image {',
    '      │ ^',
    '    4 │         new Shell(this, "日本", { inlin: [] });',
    '    5 │ }',
    '',
    '  last output:',
    '  │ E: no such package',
    '  │ hostile',
    '',
    '  → correct the script',
    '',
  ].join('\n'));
});

t.test('several findings come with a count, in the order of the lines', async (t) => {
  const error = new BakeError({
    code: 'SynthFailed', message: 'x', diagnostics: [
      { code: 'Odd', severity: 'warning', message: 'odd' },
      { code: 'B', severity: 'error', message: 'second', location: { file: 'image.ts', line: 9 } },
      { code: 'A', severity: 'error', message: 'first', location: { file: 'image.ts', line: 2 } },
    ],
  });
  const text = formatFindings(findingsOf(error), look);
  t.match(text, /✖ A: first[\s\S]*✖ B: second[\s\S]*▲ Odd: odd\n\n2 errors, 1 warning\n$/);
  t.same(findingsOf(new BakeError({ code: 'X', message: 'alone' })).length, 1);
  t.equal(formatFindings([], look), '');
});

t.test('a plan is shown with numbers, lines, what is temporary and what stays, and what it needs of others', async (t) => {
  const base = planOf('Base', [{ id: 'Base/Docker/Image', title: 'commit', role: 'source', lifetime: 'artifact', noun: 'image', source: { file: 'image.ts', line: 3, column: 5 } }]);
  const web = planOf('Web', [
    { id: 'Web/Docker/Container', title: 'container', role: 'source', lifetime: 'run', noun: 'container', needs: ['Base/Docker/Image'], source: { file: 'image.ts', line: 7 } },
    { id: 'Web/Docker:Nginx', title: 'shell: 2 lines', needs: ['Web/Docker/Container'], source: { file: 'image.ts', line: 12 }, policy: { retries: 3, timeout: 300_000, pauseBefore: 1_000, continueOnError: true } },
    { id: 'Web/Docker:Logs', title: 'save the logs', role: 'error-cleanup', needs: ['Web/Docker/Container'], source: { file: 'image.ts', line: 14 } },
  ]);
  t.equal(formatPlans([base, { ...web, tags: { env: 'prod' } }], { style, roots }), [
    'Base',
    '  Docker',
    '     1  commit  image.ts:3  stays: image',
    '',
    'Web  env=prod',
    '  Docker',
    '     1  container       image.ts:7   from Base/Docker, temporary: container',
    '     2  shell: 2 lines  image.ts:12  after 1s, at most 5m, 3 retries, may fail',
    '     !  save the logs   image.ts:14  only if the build fails',
    '',
    '2 images, 2 builds, 4 steps',
    '',
  ].join('\n'));
});

t.test('a plan says of each step what a run would do with it, and what that is expected to take', (t) => {
  const step = (name: string, more: object = {}) => ({ id: `Web/Docker:${name}`, title: name, ...more });
  const plan = planOf('Web', [step('One'), step('Two'), step('Three'), step('Four', { policy: { retries: 1 } })]);
  const told = <More extends object>(name: string, more: More) => ({ step: `Web/Docker:${name}`, name, title: name, ...more });
  const forecast = { build: 'Web/Docker', platform: 'docker', upToDate: false, milliseconds: 1_500, steps: [
    told('One', { will: 'restored' as const }), told('Two', { will: 'cached' as const, milliseconds: 900 }),
    told('Three', { will: 'run' as const, why: { type: 'changed' as const, changes: [{ path: 'spec.inline', before: 'a', after: 'b' }] }, milliseconds: 1_500 }),
    told('Four', { will: 'run' as const, why: { type: 'follows' as const, step: 'Web/Docker:Three', name: 'Three' } }),
  ] };
  t.equal(formatPlans([plan], { style, roots, forecast: [forecast] }), [
    'Web',
    '  Docker  about 1.5s',
    '     1  One      brought back from a checkpoint',
    '     2  Two      cached',
    '     3  Three    runs: inline was "a", is "b" (1.5s last time)',
    '     4  Four     runs: follows Three, 1 retry',
    '',
    '1 image, 1 build, 4 steps, about 1.5s of work',
    '',
  ].join('\n'));
  const upToDate = formatPlans([plan], { style, roots, forecast: [{ ...forecast, upToDate: true, milliseconds: 0 }] });
  t.match(upToDate, /^ {2}Docker {2}up to date\n {5}1 {2}One\n/m, 'and nothing of its steps');
  t.match(upToDate, /4 steps\n$/);
  t.end();
});

t.test('a plan says what is temporary, also one without nouns, and says it once', async (t) => {
  const plan = planOf('Web', [
    { id: 'Web/Docker/Base', kind: 'docker.baseImage', title: 'base', role: 'source', lifetime: 'run', noun: 'temporary image' },
    { id: 'Web/Docker/Container', kind: 'docker.container', title: 'start', role: 'source', lifetime: 'run' },
  ]);
  t.match(formatPlans([plan], { style, roots }), /1 {2}base +temporary image\n +2 {2}start +temporary: container\n/);
});

t.test('a difference is shown like a unified diff', async (t) => {
  const asset = (digest: string) => ({ $asset: { digest: digest.repeat(32), type: 'file', name: 'a.sh', size: 1 } });
  const before = planOf('Web', [{ id: 'x', title: 'shell', spec: { inline: ['a'], script: asset('aa') } }, { id: 'y', title: 'file' }, { id: 'gone', title: 'sleep' }]);
  const after = planOf('Web', [{ id: 'y', title: 'file' }, { id: 'x', title: 'shell', spec: { inline: ['b'], script: asset('bb') }, policy: { retries: 1 } }, { id: 'new', title: 'upload' }]);
  t.equal(formatDiff(diffPlans([before], [after]), style), [
    '~ Web',
    '  ~ Web/Docker',
    '    ~ shell  x',
    '        + policy.retries: 1',
    '        - inline[0]: a',
    '        + inline[0]: b',
    '        - script: file a.sh, sha256 aaaaaaaaaaaa',
    '        + script: file a.sh, sha256 bbbbbbbbbbbb',
    '    + upload  new',
    '    - sleep  gone',
    '    ↕ shell  comes after y now',
    '',
    '4 differences in steps: 1 added, 1 removed, 1 changed, 1 moved',
    '',
  ].join('\n'));
  t.equal(formatDiff([], style), 'no differences\n');
});

t.test('values of a plan are named as a person would', async (t) => {
  t.equal(formatValue({ $ref: 'a/b#artifact.id' }), '<a/b#artifact.id>');
  t.equal(formatValue({ $secret: { from: 'env', name: 'TOKEN' } }), '<secret: env TOKEN>');
  t.equal(formatValue({ $secret: { from: 'file', path: '/run/token' } }), '<secret: file /run/token>');
  t.equal(formatValue({ $secret: { from: 'literal', index: 1 } }), '<secret: literal>');
  t.equal(formatValue({ $join: ['http://', { $ref: 'a#host' }, '/'] }), 'http://<a#host>/');
  t.equal(formatValue({ $asset: { pending: './site' } }), './site');
  t.equal(formatValue({ a: [1, null] }), '{"a":[1,null]}');
  t.equal(formatValue('two\nlines \x1b[31m'), 'two lines');
  t.equal(formatValue('x'.repeat(500)).length, 120);
});

t.test('results name each build with what it made', async (t) => {
  const summary = { style, symbols, cwd: '/project' };
  const file = (path: string, size: number) => ({ path, size });
  t.equal(formatResults([
    { build: 'Web/Docker', status: 'succeeded', milliseconds: 12_000, artifacts: [{ type: 'docker.image', id: 'sha256:1', title: 'web:latest', files: [], data: {} }] },
    { build: 'Web/Rootfs', status: 'succeeded', milliseconds: 1_500, artifacts: [
      { type: 'rootfs.tarball', id: '/project/dist/web.tar', title: '/project/dist/web.tar', files: [file('/project/dist/web.tar', 2_097_152)], data: {} },
      { type: 'files', id: 'x', title: 'sums', files: [file('/project/a', 1), file('/else/b', 2)], data: {} },
      { type: 'none', id: '', title: 'nothing', files: [], data: {} },
    ] },
    { build: 'Web/Qemu', status: 'failed', milliseconds: 3_000, artifacts: [], error: { code: 'X', message: 'y', source: 'user' } },
    { build: 'Db/A', status: 'skipped', milliseconds: 0, artifacts: [], error: { code: 'X', message: 'it needs Web/Qemu', source: 'user' } },
  ], summary), [
    '✔ Web/Docker  12s',
    '    web:latest  docker.image',
    '✔ Web/Rootfs  1.5s',
    '    dist/web.tar  rootfs.tarball, 2 MiB',
    '    sums',
    '      a  1 B',
    '      /else/b  2 B',
    '✖ Web/Qemu    3s  failed',
    '◌ Db/A        skipped  it needs Web/Qemu',
    '',
  ].join('\n'));
  t.equal(formatLeftovers([], 'bake clean', summary), '');
  t.equal(formatLeftovers([{ step: 'Web/Docker/Container', kind: 'docker.container', token: 't', title: 'container', reason: 'kept as asked' }], 'bake clean r1', summary), [
    '▲ left behind:', '    container  docker.container of Web/Docker/Container  kept as asked', '  → bake clean r1', '',
  ].join('\n'));
  const report = { run: 'r', leftovers: [], builds: [{ build: 'a', milliseconds: 1, artifacts: [] }] };
  t.equal(formatOutcome({ ...report, status: 'succeeded', builds: [{ ...report.builds[0]!, status: 'succeeded' }] }, 80_000, summary), '✔ 1 of 1 build done in 1m20s\n');
  t.equal(formatOutcome({ ...report, status: 'failed', builds: [{ ...report.builds[0]!, status: 'failed' }, { ...report.builds[0]!, status: 'skipped' }] }, 5, summary), '✖ 0 of 2 builds done in 5ms, 1 failed, 1 skipped\n');
});

t.test('the health of a platform comes with the commands that install what is missing', async (t) => {
  t.equal(formatHealth([{ platform: 'rootfs', checks: [
    { name: 'unshare', ok: true, required: true, detail: 'util-linux 2.38' },
    { name: 'mmdebstrap', ok: false, required: true, detail: 'not found', install: [['sudo', 'apt-get', 'install', '-y', 'mmdebstrap']] },
    { name: 'zstd', ok: false, required: false, detail: 'not found' },
  ] }, { platform: 'null', checks: [] }], style, symbols), [
    'rootfs  not ready',
    '  ✔ unshare     util-linux 2.38',
    '  ✖ mmdebstrap  not found',
    '      → sudo apt-get install -y mmdebstrap',
    '  ◌ zstd        not found (some features only)',
    '',
    'null  ready',
    '',
  ].join('\n'));
});
