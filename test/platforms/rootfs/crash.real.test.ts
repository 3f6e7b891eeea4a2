import { spawn } from 'node:child_process';
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t from 'tap';
import { eachLine } from '../../../lib/core/lines.js';
import { allProcesses, environmentOf } from '../../../lib/communicators/chroot/linux-processes.js';
import { linuxRootfs as port } from '../../../lib/platforms/rootfs/engine/linux/linux-rootfs.js';
import { machineHandler } from '../../../lib/platforms/rootfs/engine/machine-handler.js';
import { tarballHandler } from '../../../lib/platforms/rootfs/engine/tarball-handler.js';
import { treeHandler } from '../../../lib/platforms/rootfs/engine/tree-handler.js';
import { systemClock } from '../../../lib/toolkit/host/clock.js';
import { uniqueSeconds } from '../../support/communicator-contract.js';
import { baseTarball } from '../../support/base-tarball.js';
import { need } from '../../support/need.js';
import { bundled } from './bundled.js';
import { stepContext } from './step-context.js';

const clampTime = 946_684_800;
const seconds = uniqueSeconds();
/** Leaves a daemon, ignores TERM, and never ends. */
const stubborn = `setsid sh -c 'trap "" TERM; sleep ${seconds}' > /dev/null 2>&1 & trap '' TERM; mount -t tmpfs inner /mnt; echo running; sleep ${seconds}`;

/** Where to kill: when this line comes. The rest of the step goes on in the meantime, so the kill lands somewhere in it. */
const moments: readonly (readonly [line: string, base: 'suite' | 'tarball', command: string])[] = [
  ['at tree', 'suite', 'true'],
  ['log running apt-get update...', 'suite', 'true'],
  ['log extracting archives...', 'suite', 'true'],
  ['log installing remaining packages inside the chroot...', 'suite', 'true'],
  ['at tree', 'tarball', 'true'],
  ['at machine', 'tarball', 'true'],
  ['at command', 'tarball', stubborn],
  ['out running', 'tarball', stubborn],
  ['at seal', 'tarball', `touch /tmp/x; sleep ${seconds} > /dev/null 2>&1 &`],
  ['at output', 'tarball', 'true'],
  ['at removal', 'tarball', 'true'],
];

t.test('a build that is killed', async (t) => {
  if (!(await need(t, 'namespaces')) || !(await need(t, 'mmdebstrap'))) return;
  const script = await bundled(t, 'build-child.ts');
  const archive = await baseTarball();
  for (const [line, base, command] of moments) {
    await t.test(`when "${line}" of a ${base} comes leaves no process at once, and nothing after find and release`, async (t) => {
      const project = await mkdtemp(join(tmpdir(), 'bake-rootfs-crash-'));
      t.teardown(() => rm(project, { recursive: true, force: true }));
      const given = base === 'suite' ? 'suite:bookworm' : archive;
      t.ok(await killAt(line, ['--', script, project, given, command]), 'the moment came');
      const marks = ['tree', 'machine', 'seal', 'output'].map((name) => stepContext({ project, name }).token);
      // What a dead process started dies with it; the kernel needs a moment.
      await until(async () => (await stamped(marks)).length === 0);
      t.same(await stamped(marks), []);
      await recover(project, given);
      await recover(project, given); // recovery itself may be killed and run again
      t.same(await stamped(marks), []);
      t.notMatch(await readFile('/proc/self/mountinfo', 'utf8'), project);
      t.same((await readdir(project)).filter((name) => name !== '.bake'), []);
      t.same(await readdir(join(project, '.bake')).then((names) => names.filter((name) => name !== 'outputs'), () => []), []);
    });
  }
});

/** Runs the build and kills it when a line comes; whether it came. */
function killAt(wanted: string, args: readonly string[]): Promise<boolean> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'], detached: true });
    let came = false;
    void eachLine(child.stdout, (line) => {
      if (line.trimEnd() !== wanted || came) return;
      came = true;
      process.kill(child.pid!, 'SIGKILL'); // it alone: what it started has to notice by itself
    });
    child.on('error', reject);
    child.on('exit', () => resolve(came));
  });
}

/** As `bake clean` does it: dependents first. */
async function recover(project: string, base: string): Promise<void> {
  const spec = base.startsWith('suite:') ? { suite: 'bookworm', clampTime } : { tarball: base, clampTime };
  const tree = join(project, '.bake/rootfs', stepContext({ project, name: 'tree' }).token, 'tree');
  const output = stepContext({ project, name: 'output' });
  const tarballs = tarballHandler(port);
  const written = await tarballs.find(output.token, { tree, path: 'out.tar', clampTime }, output);
  if (written !== undefined) await tarballs.release(written, output);
  const machine = stepContext({ project, name: 'machine' });
  const machines = machineHandler(port);
  const running = await machines.find(machine.token, { tree, hostname: 'localhost', clampTime }, machine);
  if (running !== undefined) await machines.release(running, machine);
  const ctx = stepContext({ project, name: 'tree' });
  const trees = treeHandler(port);
  const made = await trees.find(ctx.token, spec, ctx);
  if (made !== undefined) await trees.release(made, ctx);
}

/** Processes that carry one of the tokens, and what was started in the machine, which does not. */
async function stamped(tokens: readonly string[]): Promise<readonly number[]> {
  const all = await allProcesses();
  const ours = await Promise.all(all.map(async ({ pid }) => {
    const commandLine = await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '');
    return tokens.includes(await environmentOf(pid, 'BAKE_STEP') ?? '') || /^sleep\0${seconds}/.test(commandLine);
  }));
  return all.filter((_, index) => ours[index]).map(({ pid }) => pid);
}

async function until(holds: () => Promise<boolean>): Promise<void> {
  for (let delay = 10; delay < 3_000; delay *= 1.5) {
    if (await holds()) return;
    await systemClock.sleep(delay);
  }
}
