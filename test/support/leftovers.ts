import { execFileSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

/** All that a dead run of a project may have left on this machine; empty if `bake clean` has done its work. */
export function leftovers(project: string): readonly string[] {
  return [...dockerThings(project), ...processes(project), ...mounts(project), ...files(project)];
}

function dockerThings(project: string): readonly string[] {
  const list = (...args: string[]) => execFileSync('docker', args, { encoding: 'utf8' }).trim().split('\n').filter((line) => line !== '');
  if (!isDockerThere()) return [];
  return runsOf(project).flatMap((run) => [
    ...list('ps', '-aq', '--filter', `label=dev.bake.run=${run}`).map((id) => `container ${id}`),
    ...list('images', '-q', '--filter', `label=dev.bake.run=${run}`, '--filter', 'label=dev.bake.temporary=true').map((id) => `temporary image ${id}`),
    ...(hasSucceeded(project, run) ? [] : list('images', '-q', '--filter', `label=dev.bake.run=${run}`).map((id) => `image ${id}`)),
    ...list('volume', 'ls', '-q', '--filter', `label=dev.bake.run=${run}`).map((id) => `volume ${id}`),
  ]);
}

function runsOf(project: string): readonly string[] {
  const runs = join(project, '.bake', 'runs');
  return existsSync(runs) ? readdirSync(runs) : [];
}

/** Whether a build of the run succeeded, so that its artifacts stay. */
function hasSucceeded(project: string, run: string): boolean {
  return read(join(project, '.bake', 'runs', run, 'journal.jsonl')).includes('"build.succeeded"');
}

function isDockerThere(): boolean {
  try {
    execFileSync('docker', ['version'], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
}

function processes(project: string): readonly string[] {
  const stamps = runsOf(project).map((run) => `BAKE_RUN_STAMP=${run}\0`);
  return readdirSync('/proc').filter((name) => /^\d+$/.test(name)).flatMap((pid) => {
    const environment = `${read(`/proc/${pid}/environ`)}\0`;
    const isZombie = / Z /.test(read(`/proc/${pid}/stat`).replace(/\(.*\)/, ''));
    return stamps.some((stamp) => environment.includes(stamp)) && !isZombie ? [`process ${pid} ${read(`/proc/${pid}/cmdline`).replaceAll('\0', ' ')}`] : [];
  });
}

function mounts(project: string): readonly string[] {
  return read('/proc/self/mountinfo').split('\n').filter((line) => line.includes(project));
}

function files(project: string): readonly string[] {
  const runs = join(project, '.bake', 'runs');
  const temporary = existsSync(runs) ? readdirSync(runs).map((run) => join(runs, run, 'tmp')).filter((path) => existsSync(path)) : [];
  return [...temporary, ...parts(project)].map((path) => `file ${path}`);
}

/** Links are not followed: that to this package leads to what other tests do. */
function parts(folder: string): readonly string[] {
  return readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
    const path = join(folder, entry.name);
    return [...(entry.name.endsWith('.part') ? [path] : []), ...(entry.isDirectory() && entry.name !== 'node_modules' ? parts(path) : [])];
  });
}

function read(path: string): string {
  try {
    return readFileSync(path, 'latin1');
  } catch {
    return '';
  }
}
