import { execFileSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { readFileSync, statSync, truncateSync, writeFileSync } from 'node:fs';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { openDockerExec } from '../../lib/communicators/docker-exec/open-docker-exec.js';
import type { Communicator, Connection } from '../../lib/core/communicator.js';
import { DockerodeEngine } from '../../lib/platforms/docker/engine/dockerode-engine.js';
import { fileHandler } from '../../lib/provisioners/file/engine/file-handler.js';
import { shellHandler } from '../../lib/provisioners/shell/engine/shell-handler.js';
import type { ShellScriptSpec } from '../../lib/provisioners/shell/steps.js';
import { systemClock } from '../../lib/toolkit/host/clock.js';
import { systemExec } from '../../lib/toolkit/host/exec.js';
import { connectionTo, openSsh, scratch } from '../communicators/ssh/open.js';
import { baseImage } from '../platforms/docker/base-image.js';
import { busyboxImage } from '../platforms/docker/busybox-image.js';
import { need } from '../support/need.js';
import { startSshd } from '../support/sshd.js';
import { stagedFile } from '../support/staged-file.js';
import { stepContext, type StepContextOptions } from '../support/step-context.js';
import { ShellMachine } from './shell/shells.js';

async function shell(t: Test, machine: Communicator, spec: Partial<ShellScriptSpec>, options: StepContextOptions = {}, connection: Connection = { kind: machine.kind }) {
  const ctx = stepContext(t, { connect: () => machine, ...options });
  await shellHandler.run({ connection, ...spec }, ctx);
  return ctx;
}

/** What a script and a file have to be able to do on any real machine; `folder` is an empty one of its own. */
async function machineSuite(t: Test, machine: Communicator, folder: string, connection: Connection): Promise<void> {
  await t.test('a script runs, with its values, and leaves nothing', async (t) => {
    const environment = { A: "it's \"$HOME\"\n `id` \\ grün" };
    for (const executeCommand of [undefined, 'chmod +x {{.Path}}; {{.Vars}} {{.Path}}', "env -i sh -c '{{.Vars}} {{.Path}}'", '. {{.EnvVarFile}} && sh {{.Path}}']) {
      const ctx = await shell(t, machine, { inline: ['echo "$A"', 'echo oops >&2', 'cat', 'exit 4'], environment, executeCommand, validExitCodes: [4], remoteFolder: folder }, {}, connection);
      const output = [...ctx.lines('stdout'), ...ctx.lines('stderr')];
      t.strictSame(output, ["it's \"$HOME\"", ' `id` \\ grün', 'oops'], executeCommand ?? 'by default');
    }
    t.strictSame((await shell(t, machine, { inline: [`ls -A ${folder}`], remoteFolder: '/tmp' }, {}, connection)).lines(), []);
  });

  await t.test('an abort ends a script at once and removes its file', async (t) => {
    const abort = new AbortController();
    const ctx = stepContext(t, { connect: () => machine, signal: abort.signal });
    const log = (line: string) => { if (line === 'started') abort.abort(new Error('enough')); };
    const before = Date.now();
    await t.rejects(shellHandler.run({ connection, inline: ['echo started', 'sleep 300'], remoteFolder: folder }, { ...ctx, log }), { message: 'enough' });
    t.ok(Date.now() - before < 3_000, `${Date.now() - before} ms`);
    t.strictSame((await shell(t, machine, { inline: [`ls -A ${folder}`], remoteFolder: '/tmp' }, {}, connection)).lines(), []);
  });

  await t.test('files go both ways', async (t) => {
    const project = t.testdir({ site: { 'index.html': 'hello', deep: { page: 'page' } } });
    truncateSync(writtenFile(project, 'big'), 50 * 1024 * 1024);
    const ctx = stepContext(t, { connect: () => machine, project });
    const asset = await stagedFile(join(project, 'site'));
    await fileHandler.run({ connection, direction: 'upload', assets: [{ asset, contents: false }], destination: folder }, ctx);
    await fileHandler.run({ connection, direction: 'upload', assets: [{ asset: await stagedFile(join(project, 'big')), contents: false }], destination: `${folder}/` }, ctx);
    await fileHandler.run({ connection, direction: 'upload', content: 'set up\n', destination: `${folder}/motd`, mode: 0o600 }, ctx);
    await fileHandler.run({ connection, direction: 'download', paths: [`${folder}/site`, `${folder}/big`, `${folder}/motd`], destination: 'back/' }, ctx);
    t.equal(readFileSync(join(project, 'back/site/deep/page'), 'utf8'), 'page');
    t.equal(readFileSync(join(project, 'back/motd'), 'utf8'), 'set up\n');
    t.equal(statSync(join(project, 'back/motd')).mode & 0o777, 0o600);
    t.equal(statSync(join(project, 'back/big')).size, 50 * 1024 * 1024);
    await t.rejects(fileHandler.run({ connection, direction: 'download', paths: [`${folder}/none`], destination: 'x' }, ctx), { code: 'DownloadFailed' });
  });
}

t.test('over ssh', async (t) => {
  if (!(await need(t, 'sshd'))) return;
  const sshd = await startSshd();
  t.teardown(() => sshd.stop());
  const connection = connectionTo(sshd);
  const ssh = await openSsh(t, connection);
  await machineSuite(t, ssh, await scratch(t), connection);
  const withTerminal = connectionTo(sshd, { pty: true });
  const terminal = await openSsh(t, withTerminal);

  await t.test('with a terminal, too', async (t) => {
    const folder = await scratch(t);
    const ctx = await shell(t, terminal, { inline: ['test -t 1 && echo "$A" && [ -n "$(ps -o tty= -p $$ | tr -d "? ")" ] && echo terminal'], environment: { A: `a\u0003b\u0004 ${'x'.repeat(5_000)}` }, remoteFolder: folder }, {}, withTerminal);
    t.strictSame(ctx.lines(), [`a\u0003b\u0004 ${'x'.repeat(5_000)}`, 'terminal']);
    t.strictSame((await shell(t, ssh, { inline: [`ls -A ${folder}`] })).lines(), []);
  });

  await t.test('a connection that is cut in a script is a failure, unless it is expected; the next step dials again', async (t) => {
    const cut = (line: string) => { if (line === 'now') for (const pid of sshd.connections()) process.kill(pid, 'SIGKILL'); };
    const run = async (expectDisconnect: boolean) => {
      const ctx = stepContext(t, { connect: () => ssh });
      await shellHandler.run({ connection, inline: ['echo now', 'sleep 1', 'echo still here'], expectDisconnect }, { ...ctx, log: cut });
    };
    await t.rejects(run(false), { code: 'ScriptDisconnected', output: ['now'] });
    await run(true);
    t.strictSame((await shell(t, ssh, { inline: ['echo back'] })).lines(), ['back']);
  });

  await t.test('the command means the same to csh and fish', async (t) => {
    for (const login of ['/bin/tcsh', '/usr/bin/fish'].filter((path) => statSync(path, { throwIfNoEntry: false }) !== undefined)) {
      const lines: string[] = [];
      const inside = new ShellMachine({ login });
      await shellHandler.run({ connection, inline: ['echo "$A"'], environment: { A: "it's !me" } }, { ...stepContext(t, { connect: () => inside }), log: (line) => { lines.push(line); } });
      t.strictSame(lines, ["it's !me"], login);
    }
  });
});

t.test('after a reboot a script waits until the machine is back', async (t) => {
  if (!(await need(t, 'sshd'))) return;
  const folder = await scratch(t);
  const before = await startSshd();
  await writeFile(join(folder, 'key'), await readFile(before.privateKeyFile), { mode: 0o600 });
  const publicKey = (await readFile(`${before.privateKeyFile}.pub`, 'utf8')).trim();
  const connection = connectionTo(before, { privateKeyFile: join(folder, 'key'), hostKey: { policy: 'insecureAcceptAny' }, timeout: 30_000 });
  let said: () => void = () => {};
  const waiting = new Promise<void>((resolve) => { said = resolve; });
  const ssh = await openSsh(t, connection, { log: said });
  await before.stop();
  const running = shell(t, ssh, { inline: ['echo back'] });
  await waiting;
  const after = await startSshd({ port: before.port, authorizedKeys: [publicKey] });
  t.teardown(() => after.stop());
  t.strictSame((await running).lines(), ['back']);
});

t.test('in containers', async (t) => {
  if (!(await need(t, 'docker')) || !(await need(t, 'busybox'))) return;
  const engine = new DockerodeEngine();
  const open = openDockerExec(async (id) => engine.container(id));
  for (const image of [await baseImage(), await busyboxImage()]) {
    for (const pty of [false, true]) {
      await t.test(`${image}${pty ? ' with a terminal' : ''}`, async (t) => {
        const container = execFileSync('docker', ['run', '-d', '-i', '-t', '--name', `bake-test-${randomBytes(4).toString('hex')}`, '--entrypoint', '/bin/sh', image]).toString().trim();
        t.teardown(() => { execFileSync('docker', ['rm', '-f', '-v', container]); });
        const connection = { kind: 'docker-exec', container, pty };
        const machine = await open(connection, { exec: systemExec(), clock: systemClock, signal: new AbortController().signal, tmp: t.testdir({}), log: () => {} });
        await machine.exec({ command: 'mkdir /work' });
        await machineSuite(t, machine, '/work', connection);
      });
    }
  }
});

t.test('through sudo, which drops the environment', async (t) => {
  if (!(await need(t, 'sudo'))) return;
  const environment = { A: "it's; a $(b)\nc" };
  for (const executeCommand of [
    "chmod +x {{.Path}}; sudo -E sh -c '{{.Vars}} {{.Path}}'", 'sudo {{.Vars}} {{.Path}}', 'sudo env {{.Vars}} {{.Path}}', "sudo sh -c '. {{.EnvVarFile}} && {{.Path}}'",
    "echo 'password' | sudo -S {{.Vars}} {{.Path}}", "echo 'password' | {{.Vars}} sudo -S -E bash '{{.Path}}'", '{{.Vars}} sudo -E -S bash {{.Path}}',
  ]) {
    const ctx = await shell(t, new ShellMachine(), { inline: ['echo "$A"', 'echo "$PACKER_BUILD_NAME"'], environment, executeCommand });
    t.strictSame(ctx.lines(), ["it's; a $(b)", 'c', 'Source'], executeCommand);
  }
  const other = await shell(t, new ShellMachine(), { inline: ['id -un'], executeCommand: 'chmod 755 {{.Path}}; sudo -u nobody {{.Path}}' });
  t.strictSame(other.lines(), ['nobody']);
});

function writtenFile(folder: string, name: string): string {
  writeFileSync(join(folder, name), '');
  return join(folder, name);
}
