import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { baseTarball } from '../../support/base-tarball.js';

const run = promisify(execFile);

/** A minimal Debian as an image of the local daemon, imported once and kept for all tests of this machine. */
export async function baseImage(): Promise<string> {
  const name = 'bake-test/debian:12';
  const isThere = await run('docker', ['image', 'inspect', name]).then(() => true, () => false);
  if (!isThere) await run('docker', ['import', '--change', 'CMD ["bash"]', await baseTarball(), name]);
  return name;
}
