import { execFileSync, spawnSync } from 'node:child_process';
import { chmodSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { reseedPrograms } from '../../../lib/platforms/qemu/engine/reseed-program.js';
import { resumeScript } from '../../../lib/platforms/qemu/engine/resume-guest.js';

t.test('the program asks the kernel for new random numbers', async (t) => {
  const folder = t.testdir({});
  for (const [name, bytes] of reseedPrograms) {
    const file = join(folder, name);
    writeFileSync(file, bytes);
    chmodSync(file, 0o755);
    t.match(execFileSync('od', ['-An', '-tx1', '-N4', file], { encoding: 'utf8' }), '7f 45 4c 46');
    if (execFileSync('uname', ['-m'], { encoding: 'utf8' }).trim() !== name) continue;
    // EPERM (1) is the kernel's own answer to who is not root.
    t.equal(spawnSync(file).status, process.getuid?.() === 0 ? 0 : 1);
  }
});

t.test('the script is one for a POSIX shell, and what printf makes of it is the program', async (t) => {
  const script = resumeScript(0);
  t.equal(spawnSync('sh', ['-n'], { input: script }).status, 0);
  for (const [name, bytes] of reseedPrograms) {
    const [, text = ''] = new RegExp(`${name}\\) (printf '[^']*')`).exec(script) ?? [];
    for (const shell of ['dash', 'bash', 'busybox']) t.ok(execFileSync(shell, shell === 'busybox' ? ['sh', '-c', text] : ['-c', text]).equals(bytes), `${name} by ${shell}`);
  }
});
