import { readdirSync, readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** What a dead run of a project may have left of its virtual machines. */
export function qemuLeftovers(project: string): readonly string[] {
  const runs = folder(join(project, '.bake', 'runs'));
  const controls = folder(tmpdir()).filter((name) => name.startsWith('bake-qemu-') && runs.some((run) => text(join(tmpdir(), name, 'token')).startsWith(run)));
  const machines = folder('/proc').filter((name) => /^\d+$/.test(name) && text(`/proc/${name}/cmdline`).startsWith('qemu-') && text(`/proc/${name}/cmdline`).includes(project));
  return [...controls.map((name) => `folder ${name}`), ...machines.map((pid) => `process ${pid}`), ...folder(project).filter((name) => name.endsWith('.work')).map((name) => `folder ${name}`)];
}

function folder(path: string): readonly string[] {
  try {
    return readdirSync(path);
  } catch {
    return [];
  }
}

function text(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}
