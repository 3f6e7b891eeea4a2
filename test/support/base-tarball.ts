import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);

/** Where the shared base lies; whoever needs it calls `baseTarball()`, which makes it if it is missing. */
export const baseTarballPath = join(tmpdir(), 'bake-test-base-bookworm.tar');

/**
 * A minimal Debian root tree as a tarball (some 180 MB, uncompressed), made from Debian's mirror in half a minute and
 * kept for all tests of this machine. It is written under another name and renamed, and a lock that dies with its
 * holder lets test processes that ask at the same time wait for one of them.
 */
export async function baseTarball(): Promise<string> {
  if (existsSync(baseTarballPath)) return baseTarballPath;
  const script = 'test -f "$1" || { rm -f "$1".*.part.tar; mmdebstrap --quiet --variant=minbase bookworm "$1.$$.part.tar" && mv "$1.$$.part.tar" "$1"; }';
  await run('flock', [`${baseTarballPath}.lock`, 'sh', '-c', script, 'sh', baseTarballPath], { maxBuffer: 16 * 1024 * 1024 });
  return baseTarballPath;
}
