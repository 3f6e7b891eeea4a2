import { execFileSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

/** All that a dead run of a project may have left on this machine; empty if `bake clean` has done its work. */
export function leftovers(project: string): readonly string[] {
  return [...dockerThings(), ...processes(), ...mounts(project), ...files(project)];
}

function dockerThings(): readonly string[] {
  const list = (...args: string[]) => execFileSync('docker', args, { encoding: 'utf8' }).trim().split('\n').filter((line) => line !== '');
  if (!isDockerThere()) return [];
  return [
    ...list('ps', '-aq', '--filter', 'label=dev.bake.run').map((id) => `container ${id}`),
    ...list('images', '-q', '--filter', 'label=dev.bake.temporary').map((id) => `image ${id}`),
    ...list('volume', 'ls', '-q', '--filter', 'label=dev.bake.run').map((id) => `volume ${id}`),
  ];
}

function isDockerThere(): boolean {
  try {
    execFileSync('docker', ['version'], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
}

function processes(): readonly string[] {
  return readdirSync('/proc').filter((name) => /^\d+$/.test(name)).flatMap((pid) => {
    const environment = read(`/proc/${pid}/environ`);
    const isZombie = / Z /.test(read(`/proc/${pid}/stat`).replace(/\(.*\)/, ''));
    return environment.includes('BAKE_RUN_STAMP=') && !isZombie ? [`process ${pid} ${read(`/proc/${pid}/cmdline`).replaceAll('\0', ' ')}`] : [];
  });
}

function mounts(project: string): readonly string[] {
  return read('/proc/self/mountinfo').split('\n').filter((line) => line.includes(project));
}

function files(project: string): readonly string[] {
  const runs = join(project, '.bake', 'runs');
  const temporary = existsSync(runs) ? readdirSync(runs).map((run) => join(runs, run, 'tmp')).filter((path) => existsSync(path)) : [];
  const parts = readdirSync(project, { recursive: true, encoding: 'utf8' }).filter((path) => path.endsWith('.part'));
  return [...temporary, ...parts].map((path) => `file ${path}`);
}

function read(path: string): string {
  try {
    return readFileSync(path, 'latin1');
  } catch {
    return '';
  }
}
