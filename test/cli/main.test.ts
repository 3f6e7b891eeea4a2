import { EventEmitter } from 'node:events';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { ProcessInterrupts } from '../../lib/cli/interrupts.js';
import { main } from '../../lib/cli/main.js';
import { BakeError } from '../../lib/core/bake-error.js';
import { canonicalJson } from '../../lib/core/json.js';
import type { RunReport, Synthesis } from '../../lib/toolkit/toolkit-api.js';
import { type FakeIo, fakeIo, planOf } from './fake-io.js';

const plan = planOf('Web', [{ id: 'Web/Docker:A', title: 'shell' }]);
const synthesis: Synthesis = { plans: [plan], diagnostics: [], outDir: '/project/bake.out', project: '/project' };
const build = { build: 'Web/Docker', milliseconds: 5, artifacts: [] } as const;
const error = { code: 'ScriptFailed', message: 'the script ended with 7', source: 'user', construct: 'Web/Docker:A', hint: 'correct it' } as const;
const leftover = { step: 'Web/Docker/Container', kind: 'docker.container', token: 't', title: 'container', reason: 'it could not be removed' };
const succeeded: RunReport = { run: 'r1', status: 'succeeded', builds: [{ ...build, status: 'succeeded' }], leftovers: [] };
const failed: RunReport = { run: 'r1', status: 'failed', builds: [{ ...build, status: 'failed', error }], leftovers: [] };

async function bake(io: FakeIo, ...argv: string[]): Promise<number> {
  return main(argv, io);
}

t.test('the version and the help need no toolkit', async (t) => {
  const io = { ...fakeIo(), toolkit: async () => { throw new Error('loaded'); } };
  t.equal(await main(['--version'], io), 0);
  t.match(io.stdout.text, /^\d+\.\d+\.\d+\n$/);
  for (const argv of [[], ['--help'], ['help']]) {
    io.stdout.text = '';
    t.equal(await main(argv, io), 0);
    t.match(io.stdout.text, /Commands\n {2}init/);
  }
  for (const argv of [['run', '-h'], ['help', 'run']]) {
    io.stdout.text = '';
    t.equal(await main(argv, io), 0);
    t.match(io.stdout.text, /^bake run: build the images/);
  }
  t.equal(io.stderr.text, '');
});

t.test('a wrong command line is exit 2, on standard error', async (t) => {
  const io = fakeIo();
  t.equal(await bake(io, 'rnu'), 2);
  t.equal(io.stdout.text, '');
  t.equal(io.stderr.text, '✖ UnknownCommand: there is no command "rnu"\n  → did you mean "run"?\n');
  t.equal(await bake(fakeIo(), 'help', 'rnu'), 2);
  for (const argv of [['rnu', '--json'], ['run', '--json', '--parallel', '0']]) {
    const forProgram = fakeIo();
    t.equal(await bake(forProgram, ...argv), 2);
    t.match(JSON.parse(forProgram.stdout.text), { type: 'failed', error: { code: /UnknownCommand|InvalidOption/, hint: String } }, 'a program is told too');
  }
  t.equal(await bake(fakeIo(), 'synth', '-c', 'novalue'), 2);
});

t.test('ls lists images and builds', async (t) => {
  const io = fakeIo();
  io.fakeToolkit.synthesis = synthesis;
  t.equal(await bake(io, 'ls', '--app', 'x.ts', '-c', 'a=b=c', '--var-file', 'v.json'), 0);
  t.equal(io.stdout.text, 'Web\n  Web/Docker  docker  1 step\n');
  t.same(io.fakeToolkit.calls[0]?.options, { app: 'x.ts', variables: { a: 'b=c' }, variableFiles: ['v.json'] });
  const json = fakeIo();
  json.fakeToolkit.synthesis = synthesis;
  t.equal(await bake(json, 'ls', '--json'), 0);
  t.same(JSON.parse(json.stdout.text), { diagnostics: [], images: [{ image: 'Web', builds: [{ id: 'Web/Docker', name: 'Docker', platform: 'docker', steps: 1 }] }] });
});

t.test('synth prints the plan, or JSON, or nothing', async (t) => {
  const run = async (...argv: string[]) => {
    const io = fakeIo();
    io.fakeToolkit.synthesis = { ...synthesis, diagnostics: [{ code: 'Odd', severity: 'warning', message: 'odd' }] };
    return { io, code: await bake(io, 'synth', ...argv) };
  };
  const plain = await run('-o', 'elsewhere');
  t.equal(plain.code, 0);
  t.match(plain.io.stdout.text, /^Web\n {2}Docker\n {5}1 {2}shell/);
  t.match(plain.io.stderr.text, /▲ Odd: odd\n[\s\S]*written to bake.out\n$/);
  t.match(plain.io.fakeToolkit.calls[0]?.options, { outDir: 'elsewhere' });
  const quiet = await run('--quiet');
  t.equal(quiet.io.stdout.text, '');
  t.equal(quiet.io.stderr.text, '▲ Odd: odd\n');
  const json = await run('--json');
  t.same(JSON.parse(json.io.stdout.text).plans, [plan]);
  t.equal(json.io.stderr.text, '');
});

t.test('synth tells what a run would do, in JSON too, and why that cannot be told; with --quiet nobody looks', async (t) => {
  const forecast = { builds: [{ build: 'Web/Docker', platform: 'docker', upToDate: true, steps: [], milliseconds: 0 }], unknown: [] };
  const run = async (told: NonNullable<Synthesis['forecast']>, ...argv: string[]) => {
    const io = fakeIo();
    io.fakeToolkit.synthesis = { ...synthesis, forecast: told };
    t.equal(await bake(io, 'synth', ...argv), 0);
    return io;
  };
  const plain = await run(forecast);
  t.match(plain.fakeToolkit.calls[0]?.options, { foresee: true });
  t.match(plain.stdout.text, /Docker {2}up to date/);
  t.same(JSON.parse((await run(forecast, '--json')).stdout.text).forecast, forecast);
  t.match((await run({ builds: [], unknown: [{ builds: ['Web/Docker'], reason: 'no\u001b[2J daemon' }] })).stderr.text, /^what is cached cannot be told: no.* daemon\nwritten/);
  t.match((await run(forecast, '--quiet')).fakeToolkit.calls[0]?.options, { foresee: undefined });
});

t.test('synth --check checks the types first', async (t) => {
  const io = fakeIo();
  io.fakeToolkit.diagnostics = [{ code: 'TS2345', severity: 'error', message: 'not assignable', location: { file: 'image.ts', line: 3 } }];
  t.equal(await bake(io, 'synth', '--check'), 2);
  t.match(io.stderr.text, /✖ TS2345: not assignable\n {2}image.ts:3\n/);
  t.same(io.fakeToolkit.calls.map(({ method }) => method), ['check']);
  const fine = fakeIo();
  fine.fakeToolkit.synthesis = synthesis;
  t.equal(await bake(fine, 'synth', '--check', '-q'), 0);
  t.same(fine.fakeToolkit.calls.map(({ method }) => method), ['check', 'synth']);
});

t.test('what is wrong with the app is exit 2, what a platform does is exit 1; with --json both are JSON', async (t) => {
  const run = async (thrown: Error, ...argv: string[]) => {
    const io = fakeIo();
    io.fakeToolkit.synthesis = thrown;
    return { io, code: await bake(io, 'synth', ...argv) };
  };
  const diagnostics = [{ code: 'UnknownProp', severity: 'error', message: 'no prop "imge"' }, { code: 'DuplicateId', severity: 'error', message: 'taken' }] as const;
  const user = await run(new BakeError({ code: 'SynthFailed', message: 'x', diagnostics }));
  t.equal(user.code, 2);
  t.match(user.io.stderr.text, /✖ UnknownProp[\s\S]*✖ DuplicateId[\s\S]*2 errors\n$/);
  t.equal((await run(new BakeError({ code: 'DaemonGone', source: 'platform', message: 'x' }))).code, 1);
  const json = await run(new BakeError({ code: 'SynthFailed', message: 'x', diagnostics }), '--json');
  t.match(JSON.parse(json.io.stdout.text), { type: 'failed', error: { code: 'SynthFailed' }, diagnostics });
});

t.test('an error nobody foresaw is one line, with its stack only if asked for', async (t) => {
  const text = async (env: Record<string, string>, ...argv: string[]) => {
    const io = fakeIo({ env });
    io.fakeToolkit.synthesis = new TypeError('x is not a function\x1b[2J', { cause: new Error('deep') });
    t.equal(await bake(io, 'ls', ...argv), 1);
    return io.stderr.text;
  };
  const short = await text({});
  t.match(short, /^✖ unexpected error: x is not a function\n {2}→ this is a mistake of bake: please report it/);
  t.notMatch(short, /at .*main\.test\.ts/);
  for (const long of [await text({}, '--verbose'), await text({ BAKE_DEBUG: '1' })]) {
    t.match(long, /TypeError: x is not a function/);
    t.match(long, /caused by Error: deep/);
    t.notMatch(long, /(?!\n)\p{Cc}/u);
  }
});

t.test('run gives the toolkit what the command line says', async (t) => {
  const io = fakeIo();
  io.fakeToolkit.report = succeeded;
  t.equal(await bake(io, 'run', 'Web', 'Db/*', '--only', 'A,B', '--except', 'C', '--on-error', 'keep', '--parallel', '2', '--force'), 0);
  t.match(io.fakeToolkit.calls[0]?.options, { app: '.', selectors: ['Web', 'Db/*'], only: ['A', 'B'], except: ['C'], onError: 'keep', parallel: 2, force: true });
  t.equal(io.stdout.text, '✔ Web/Docker  5ms\n');
  t.match(io.stderr.text, /✔ 1 of 1 build done in 0ms\n$/);
});

t.test('a failed run is exit 1 and shows each failure and the log', async (t) => {
  const io = fakeIo();
  io.fakeToolkit.report = failed;
  t.equal(await bake(io, 'run'), 1);
  t.equal(io.stdout.text, '✖ Web/Docker  5ms  failed\n');
  t.match(io.stderr.text, /✖ ScriptFailed: the script ended with 7\n {2}Web\/Docker:A\n {2}→ correct it\n\nlog: .bake\/runs\/r1\/log.jsonl\n\n✖ 0 of 1 build done in 0ms, 1 failed\n$/);
});

t.test('what is left behind is exit 5, with the command that removes it', async (t) => {
  for (const report of [{ ...succeeded, leftovers: [leftover] }, { ...failed, leftovers: [leftover] }]) {
    const io = fakeIo();
    io.fakeToolkit.report = report;
    t.equal(await bake(io, 'run', '--app', 'my images'), 5);
    t.match(io.stderr.text, /▲ left behind:\n {4}container .*it could not be removed\n {2}→ bake clean r1 --app 'my images'\n/);
  }
  const kept = fakeIo();
  kept.fakeToolkit.report = { ...failed, leftovers: [leftover] };
  t.equal(await bake(kept, 'run', '--on-error', 'keep'), 1, 'what was kept as asked is no surprise');
});

t.test('an interrupted run is exit 130', async (t) => {
  const io = fakeIo();
  io.fakeToolkit.report = { ...succeeded, status: 'cancelled', builds: [{ ...build, status: 'cancelled' }], leftovers: [leftover] };
  t.equal(await bake(io, 'run'), 130);
  t.match(io.fakeInterrupts.lastWords(), /\n {2}bake clean r1\n/);
  const early = fakeIo();
  early.fakeToolkit.report = new BakeError({ code: 'Interrupted', message: 'interrupted by SIGINT' });
  t.equal(await bake(early, 'run'), 130);
  early.fakeInterrupts.onFirst();
  t.match(early.stderr.text, /stopping and removing what was made; a second Ctrl-C leaves at once/);
});

t.test('run --json writes events only', async (t) => {
  const io = fakeIo();
  io.fakeToolkit.report = failed;
  t.equal(await bake(io, 'run', '--json'), 1);
  t.same(io.stdout.lines.map((line) => JSON.parse(line).type), ['run.started', 'run.finished']);
});

t.test('diff compares with bake.out, or with a file; exit 3 if they differ', async (t) => {
  const other = planOf('Web', [{ id: 'Web/Docker:A', title: 'shell', spec: { inline: ['x'] } }]);
  const cwd = t.testdir({
    'bake.out': { 'manifest.json': JSON.stringify({ schema: 1, images: [{ image: 'Web', plan: 'Web.plan.json', digest: '' }] }), 'Web.plan.json': canonicalJson(plan) },
    'plan.json': canonicalJson(other), 'plans.json': JSON.stringify({ plans: [other], diagnostics: [] }),
    evil: { 'manifest.json': JSON.stringify({ images: [{ plan: '../plan.json' }] }) }, 'broken.json': '{',
    'new.json': JSON.stringify({ ...other, schema: 99 }),
  });
  const run = async (...argv: string[]) => {
    const io = fakeIo({ cwd });
    io.fakeToolkit.synthesis = synthesis;
    return { io, code: await bake(io, 'diff', ...argv) };
  };
  const same = await run();
  t.equal(same.io.stderr.text, '');
  t.equal(same.code, 0);
  t.equal(same.io.stdout.text, 'no differences\n');
  t.not(same.io.fakeToolkit.calls[0]?.options['outDir'], join(cwd, 'bake.out'), 'bake.out stays as it is');
  for (const file of ['plan.json', 'plans.json']) {
    const { io, code } = await run(file);
    t.equal(code, 3, file);
    t.match(io.stdout.text, /- inline: \["x"\]/);
  }
  const json = await run('plan.json', '--json');
  t.equal(json.code, 3);
  t.match(JSON.parse(json.io.stdout.text), { images: [{ image: 'Web', change: 'changed' }] });
  for (const [file, code] of [['evil', 'PlanInvalid'], ['broken.json', 'PlanInvalid'], ['new.json', 'PlanTooNew'], ['none', 'PlanNotFound']] as const) {
    const bad = await run(file);
    t.equal(bad.code, 2, file);
    t.match(bad.io.stderr.text, code);
  }
});

t.test('clean tells what it removed and what it could not', async (t) => {
  const run = async (cleaned: FakeIo['fakeToolkit']['cleaned'], ...argv: string[]) => {
    const io = fakeIo();
    io.fakeToolkit.cleaned = cleaned;
    return { io, code: await bake(io, 'clean', ...argv) };
  };
  const nothing = await run({ removed: [], left: [], spared: [] });
  t.equal(nothing.io.stdout.text, 'nothing to clean\n');
  t.match(nothing.io.fakeToolkit.calls[0]?.options, { project: '/project', scan: false, dryRun: false });
  const some = await run({ removed: [leftover], left: [], spared: [] }, 'r1', '--scan');
  t.equal(some.code, 0);
  t.match(some.io.stdout.text, /^removed:\n {2}✔ container/);
  t.match(some.io.fakeToolkit.calls[0]?.options, { run: 'r1', scan: true });
  t.match((await run({ removed: [leftover], left: [], spared: [] }, '-n')).io.stdout.text, /^would be removed:/);
  const stuck = await run({ removed: [], left: [leftover], spared: [] });
  t.equal(stuck.code, 5);
  t.match(stuck.io.stderr.text, /left behind:/);
  t.match(JSON.parse((await run({ removed: [leftover], left: [], spared: [] }, '--json')).io.stdout.text), { type: 'clean.finished', removed: [leftover] });
  const spared = await run({ removed: [], left: [], spared: [leftover] }, '--platform', 'ec2,docker', '--region', 'all', '--older-than', '2h');
  t.equal(spared.code, 0, 'it is nobody\'s fault here');
  t.match(spared.io.stdout.text, /^not touched; --older-than 1h takes.*\n {2}container/);
  t.match(spared.io.fakeToolkit.calls[0]?.options, { scan: true, platforms: ['ec2', 'docker'], regions: ['all'], olderThan: 7_200_000 });
  const wrong = await run({ removed: [], left: [], spared: [] }, '--older-than', 'soon');
  t.match([wrong.code, wrong.io.stderr.text], [2, /--older-than/]);
});

t.test('doctor prints what the account must allow', async (t) => {
  const io = fakeIo();
  io.fakeToolkit.allowed = [{ platform: 'ec2', policy: { Version: '2012-10-17', Statement: [] }, roles: ['arn:aws:iam::123456789012:role/builder'] }];
  t.equal(await bake(io, 'doctor', '--platform', 'ec2', '--policy', '--var', 'a=b'), 0);
  t.match(io.fakeToolkit.calls, [{ method: 'policies', options: { platforms: ['ec2'], variables: { a: 'b' } } }]);
  t.same(JSON.parse(io.stdout.text), { Version: '2012-10-17', Statement: [] });
  t.match(io.stderr.text, /role\/builder.*sts:AssumeRole/);
});

const missing = { platform: 'rootfs', checks: [
  { name: 'mmdebstrap', ok: false, required: true, detail: 'not found', install: [['apt-get', 'update'], ['apt-get', 'install', '-y', 'mmdebstrap']] },
  { name: 'zstd', ok: false, required: false, detail: 'not found', install: [['apt-get', 'update'], ['apt-get', 'install', '-y', 'zstd']] },
] };

t.test('doctor fails only for platforms that were asked for', async (t) => {
  const run = async (...argv: string[]) => {
    const io = fakeIo();
    io.fakeToolkit.health = [missing, { platform: 'null', checks: [] }];
    return { io, code: await bake(io, 'doctor', ...argv) };
  };
  t.equal((await run()).code, 0);
  t.equal((await run('null')).code, 0);
  const named = await run('rootfs');
  t.equal(named.code, 1);
  t.match(named.io.stderr.text, /bake setup rootfs/);
  t.match(JSON.parse((await run('--json')).io.stdout.text), { healthy: false, platforms: [{ platform: 'rootfs' }, { platform: 'null' }] });
  const wrong = await run('rotfs');
  t.equal(wrong.code, 2);
  t.match(wrong.io.stderr.text, /did you mean "rootfs"/);
});

t.test('setup shows the commands, asks, and runs each once', async (t) => {
  const io = fakeIo();
  io.fakeToolkit.health = [missing];
  t.equal(await bake(io, 'setup', 'rootfs', '--yes'), 1, 'the fake stays ill');
  t.same(io.commands.map(({ command, args, terminal }) => [command, args?.join(' '), terminal]), [
    ['apt-get', 'update', true], ['apt-get', 'install -y mmdebstrap', true],
  ]);
  const whole = fakeIo();
  whole.fakeToolkit.health = [missing];
  await bake(whole, 'setup', '--optional', '--yes');
  t.same(whole.commands.map(({ args }) => args?.join(' ')), ['update', 'install -y mmdebstrap', 'install -y zstd']);
  const declined = fakeIo();
  declined.fakeToolkit.health = [missing];
  t.equal(await bake(declined, 'setup'), 4, 'nobody there to say yes');
  t.same(declined.commands, []);
  t.match(declined.stderr.text, /apt-get install -y mmdebstrap\n/);
  const asked = fakeIo({ terminal: { columns: 80, rows: 24 }, exitCodes: { 'apt-get': 100 } });
  asked.fakeToolkit.health = [missing];
  asked.stdin.write('y\n');
  t.equal(await bake(asked, 'setup'), 1);
  t.equal(asked.commands.length, 1, 'nothing more after a failure');
  t.match(asked.stderr.text, /apt-get update ended with 100/);
  const healthy = fakeIo();
  t.equal(await bake(healthy, 'setup'), 0);
  t.same(healthy.commands, []);
});

t.test('init writes a project and overwrites nothing', async (t) => {
  const cwd = t.testdir({ taken: { 'package.json': '{"name":"mine"}' } });
  const io = fakeIo({ cwd });
  t.equal(await bake(io, 'init', 'My Web'), 0);
  t.match(io.stdout.text, /made image.ts, package.json, tsconfig.json, .gitignore in My Web\n[\s\S]*cd 'My Web'/);
  const manifest = JSON.parse(readFileSync(join(cwd, 'My Web/package.json'), 'utf8'));
  t.equal(manifest.name, 'my-web');
  t.match(manifest.dependencies['bake-sdk'], /^(\d|file:)/);
  const again = fakeIo({ cwd });
  t.equal(await bake(again, 'init', 'My Web'), 2);
  t.match(again.stderr.text, /ProjectExists/);
  const taken = fakeIo({ cwd });
  t.equal(await bake(taken, 'init', 'taken', '-t', 'docker'), 0);
  t.match(taken.stdout.text, /left as it was: package.json/);
  t.equal(readFileSync(join(cwd, 'taken/package.json'), 'utf8'), '{"name":"mine"}');
  t.match(readFileSync(join(cwd, 'taken/image.ts'), 'utf8'), 'new DockerSource');
  t.ok(existsSync(join(cwd, 'taken/.gitignore')));
});

t.test('the first interrupt aborts, its echo is ignored, the second one leaves at once', async (t) => {
  let now = 0;
  const exits: number[] = [];
  const printed: string[] = [];
  const source = Object.assign(new EventEmitter(), { exit: (code: number) => { exits.push(code); } });
  const interrupts = new ProcessInterrupts(source, (text) => printed.push(text), () => now);
  let first = 0;
  const done = interrupts.guard((signal) => new Promise<unknown>((resolve) => signal.addEventListener('abort', () => setImmediate(() => resolve(signal.reason)))), { onFirst: () => { first++; }, lastWords: () => 'bake clean r1' });
  source.emit('SIGINT', 'SIGINT');
  now = 5;
  source.emit('SIGINT', 'SIGINT');
  t.same([first, exits], [1, []]);
  now = 500;
  source.emit('SIGTERM', 'SIGTERM');
  t.same([exits, printed], [[130], ['bake clean r1']]);
  t.match(await done, { code: 'Interrupted', message: 'interrupted by SIGINT' });
  t.equal(source.listenerCount('SIGINT') + source.listenerCount('SIGTERM') + source.listenerCount('SIGHUP'), 0);
});
