import { execFile, spawn } from 'node:child_process';
import { chmod, chown, copyFile, lstat, mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir, userInfo } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import t, { type Test } from 'tap';
import { eachLine } from '../../../lib/core/lines.js';
import { baseTarball } from '../../support/base-tarball.js';
import { need } from '../../support/need.js';
import { bundled } from './bundled.js';

const run = promisify(execFile);

interface Somebody {
  readonly name: string;
  readonly uid: number;
  readonly gid: number;
}

/** A user who is not root, made if these tests are root's; with ranges of ids or without. */
async function somebody(t: Test, ranges: boolean): Promise<Somebody> {
  if (process.getuid?.() !== 0) return { name: userInfo().username, uid: userInfo().uid, gid: userInfo().gid };
  const name = `baketest${ranges ? 'r' : 'n'}${process.pid}`;
  await run('useradd', ranges ? ['--create-home', name] : ['--system', '--create-home', name]);
  t.teardown(() => run('userdel', ['--remove', name]).catch(() => {}));
  if (ranges && !(await readFile('/etc/subuid', 'utf8')).includes(`${name}:`)) await run('usermod', ['--add-subuids', '500000-565535', '--add-subgids', '500000-565535', name]);
  const [uid, gid] = await Promise.all(['-u', '-g'].map(async (flag) => Number((await run('id', [flag, name])).stdout)));
  return { name, uid: uid!, gid: gid! };
}

/** Runs the child build as somebody: the lines it printed. */
async function build(user: Somebody, script: string, args: readonly string[], onLine: (line: string) => void = () => {}): Promise<readonly string[]> {
  const asUser = process.getuid?.() === 0 ? ['setpriv', `--reuid=${user.uid}`, `--regid=${user.gid}`, '--init-groups', '--'] : [];
  // The test runner puts its own modules into every Node process through this variable; they would write where this user may not.
  const [command = '', ...rest] = [...asUser, 'env', '-u', 'NODE_OPTIONS', process.execPath, script, ...args];
  const child = spawn(command, rest, { stdio: ['ignore', 'pipe', 'inherit'], env: { PATH: process.env['PATH'], HOME: '/tmp', USER: user.name } });
  const lines: string[] = [];
  await eachLine(child.stdout, (line) => { lines.push(line); onLine(line); });
  return lines;
}

async function projectOf(t: Test, user: Somebody): Promise<string> {
  const project = await mkdtemp(join(tmpdir(), 'bake-rootless-'));
  t.teardown(() => rm(project, { recursive: true, force: true }));
  if (process.getuid?.() === 0) await chown(project, user.uid, user.gid);
  return project;
}

async function archiveFor(project: string, user: Somebody): Promise<string> {
  const archive = join(project, 'base.tar');
  await copyFile(await baseTarball(), archive);
  await chmod(archive, 0o644);
  if (process.getuid?.() === 0) await chown(archive, user.uid, user.gid);
  return archive;
}

const notable = (lines: readonly string[]) => lines.filter((line) => /^(at|code|error|done)/.test(line));

t.test('somebody who is not root', async (t) => {
  if (!(await need(t, 'mmdebstrap'))) return;
  const script = await bundled(t, 'build-child.ts');

  await t.test('makes, provisions, packs and removes a tree', async (t) => {
    const user = await somebody(t, true);
    const project = await projectOf(t, user);
    const command = 'id -u; chown 33:33 /srv && stat -c %u:%g /srv; su -s /bin/sh www-data -c "id -u"; mount -t tmpfs x /mnt && echo mounted; apt-get update > /dev/null && apt-get install -y --no-install-recommends nginx-light 2>&1 | tail -n 1';
    const lines = await build(user, script, [project, await archiveFor(project, user), command]);
    t.same(notable(lines), ['at tree', 'at machine', 'at command', 'code 0', 'at seal', 'at output', 'at end', 'at removal', 'done'], lines.filter((line) => !line.startsWith('log')).join('\n'));
    t.same(lines.filter((line) => line.startsWith('out ')).slice(0, 4), ['out 0', 'out 33:33', 'out 33', 'out mounted']);
    const { stdout } = await run('tar', ['--numeric-owner', '-tvf', join(project, 'out.tar'), './srv/', './usr/sbin/nginx']);
    t.match(stdout, /33\/33 .* \.\/srv\//, 'owners are those inside');
    t.match(stdout, /0\/0 .* \.\/usr\/sbin\/nginx/);
    t.equal((await lstat(join(project, 'out.tar'))).uid, user.uid);
    t.same((await readdir(project)).sort(), ['.bake', 'base.tar', 'out.tar']);
    t.same(await readdir(join(project, '.bake')), ['outputs']);
  });

  await t.test('bootstraps from a mirror', async (t) => {
    const user = await somebody(t, true);
    const lines = await build(user, script, [await projectOf(t, user), 'suite:bookworm', 'cat /etc/debian_version']);
    t.match(lines.find((line) => line.startsWith('out ')), /^out 12\./, lines.slice(-10).join('\n'));
    t.equal(lines.at(-1), 'done');
  });

  await t.test('gets a folder whose files belong to others, and may have it replaced', async (t) => {
    const user = await somebody(t, true);
    const project = await projectOf(t, user);
    const archive = await archiveFor(project, user);
    for (const turn of ['first', 'second']) {
      const lines = await build(user, script, [project, archive, `echo ${turn} > /etc/turn; chown 33:33 /etc/turn; mkdir -m 700 /srv/closed; chown 33 /srv/closed`, 'out-dir']);
      t.equal(lines.at(-1), 'done', lines.slice(-5).join('\n'));
      t.equal(await readFile(join(project, 'out-dir/etc/turn'), 'utf8'), `${turn}\n`);
    }
    t.not((await lstat(join(project, 'out-dir/etc/turn'))).uid, user.uid);
    await run('unshare', process.getuid?.() === 0 ? ['--mount', 'rm', '-rf', join(project, 'out-dir')] : ['--map-root-user', '--map-auto', 'rm', '-rf', join(project, 'out-dir')]);
  });

  await t.test('is told which ranges of ids are missing', async (t) => {
    if (!(await need(t, 'root'))) return;
    const user = await somebody(t, false);
    const project = await projectOf(t, user);
    const lines = await build(user, script, [project, await archiveFor(project, user)]);
    const error = JSON.parse(lines.find((line) => line.startsWith('error'))!.slice('error '.length)) as object;
    t.match(error, { code: 'RootlessUnavailable', hint: new RegExp(`usermod --add-subuids \\d+-\\d+ .* ${user.name}$`) });
    t.same(await readdir(project), ['base.tar'], 'nothing was begun');
  });
});
