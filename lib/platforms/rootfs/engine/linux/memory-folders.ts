import { namespaceMembers } from '../../../../communicators/chroot/linux-processes.js';
import type { StepContext } from '../../../../engine/handler.js';
import type { RunningMachine } from '../rootfs-port.js';
import { commandFailure } from './command-failure.js';
import { stepVariable } from './spaces.js';
import { isMachineProcess } from './machine.js';

/** What provisioners may leave for one another in a machine's memory. */
const folders = ['run', 'dev/shm'];
const fidelity = ['--one-file-system', '--format=posix', '--numeric-owner', '--xattrs', '--acls', '--force-local'];

/** Whether anything runs in a machine besides itself. */
export async function isBusy({ init }: Pick<RunningMachine, 'init'>): Promise<boolean> {
  const members = (await namespaceMembers(init)).filter(({ pid }) => pid !== init);
  const own = await Promise.all(members.map(({ pid }) => isMachineProcess(pid)));
  return own.includes(false);
}

/** Writes what is in the memory file systems of a machine to an archive. @throws BakeError `RootfsSaveFailed`, `DiskFull` */
export async function saveMemory(machine: RunningMachine, archive: string, ctx: StepContext): Promise<void> {
  const result = await inMachine(machine, ['tar', '--create', `--file=${archive}`, ...fidelity, '--warning=no-file-ignored', `--directory=/proc/${machine.init}/cwd`, ...folders], ctx);
  if (result.code !== 0 && result.code !== 1) throw commandFailure(result, { code: 'RootfsSaveFailed', what: 'the memory of the machine could not be saved', where: archive });
}

/** Puts it back; what the machine has made itself as it started stays. @throws BakeError `RootfsRestoreFailed` */
export async function fillMemory(machine: RunningMachine, archive: string, ctx: StepContext): Promise<void> {
  const result = await inMachine(machine, ['tar', '--extract', `--file=${archive}`, ...fidelity.slice(2), '--skip-old-files', '--same-owner', '--preserve-permissions', `--directory=/proc/${machine.init}/cwd`], ctx);
  if (result.code !== 0) throw commandFailure(result, { code: 'RootfsRestoreFailed', what: 'the memory of the machine could not be put back', where: archive });
}

/**
 * A program of this computer that sees the machine's mounts through `/proc`, as root of its users. The first process's working
 * directory is the tree with all that is mounted in it; its root is still this computer's.
 */
function inMachine({ init, rootless }: RunningMachine, argv: readonly string[], ctx: StepContext): ReturnType<StepContext['exec']['run']> {
  const [command = '', ...args] = rootless ? ['nsenter', `--target=${init}`, '--user', '--setuid=0', '--setgid=0', '--', ...argv] : argv;
  return ctx.exec.run({ command, args, signal: ctx.signal, env: { LC_ALL: 'C.UTF-8', [stepVariable]: ctx.token } });
}
