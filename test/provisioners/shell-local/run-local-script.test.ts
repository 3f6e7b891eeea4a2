import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import type { LocalScriptSpec } from '../../../lib/provisioners/shell-local/local-script-fields.js';
import { runLocalScript } from '../../../lib/provisioners/shell-local/engine/run-local-script.js';
import { stagedFile } from '../../support/staged-file.js';
import { stepContext, type StepContextOptions } from '../../support/step-context.js';

async function run(t: Test, spec: LocalScriptSpec, options: StepContextOptions = {}, environment: Record<string, string> = {}) {
  const ctx = stepContext(t, options);
  await runLocalScript(spec, ctx, environment);
  return ctx;
}

t.test('inline lines are one script that stops at the first failure', async (t) => {
  const ctx = await run(t, { inline: ['x=1', 'echo "x is $x"', 'echo oops >&2'] });
  t.strictSame(ctx.lines('stdout'), ['x is 1']);
  t.strictSame(ctx.lines('stderr'), ['oops']);
  await t.rejects(run(t, { inline: ['false', 'echo never'] }), { code: 'ScriptFailed', message: 'the inline script ended with exit code 1' });
});

t.test('a command may be anything a shell understands', async (t) => {
  const ctx = await run(t, { command: 'printf "%s\\n" a b | sort -r' });
  t.strictSame(ctx.lines(), ['b', 'a']);
});

t.test('the shebang chooses the interpreter, and one in the first line wins', async (t) => {
  t.strictSame((await run(t, { inline: ['echo "${BASH_VERSION:+bash}"'], inlineShebang: '/bin/bash -e' })).lines(), ['bash']);
  t.strictSame((await run(t, { inline: ['#!/usr/bin/env bash', 'echo "${BASH_VERSION:+bash}"'] })).lines(), ['bash']);
  await t.rejects(run(t, { inline: ['#!/no/such/interpreter', 'x'] }), { code: 'CommandNotFound', message: /\/no\/such\/interpreter/ });
});

t.test('scripts run one after the other, whatever their mode, and binaries too', async (t) => {
  const folder = t.testdir({ plain: 'echo plain $0', bashy: '#!/bin/bash\necho "${BASH_VERSION:+bash}"' });
  const scripts = [await stagedFile(join(folder, 'plain'), 'plain.sh'), await stagedFile(join(folder, 'bashy')), await stagedFile('/bin/true')];
  const ctx = await run(t, { scripts });
  t.match(ctx.lines()[0], /^plain .*script\.sh$/);
  t.equal(ctx.lines()[1], 'bash');
  await t.rejects(run(t, { script: await stagedFile('/bin/false', 'falsehood') }), { message: 'falsehood ended with exit code 1' });
});

t.test('variables come through the environment, the automatic ones too, and the user\'s win', async (t) => {
  const step = { buildName: 'Docker', platform: 'docker' };
  const ctx = await run(t, { inline: ['echo "$PACKER_BUILD_NAME $PACKER_BUILDER_TYPE $BAKE_PLATFORM $BAKE_RUN_ID $A $B"'], environment: { A: 'spec', BAKE_PLATFORM: 'mine' } }, { step }, { A: 'caller', B: "it's" });
  t.strictSame(ctx.lines(), ["Docker docker mine run-1 spec it's"]);
});

t.test('no value of a variable or line is in an argument of any process', async (t) => {
  const ctx = await run(t, { inline: ['echo secret-in-line >/dev/null', 'cat /proc/[0-9]*/cmdline | tr "\\0" " "'], environment: { S: 'secret-in-variable' } });
  t.notMatch(ctx.lines().join('\n'), /secret-in-(line|variable)/);
});

t.test('executeCommand names the program and its arguments', async (t) => {
  const ctx = await run(t, { inline: ['echo "$A:$1"'], environment: { A: 'a' }, executeCommand: ['/bin/sh', '-c', '{{.Vars}} {{ .Script }} "$0"', 'one; two'] });
  t.strictSame(ctx.lines(), ['a:one; two']);
  await t.rejects(run(t, { inline: ['x'], executeCommand: ['/bin/sh', '{{.Scrpt}}'] }), { code: 'UnknownTemplateName', hint: /Script/ });
});

t.test('exit codes are valid as the user says', async (t) => {
  await run(t, { command: 'exit 7', validExitCodes: [0, 7] });
  await t.rejects(run(t, { command: 'echo last words; exit 8', validExitCodes: [0, 7] }), { code: 'ScriptFailed', message: 'the command ended with exit code 8', output: ['last words'] });
  await t.rejects(run(t, { command: 'kill -KILL $$' }), { code: 'ScriptFailed', message: 'the command was ended by the signal SIGKILL' });
});

t.test('it does nothing on other systems than it is for', async (t) => {
  const ctx = await run(t, { command: 'echo ran', onlyOn: ['win32'] });
  t.strictSame(ctx.lines(), []);
  t.match(ctx.lines('info')[0], /skipped: it is for win32/);
  t.strictSame((await run(t, { command: 'echo ran', onlyOn: ['win32', process.platform as 'linux'] })).lines(), ['ran']);
});

t.test('it starts in the project or where it is told to', async (t) => {
  const project = t.testdir({ sub: {} });
  t.strictSame((await run(t, { command: 'pwd' }, { project })).lines(), [project]);
  t.strictSame((await run(t, { command: 'pwd', workingDirectory: 'sub' }, { project })).lines(), [join(project, 'sub')]);
  await t.rejects(run(t, { command: 'pwd', workingDirectory: 'none' }, { project }), { code: 'WorkingDirectoryNotFound' });
});

t.test('its file is its own user\'s only, has the extension, and is gone afterwards', async (t) => {
  const ctx = await run(t, { command: 'stat -c %a "$0"; echo "$0"', tempfileExtension: '.task' });
  t.equal(ctx.lines()[0], '700');
  t.match(ctx.lines()[1], /\.task$/);
  t.strictSame(readdirSync(ctx.run.tmp), []);
});

t.test('an abort ends the whole group and removes the file', async (t) => {
  const abort = new AbortController();
  const project = t.testdir({});
  const ctx = stepContext(t, { project, signal: abort.signal });
  const log = (line: string) => { ctx.log(line); abort.abort(new Error('enough')); };
  await t.rejects(runLocalScript({ command: 'sleep 300 & echo $!; wait' }, { ...ctx, log }), { message: 'enough' });
  t.notOk(isRunning(ctx.lines()[0]!), 'the child of the script is gone');
  t.strictSame(readdirSync(ctx.run.tmp), []);
});

t.test('400 run at the same time', async (t) => {
  const started = Date.now();
  const project = t.testdir({});
  await Promise.all(Array.from({ length: 400 }, async (_, index) => {
    const ctx = stepContext(t, { project, runId: `run-${index}` });
    await runLocalScript({ command: 'sleep 1' }, ctx);
  }));
  const took = Date.now() - started;
  t.comment(`400 × sleep 1: ${took} ms`);
  t.ok(took < 60_000, `${took} ms`);
});

function isRunning(pid: string): boolean {
  return existsSync(`/proc/${pid}`) && !/^State:\s+Z/m.test(readFileSync(`/proc/${pid}/status`, 'utf8'));
}
