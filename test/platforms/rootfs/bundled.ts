import { execFile } from 'node:child_process';
import { chmod, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';
import type { Test } from 'tap';

/** A script of this folder as one file that every user of this computer can run: the checkout may be closed to them. */
export async function bundled(t: Test, script: string): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'bake-test-script-'));
  t.teardown(() => rm(folder, { recursive: true, force: true }));
  await chmod(folder, 0o755);
  const outfile = join(folder, 'script.mjs');
  await promisify(execFile)(resolve('node_modules/.bin/esbuild'), [join(import.meta.dirname, script), '--bundle', '--platform=node', '--format=esm', '--log-level=error', `--outfile=${outfile}`]);
  return outfile;
}
