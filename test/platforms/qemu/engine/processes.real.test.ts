// Ending a machine's processes on this computer: over means that their files are closed.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, openSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { endProcessesWith, processesWith } from '../../../../lib/platforms/qemu/engine/processes.js';
import { need } from '../../../support/need.js';
import { smallDisk } from '../../../support/small-disk.js';
import { stepContext } from '../../../support/step-context.js';

t.test('a process that was ended has let go of its files', { timeout: 60_000 }, async (t) => {
  if (!(await need(t, 'tmpfs'))) return;
  const ctx = stepContext(t);
  const folder = await smallDisk(t, 64);
  const file = join(folder, 'disk.raw');
  writeFileSync(file, 'in use');
  const open = openSync(file, 'r');
  // With much memory, its way out is long: that goes first, and its arguments with it, the files later.
  const child = spawn(process.execPath, ['-e', 'globalThis.memory = Buffer.alloc(1 << 30, 1); console.log("ready"); setInterval(() => {}, 1000)', folder], { stdio: ['ignore', 'pipe', 'inherit', open] });
  closeSync(open);
  await once(child.stdout ?? child, 'data');
  t.same(await processesWith(folder, ctx.exec), [child.pid]);
  await endProcessesWith(folder, ctx);
  t.same(await processesWith(folder, ctx.exec), []);
  // The disk can be unmounted, which the teardown does.
});
