import { readFile } from 'node:fs/promises';
import { userInfo } from 'node:os';
import { BakeError } from '../../../../core/bake-error.js';
import type { Exec, ExecRequest, ExecResult } from '../../../../core/ports.js';

/** In the environment of all that a step starts, with the step's token. */
export const stepVariable = 'BAKE_STEP';

/** Whether namespaces of users are needed: only root can do without. */
export function isRootless(): boolean {
  return process.getuid?.() !== 0;
}

/**
 * The command line that runs a program in namespaces of its own, as root there. Mounts made inside are never seen
 * outside; the program dies with `unshare`, everything it started dies with it, and `unshare` dies with this process.
 */
export function inSpaces(argv: readonly string[], rootless = isRootless()): { readonly command: string; readonly args: readonly string[] } {
  const users = rootless ? ['--map-root-user', '--map-auto'] : [];
  const spaces = ['--mount', '--pid', '--ipc', '--uts', '--fork', '--kill-child', '--propagation', 'private'];
  return { command: 'setpriv', args: ['--pdeathsig', 'KILL', '--', 'unshare', ...users, ...spaces, '--', ...argv] };
}

export interface SpacesHost {
  readonly exec: Exec;
  readonly token: string;
  readonly signal: AbortSignal;
}

/** Runs a program in namespaces to its end. */
export function runInSpaces(host: SpacesHost, argv: readonly string[], more: Omit<ExecRequest, 'command' | 'args' | 'signal' | 'killAfter'> = {}): Promise<ExecResult> {
  return host.exec.run({
    ...inSpaces(argv), ...more, signal: host.signal,
    // The first process of a namespace does not hear TERM, and there is nothing to clean up in it.
    killAfter: 50,
    env: { LC_ALL: 'C.UTF-8', ...more.env, [stepVariable]: host.token },
  });
}

/** @throws BakeError `PlatformUnsupported`, `RootlessUnavailable`, `NamespacesUnavailable` if no namespaces can be had */
export async function checkSpaces(exec: Exec, signal?: AbortSignal): Promise<void> {
  if (process.platform !== 'linux') {
    throw new BakeError({ code: 'PlatformUnsupported', message: `the rootfs platform needs Linux, and this is ${process.platform}`, hint: 'run bake on a Linux machine, or use a source of another platform such as DockerSource' });
  }
  const { code, stderr } = await exec.run({ ...inSpaces(['true']), env: { LC_ALL: 'C.UTF-8' }, ...(signal === undefined ? {} : { signal }) });
  if (code === 0) return;
  const reason = stderr.trim().split('\n').at(-1) ?? '';
  throw isRootless()
    ? new BakeError({ code: 'RootlessUnavailable', source: 'platform', message: `this user cannot make namespaces of users: ${reason}`, hint: await rootlessHint(stderr) })
    : new BakeError({ code: 'NamespacesUnavailable', source: 'platform', message: `root cannot make namespaces here: ${reason}`, hint: 'in a container, give it the capability SYS_ADMIN (docker run --privileged), or run bake outside' });
}

/** What has to be changed before a user who is not root can make root trees. */
export async function rootlessHint(stderr: string): Promise<string> {
  const { username } = userInfo();
  if (/newuidmap|newgidmap/.test(stderr) && /No such file|not found|failed to execute/.test(stderr)) return 'install the programs newuidmap and newgidmap: sudo apt-get install uidmap';
  if (/subuid|subgid|could not find|range/i.test(stderr)) {
    const range = await freeRange();
    return `give the user ranges of ids: sudo usermod --add-subuids ${range} --add-subgids ${range} ${username}`;
  }
  if (/Operation not permitted|Permission denied|No space left/.test(stderr)) return 'let users make namespaces: sudo sysctl -w kernel.unprivileged_userns_clone=1 user.max_user_namespaces=10000, and on Ubuntu kernel.apparmor_restrict_unprivileged_userns=0; or run bake as root';
  return 'run bake as root, or see "bake doctor" for what is missing';
}

/** 65,536 ids that no user has yet: two users with the same ones could reach into each other's trees. */
async function freeRange(): Promise<string> {
  const tables = await Promise.all(['/etc/subuid', '/etc/subgid'].map((path) => readFile(path, 'utf8').catch(() => '')));
  const ends = tables.join('\n').split('\n').map((line) => line.split(':')).map(([, first, count]) => Number(first) + Number(count)).filter((end) => Number.isSafeInteger(end));
  const first = Math.max(100_000, ...ends);
  return `${first}-${first + 65_535}`;
}
