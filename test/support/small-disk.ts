import { execFile } from 'node:child_process';
import { mkdtempSync, rmdirSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { Test } from 'tap';

const run = promisify(execFile);

/** A folder on a disk of its own with this many KiB, for filling it up; needs `tmpfs`. Unmounted with the test. */
export async function smallDisk(t: Test, kibibytes: number): Promise<string> {
  const disk = mkdtempSync(join(tmpdir(), 'bake-test-disk-'));
  await run('mount', ['-t', 'tmpfs', '-o', `size=${kibibytes}k`, 'bake-test', disk]);
  t.teardown(async () => {
    await run('umount', [disk]);
    rmdirSync(disk);
  });
  return disk;
}
