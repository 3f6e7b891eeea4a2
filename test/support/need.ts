import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import type { Test } from 'tap';

const run = promisify(execFile);

/** Where test/setup/install.sh puts the vendor's program. */
export const sessionPlugin = '/opt/bake-test-session-manager/session-manager-plugin';

/** What shows that a part is there: a command that exits with 0. */
const parts = {
  docker: ['docker', 'version'],
  sshd: ['sh', '-c', 'test -x /usr/sbin/sshd && command -v ssh-keygen'],
  mmdebstrap: ['mmdebstrap', '--version'],
  namespaces: ['unshare', '--mount', '--pid', '--fork', 'true'],
  tar: ['tar', '--version'],
  skopeo: ['skopeo', '--version'],
  umoci: ['umoci', '--version'],
  root: ['sh', '-c', 'test "$(id -u)" = 0'],
  sha256sum: ['sha256sum', '--version'],
  unzip: ['unzip', '-v'],
  gzip: ['gzip', '--version'],
  zstd: ['zstd', '--version'],
  xz: ['xz', '--version'],
  lz4: ['lz4', '--version'],
  tmpfs: ['unshare', '--mount', 'mount', '-t', 'tmpfs', 'none', '/mnt'],
  registry: ['docker-registry', '--version'],
  busybox: ['/bin/busybox', 'true'],
  sudo: ['sudo', '-n', 'true'],
  tinyproxy: ['tinyproxy', '-v'],
  qemu: ['qemu-system-x86_64', '--version'],
  xorriso: ['xorriso', '-version'],
  mtools: ['mformat', '--version'],
  'cloud-init': ['cloud-init', '--version'],
  'session-manager-plugin': [sessionPlugin, '--version'],
  moto: ['/opt/bake-test-moto/bin/python', '-c', 'import moto.server'],
} as const satisfies Record<string, readonly [string, ...string[]]>;

export type Part = keyof typeof parts;

/** What no package has: where it could not be built, CI counts its tests as skipped. */
const builtFromSource: ReadonlySet<Part> = new Set(['session-manager-plugin']);

/**
 * Whether a real part is on this machine. If not, the test is skipped by name, and in CI it fails, unless it is built from source:
 * `if (!(await need(t, 'docker'))) return;`
 */
export async function need(t: Test, part: Part): Promise<boolean> {
  const [command, ...args] = parts[part];
  const there = await run(command, args).then(() => true, () => false);
  if (there) return true;
  if (process.env['CI'] && !builtFromSource.has(part)) t.fail(`${part} is needed here and cannot be used: ${[command, ...args].join(' ')} failed`);
  else t.pass(`${part} cannot be used here`, { skip: true });
  return false;
}
