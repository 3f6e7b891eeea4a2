import { stat, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import { endProcesses, environmentOf, markedProcesses, namespaceMembers, processFacts } from '../../../../communicators/chroot/linux-processes.js';
import { BakeError } from '../../../../core/bake-error.js';
import type { ExecResult } from '../../../../core/ports.js';
import type { StepContext } from '../../../../engine/handler.js';
import type { RunningMachine } from '../rootfs-port.js';
import { inRoot } from './in-root.js';
import { machineScript, placeholderMark, policyScript, readyWord } from './machine-script.js';
import { inSpaces, isRootless, stepVariable } from './spaces.js';

/** Milliseconds that a process gets to end by itself. */
const patience = 5_000;
/** In the environment of a machine's first process and of nothing that is started in the machine. */
const roleVariable = 'BAKE_ROLE';

/**
 * Starts a machine. It lives until it is ended, or until this process dies: its input ends then, and besides the kernel
 * sends a KILL.
 * @throws BakeError `MachineStartFailed`
 */
export async function startMachine(tree: string, { hostname, scratch }: { readonly hostname: string; readonly scratch: string }, ctx: StepContext): Promise<RunningMachine> {
  const rootless = isRootless();
  const env = await places(tree, scratch);
  await requireShell(tree);
  ctx.signal.throwIfAborted();
  const abort = new AbortController();
  const onAbort = () => abort.abort(ctx.signal.reason);
  ctx.signal.addEventListener('abort', onAbort, { once: true });
  try {
    const ready = await new Promise<readonly [init: number, outer: number]>((resolve, reject) => {
      const onStdout = (line: string) => {
        const [word, init, outer] = line.split(' ');
        if (word === readyWord) resolve([Number(init), Number(outer)]);
      };
      const running = ctx.exec.run({
        ...inSpaces(['/bin/sh', '-c', machineScript, 'bake-machine', ctx.token], rootless),
        stdin: new PassThrough(), onStdout, onStderr: (line) => ctx.log(line, 'stderr'), signal: abort.signal, killAfter: 50,
        env: { ...env, hostname, LC_ALL: 'C.UTF-8', [stepVariable]: ctx.token, [roleVariable]: 'machine' },
      });
      running.then((result) => reject(startFailure(tree, result)), reject);
    });
    const [init] = ready;
    const facts = await processFacts(init);
    if (facts === undefined) throw startFailure(tree, undefined);
    return { init, initStart: facts.start, rootless };
  } finally {
    // From here on the machine outlives the step: only `end` ends it.
    ctx.signal.removeEventListener('abort', onAbort);
  }
}

/** The first process of the machine that carries the token. */
export async function findMachine(token: string): Promise<RunningMachine | undefined> {
  const marked = await markedProcesses(stepVariable, token);
  // Of the marked ones, the first process has the outermost of them as its parent and is not itself the outermost.
  const pids = new Set(marked.map(({ pid }) => pid));
  const outer = marked.find(({ parent }) => !pids.has(parent));
  if (outer === undefined) return undefined;
  const init = marked.find(({ parent }) => parent === outer.pid) ?? outer;
  return { init: init.pid, initStart: init.start, rootless: isRootless() };
}

/** KILLs whatever carries the token, and with a namespace's first process all that is in it; waits until it is gone. */
export async function endMarked(token: string, ctx: StepContext): Promise<void> {
  await endProcesses(() => markedProcesses(stepVariable, token), ctx.clock);
}

/** Whether a process belongs to the machine itself, and not to what is done in it. */
export async function isMachineProcess(pid: number): Promise<boolean> {
  return await environmentOf(pid, roleVariable) === 'machine';
}

/** Ends what runs in a machine: TERM, then KILL after a while. */
export async function quietMachine({ init, initStart }: Omit<RunningMachine, 'rootless'>, ctx: StepContext): Promise<void> {
  const others = async () => {
    if ((await processFacts(init))?.start !== initStart) return [];
    const members = (await namespaceMembers(init)).filter(({ pid }) => pid !== init);
    const own = await Promise.all(members.map(({ pid }) => isMachineProcess(pid)));
    return members.filter((_, index) => !own[index]);
  };
  const before = await others();
  if (before.length > 0) ctx.log(`ending ${before.length} process${before.length === 1 ? '' : 'es'} that still ran`, 'info');
  await endProcesses(others, ctx.clock, patience);
}

/** The variables of the machine's script: where things are, with the tree's own links followed inside the tree. */
async function places(tree: string, scratch: string): Promise<Record<string, string>> {
  const resolvFrom = join(scratch, 'resolv.conf');
  const policyFrom = join(scratch, 'policy-rc.d');
  const hosts = await readFile('/etc/resolv.conf', 'utf8').catch(() => '');
  // A copy: what is written to it in the machine must not reach this computer's own.
  await writeFile(resolvFrom, `${placeholderMark}\n${hosts}`, { mode: 0o644 });
  await writeFile(policyFrom, policyScript, { mode: 0o755 });
  const [dev, proc, sys, run, resolv, policy] = await Promise.all(['dev', 'proc', 'sys', 'run', 'etc/resolv.conf', 'usr/sbin/policy-rc.d'].map((path) => inRoot(tree, path)));
  return { root: tree, dev: dev!, proc: proc!, sys: sys!, run: run!, resolv: resolv!, policy: policy!, resolv_from: resolvFrom, policy_from: policyFrom };
}

async function requireShell(tree: string): Promise<void> {
  if (await stat(await inRoot(tree, 'bin/sh')).then((facts) => facts.isFile(), () => false)) return;
  throw new BakeError({ code: 'MachineStartFailed', message: 'the tree has no /bin/sh, so nothing can be run in it', hint: 'start from a tree with a shell; a tarball must have the root of the tree at its top, not a folder around it' });
}

function startFailure(tree: string, result: ExecResult | undefined): BakeError {
  const output = (result?.stderr ?? '').trim().split('\n').filter((line) => line !== '').slice(-20);
  const reason = output.at(-1) ?? (result === undefined ? 'its first process ended at once' : `its first process ended with ${result.signal ?? result.code}`);
  return new BakeError({ code: 'MachineStartFailed', source: 'platform', message: `the namespaces of ${tree} did not come up: ${reason}`, hint: 'in a container, /proc must be whole and mounts allowed (docker run --privileged); "bake doctor" tells what is missing', output });
}
