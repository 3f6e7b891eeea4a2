import { execFile, execFileSync, spawnSync } from 'node:child_process';
import { cp, mkdir, mkdtemp, rm, symlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);

/** A 3 MB image with busybox only, made from this machine's own: another family of programs than Debian's, and quick to copy. */
export async function busyboxImage(): Promise<string> {
  const name = 'bake-test/busybox:1';
  if (await run('docker', ['image', 'inspect', name]).then(() => true, () => false)) return name;
  const folder = await mkdtemp(join(tmpdir(), 'bake-test-busybox-'));
  try {
    const libraries = spawnSync('ldd', ['/bin/busybox'], { encoding: 'utf8' }).stdout.match(/\/\S+/g) ?? []; // none, and an error, for a static one
    for (const path of ['/bin/busybox', ...libraries]) {
      await mkdir(join(folder, dirname(path)), { recursive: true });
      await cp(path, join(folder, path), { dereference: true });
    }
    for (const applet of execFileSync('/bin/busybox', ['--list'], { encoding: 'utf8' }).trim().split('\n')) if (applet !== 'busybox') await symlink('busybox', join(folder, 'bin', applet));
    await mkdir(join(folder, 'etc'));
    await mkdir(join(folder, 'tmp'));
    await run('sh', ['-c', 'tar --owner=0 --group=0 -cf - -C "$1" . | docker import --change \'CMD ["sh"]\' - "$2"', 'sh', folder, name]);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
  return name;
}
