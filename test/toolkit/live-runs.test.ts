import { statSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';

t.test('every user of the computer can announce runs, whatever the umask of the first', async (t) => {
  const { TMPDIR } = process.env;
  const umask = process.umask(0o077);
  t.teardown(() => {
    process.umask(umask);
    if (TMPDIR === undefined) delete process.env['TMPDIR'];
    else process.env['TMPDIR'] = TMPDIR;
  });
  const tmp = t.testdir({});
  process.env['TMPDIR'] = tmp;
  const { announceRun } = await import('../../lib/toolkit/host/live-runs.js'); // asks for the folder as it is loaded
  const retire = await announceRun('run-1', { pid: process.pid, start: '1' });
  t.equal(statSync(join(tmp, 'bake-live-runs')).mode & 0o7777, 0o1777);
  await retire();
});
