import { chmodSync, statSync } from 'node:fs';
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

t.test('a folder of marks that cannot be written to is an error that says how to mend it', async (t) => {
  const { TMPDIR } = process.env;
  t.teardown(() => {
    if (TMPDIR === undefined) delete process.env['TMPDIR'];
    else process.env['TMPDIR'] = TMPDIR;
  });
  const tmp = t.testdir({ closed: { 'bake-live-runs': {} }, file: { 'bake-live-runs': '' } });
  const announcer = async (folder: string) => {
    process.env['TMPDIR'] = join(tmp, folder);
    const path = `../../lib/toolkit/host/live-runs.js?${folder}`; // asks for the folder as it is loaded
    const { announceRun } = await import(path) as typeof import('../../lib/toolkit/host/live-runs.js');
    return () => announceRun('run-1', { pid: process.pid, start: '1' });
  };
  await t.rejects(await announcer('file'), { code: 'LiveRunsNotWritable', hint: /must be a folder/ });
  chmodSync(join(tmp, 'closed', 'bake-live-runs'), 0o555);
  const announce = await announcer('closed'); // loaded while this process may still read its modules
  const isRoot = process.getuid?.() === 0;
  if (isRoot) process.seteuid?.(65534); // no mode stops root
  try {
    await t.rejects(announce, { code: 'LiveRunsNotWritable', hint: /chmod 1777 .*bake-live-runs/ });
  } finally {
    if (isRoot) process.seteuid?.(0);
  }
});
