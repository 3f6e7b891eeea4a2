import { existsSync, mkdirSync, readdirSync, readFileSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import type { Communicator } from '../../../lib/core/communicator.js';
import { shellHandler } from '../../../lib/provisioners/shell/engine/shell-handler.js';
import type { ShellScriptSpec } from '../../../lib/provisioners/shell/steps.js';
import { stagedFile } from '../../support/staged-file.js';
import { stepContext, type StepContextOptions } from '../../support/step-context.js';
import { loginShells, posixShells, ShellMachine } from './shells.js';

const connection = { kind: 'test' };

async function run(t: Test, spec: Omit<ShellScriptSpec, 'connection'>, machine: Communicator = new ShellMachine(), options: StepContextOptions = {}) {
  const ctx = stepContext(t, { connect: () => machine, ...options });
  await shellHandler.run({ connection, ...spec }, ctx);
  return ctx;
}

t.test('there are several shells to try', async (t) => {
  t.ok(posixShells.length >= 3, posixShells.join(', '));
});

for (const posix of posixShells) {
  t.test(`with ${posix} as /bin/sh`, async (t) => {
    const machine = new ShellMachine({ posix });
    const folder = t.testdir({ here: {} });
    const remoteFolder = join(folder, 'here');
    const files = () => readdirSync(remoteFolder);

    await t.test('inline lines are one script that stops at the first failure', async (t) => {
      const ctx = await run(t, { inline: ['x=1', 'echo "x is $x"', 'echo oops >&2', 'cat'], remoteFolder }, machine);
      t.strictSame(ctx.lines('stdout'), ['x is 1']);
      t.strictSame(ctx.lines('stderr'), ['oops']);
      await t.rejects(run(t, { inline: ['echo last', 'exit 7'], remoteFolder }, machine), { code: 'ScriptFailed', message: 'the inline script ended with exit code 7', output: ['last'] });
      await t.rejects(run(t, { inline: ['false', 'echo never'], remoteFolder }, machine), { code: 'ScriptFailed', message: /exit code 1/ });
      t.strictSame(files(), []);
    });

    await t.test('values of variables arrive whatever is in them', async (t) => {
      const environment = { A: "it's \"$HOME\" `id` \\n\\\\ !x", NL: 'one\ntwo\n\nlast\n\n', EMPTY: '', U: 'Ünïcødé ÁÂ €\u0081\u0088 🎂', SP: '  a  b  ', PATH: '/usr/bin:/bin', TAB: '\t\r\u001b', line: 'mine' };
      const ctx = await run(t, { inline: ['env -0 | base64 -w0'], environment, remoteFolder }, machine);
      const seen = new Map(Buffer.from(ctx.lines()[0] ?? '', 'base64').toString().split('\0').map((entry) => [entry.slice(0, entry.indexOf('=')), entry.slice(entry.indexOf('=') + 1)]));
      for (const [name, value] of Object.entries(environment)) t.equal(seen.get(name), value, name);
      t.notOk([...seen.keys()].some((name) => name.startsWith('bake_')), 'nothing of ours is in the environment');
    });

    await t.test('a PATH of the user\'s does not keep the script from being removed', async (t) => {
      await run(t, { inline: ['echo hello'], environment: { PATH: '/nowhere' }, remoteFolder }, machine);
      t.strictSame(files(), []);
    });

    const usual = [
      'chmod +x {{.Path}}; {{.Vars}} {{.Path}}',
      "chmod +x {{.Path}}; env -i sh -c '{{.Vars}} {{.Path}}'",
      'env -i {{.Vars}} {{.Path}}',
      'env -i {{ .Vars }} sh -e {{ .Path }}',
      "echo 'password' | env -i {{.Vars}} env -u NOTHING {{.Path}}",
      'chmod +x {{.Path}}; . {{.EnvVarFile}} && {{.Path}}',
      "env -i sh -c '. {{.EnvVarFile}} && {{.Path}}'",
      '{{.Path}}',
    ];
    for (const executeCommand of usual) {
      await t.test(`executeCommand ${executeCommand}`, async (t) => {
        const ctx = await run(t, { inline: ['echo "$A"', 'echo "$PACKER_BUILDER_TYPE"', 'ls -l "$0"* | cut -c1-10'], environment: { A: "it's; a $(b)" }, executeCommand, remoteFolder }, machine);
        t.equal(ctx.lines()[0], "it's; a $(b)");
        t.equal(ctx.lines()[1], 'null');
        for (const mode of ctx.lines().slice(2)) t.match(mode, /^-rw[x-]--[x-]--[x-]/, 'no other user can read it');
        t.strictSame(files(), []);
      });
    }

    await t.test('a script without a last line end, and one that is empty, run too', async (t) => {
      writeFileSync(join(folder, 'noeol.sh'), '#!/bin/sh\nprintf "%s" end');
      writeFileSync(join(folder, 'empty.sh'), '');
      const ctx = await run(t, { scripts: [await stagedFile(join(folder, 'noeol.sh')), await stagedFile(join(folder, 'empty.sh'))], remoteFolder }, machine);
      t.strictSame(ctx.lines(), ['end']);
    });

    await t.test('an abort ends the script and removes its file', async (t) => {
      const abort = new AbortController();
      const ctx = stepContext(t, { connect: () => machine, signal: abort.signal });
      const log = (line: string) => { ctx.log(line); abort.abort(new Error('enough')); };
      await t.rejects(shellHandler.run({ connection, inline: ['sleep 300 & echo $!; wait'], remoteFolder }, { ...ctx, log }), { message: 'enough' });
      t.notOk(isRunning(ctx.lines()[0]!));
      t.strictSame(files(), []);
    });
  });
}

t.test('the command means the same to every login shell', async (t) => {
  for (const login of loginShells) {
    const ctx = await run(t, { inline: ['echo "hello $A"', 'exit 3'], environment: { A: "it's me" }, validExitCodes: [3] }, new ShellMachine({ login }));
    t.strictSame(ctx.lines(), ["hello it's me"], login);
    t.strictSame(ctx.lines('stderr'), [], login);
  }
});

t.test('what a machine sees of a script is one command, the same for all, and its input', async (t) => {
  const commands: string[] = [];
  const machine = new ShellMachine({ onExec: ({ command }) => { commands.push(command); } });
  await run(t, { inline: ['echo 1'], environment: { S: 'secret' } }, machine);
  await run(t, { inline: ['echo 2'], executeCommand: 'echo secret | {{.Path}}' }, machine);
  t.strictSame(commands, Array(2).fill('exec /bin/sh -c \'IFS= read -r bake_line;eval "$bake_line"\''));
});

t.test('a script finds the automatic variables, and the user\'s win', async (t) => {
  const ctx = await run(t, { inline: ['echo "$BAKE_BUILD_NAME $BAKE_PLATFORM $BAKE_RUN_ID $PACKER_BUILD_NAME $PACKER_BUILDER_TYPE"'], environment: { BAKE_PLATFORM: 'mine' } }, new ShellMachine(), { step: { buildName: 'Docker', platform: 'docker' } });
  t.strictSame(ctx.lines(), ['Docker mine run-1 Docker docker']);
});

t.test('the interpreter is that of the script', async (t) => {
  t.strictSame((await run(t, { inline: ['echo "${BASH_VERSION:+bash}"'], inlineShebang: '/bin/bash -eu' })).lines(), ['bash']);
  t.strictSame((await run(t, { inline: ['#!/usr/bin/env bash', 'echo "${BASH_VERSION:+bash}"'] })).lines(), ['bash']);
  t.strictSame((await run(t, { inline: ['#!/usr/bin/awk -f', 'BEGIN { print "awk" }'] })).lines(), ['awk']);
  await t.rejects(run(t, { inline: ['#!/no/such/thing', 'x'] }), { code: 'ScriptFailed', message: /exit code 127/, hint: /interpreter/ });
});

t.test('line ends of Windows are changed, unless the script is binary', async (t) => {
  const folder = t.testdir({ 'dos.sh': '#!/bin/sh\r\nprintf "a\r\nb" | od -An -tx1\r\n' });
  const script = await stagedFile(join(folder, 'dos.sh'));
  t.strictSame((await run(t, { script })).lines(), [' 61 0a 62']);
  await t.rejects(run(t, { script, binary: true }), { code: 'ScriptFailed' });
});

t.test('a program is started by itself', async (t) => {
  await run(t, { script: await stagedFile('/bin/true'), binary: true });
  await t.rejects(run(t, { script: await stagedFile('/bin/false'), binary: true }), { message: 'false ended with exit code 1' });
});

t.test('exit codes are valid as the user says', async (t) => {
  await run(t, { inline: ['exit 7'], validExitCodes: [0, 7] });
  await t.rejects(run(t, { inline: ['exit 0'], validExitCodes: [7] }), { code: 'ScriptFailed', message: 'the inline script ended with exit code 0' });
  await t.rejects(run(t, { inline: ['kill -KILL $$'] }), { code: 'ScriptFailed', message: /exit code 137/, hint: /memory/ });
});

t.test('an error shows the last 20 lines', async (t) => {
  const failure = await run(t, { inline: ['for i in $(seq 100); do echo $i; done; exit 1'] }).then(() => undefined, (error: unknown) => error as { output: string[] });
  t.strictSame(failure?.output, Array.from({ length: 20 }, (_, index) => String(81 + index)));
});

t.test('remotePath says where the script goes, and what stands there is replaced, not followed', async (t) => {
  const folder = t.testdir({ victim: 'precious' });
  const remotePath = join(folder, 'script');
  symlinkSync(join(folder, 'victim'), remotePath);
  t.strictSame((await run(t, { inline: ['echo "$0"'], remotePath })).lines(), [remotePath]);
  t.equal(readFileSync(join(folder, 'victim'), 'utf8'), 'precious');
  t.notOk(existsSync(remotePath));
});

t.test('skipClean leaves the script for its user only', async (t) => {
  const folder = t.testdir({});
  const remotePath = join(folder, 'script');
  await run(t, { inline: ['umask 022; : > made; stat -c %a made'], remotePath, skipClean: true, executeCommand: `cd ${folder}; {{.Vars}} {{.Path}}` });
  t.equal(statSync(remotePath).mode & 0o777, 0o700);
  t.equal(statSync(`${remotePath}.env`).mode & 0o777, 0o600);
});

t.test('a script gets the umask of the login, not ours', async (t) => {
  const before = process.umask(0o027);
  t.teardown(() => process.umask(before));
  t.strictSame((await run(t, { inline: ['umask'] })).lines(), ['0027']);
});

t.test('a folder that is not there or is full is said to be', async (t) => {
  await t.rejects(run(t, { inline: ['echo x'], remoteFolder: '/no/such/folder' }), { code: 'ScriptNotStaged', message: 'the inline script could not be put on the machine (exit code 2)', hint: /remoteFolder/ });
  const folder = t.testdir({ big: Buffer.alloc(300_000, 'x').toString() });
  mkdirSync(join(folder, 'not-a-folder-but'), { recursive: true });
  await t.rejects(run(t, { script: await stagedFile(join(folder, 'big')), remotePath: join(folder, 'not-a-folder-but') }), { code: 'ScriptNotStaged' });
});

t.test('pauseAfter waits by the clock', async (t) => {
  const slept: number[] = [];
  await run(t, { inline: ['true'], pauseAfter: 1_500 }, new ShellMachine(), { clock: { now: () => 0, sleep: async (milliseconds) => { slept.push(milliseconds); } } });
  t.strictSame(slept, [1_500]);
});

t.test('a connection with a terminal gets its input as a file', async (t) => {
  const inputs: unknown[] = [];
  const folder = t.testdir({});
  const machine = new ShellMachine({ onExec: ({ stdin }) => { inputs.push(stdin); } });
  const ctx = stepContext(t, { connect: () => machine });
  await shellHandler.run({ connection: { kind: 'test', pty: true }, inline: ['echo "$A"; ls -A ' + folder], environment: { A: 'ä\nb' }, remotePath: join(folder, 'x') }, ctx);
  t.strictSame(inputs, [undefined]);
  t.strictSame(ctx.lines(), ['ä', 'b', 'x']);
  t.strictSame(readdirSync(folder), []);
});

function isRunning(pid: string): boolean {
  return existsSync(`/proc/${pid}`) && !/^State:\s+Z/m.test(readFileSync(`/proc/${pid}/status`, 'utf8'));
}
