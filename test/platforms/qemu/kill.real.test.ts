// kill -9 of bake, and of QEMU, at ten moments of a build each; afterwards nothing is left.
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { bake, startBake } from '../../support/bake-cli.js';
import { leftovers } from '../../support/leftovers.js';
import { need } from '../../support/need.js';
import { guestImage } from './guest-image.js';
import { qemuLeftovers } from './qemu-leftovers.js';

const moments = 10;
const nothingLeft = (project: string) => [...leftovers(project), ...qemuLeftovers(project)];
const build = () => guestImage('', `new Shell(image, 'Work', { inline: ['for i in 1 2 3 4; do echo line $i; sleep 0.1; done', 'dd if=/dev/urandom of=/root/blob bs=1M count=16 2> /dev/null'] });`);

t.test('kill -9 of bake', async (t) => {
  if (!(await need(t, 'qemu'))) return;
  const project = t.testdir({ 'image.ts': await build() });
  const whole = await bake(project, ['run', '--force', '--no-cache', '--checkpoints', 'all', '--json']);
  t.equal(whole.code, 0, whole.stderr);
  const lines = whole.stdout.trim().split('\n').length;
  for (let moment = 0; moment < moments; moment++) {
    const line = 1 + Math.floor((moment * (lines - 1)) / moments);
    const running = startBake(project, ['run', '--force', '--no-cache', '--checkpoints', 'all', '--json']);
    await running.saw(new RegExp(`^(?:.*\\n){${line}}`));
    running.child.kill('SIGKILL');
    await running.done;
    const cleaned = await bake(project, ['clean']);
    t.equal(cleaned.code, 0, `killed after line ${line} of ${lines}: ${cleaned.stderr}`);
    t.same(nothingLeft(project), [], `nothing is left after line ${line}`);
  }
});

/** The QEMU that works for a project. */
const machineOf = (project: string) => readdirSync('/proc').find((name) => /^\d+$/.test(name) && commandOf(name).startsWith('qemu-system') && commandOf(name).includes(project));
const commandOf = (pid: string) => {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8');
  } catch {
    return '';
  }
};

t.test('kill -9 of QEMU', async (t) => {
  if (!(await need(t, 'qemu'))) return;
  const project = t.testdir({ 'image.ts': await build() });
  for (let moment = 0; moment < moments; moment++) {
    const running = startBake(project, ['run', '--force', '--no-cache']);
    await running.saw(/wait until the machine lets us in/);
    // Half of the moments lie in the boot, half after it.
    if (moment < moments / 2) await new Promise((resolve) => { setTimeout(resolve, moment * 250); });
    else await running.saw(new RegExp(['line 1', 'line 2', 'line 4', '✔ shell', 'shut the machine down'][moment - moments / 2]!));
    const pid = machineOf(project);
    if (pid !== undefined) process.kill(Number(pid), 'SIGKILL');
    const { code, stderr } = await running.done;
    // Killed when it was off already, it is missed by nobody.
    if (code === 0) t.ok(moment >= moments - 2 && existsSync(join(project, 'tiny.qcow2')), `moment ${moment}`);
    else t.match(stderr, /✖ (MachineEnded|MachineGone|ConnectionLost|ScriptDisconnected|DiskFull|QemuImgFailed)/, `moment ${moment} says what happened`);
    t.same(nothingLeft(project), [], `nothing is left after moment ${moment}`);
  }
});
