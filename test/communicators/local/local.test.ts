import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t from 'tap';
import { localExtension } from '../../../lib/communicators/local/communicator.js';
import { systemClock } from '../../../lib/toolkit/host/clock.js';
import { systemExec } from '../../../lib/toolkit/host/exec.js';
import { communicatorContract } from '../../support/communicator-contract.js';

t.test('the local communicator keeps the contract', async (t) => {
  await communicatorContract(t, {
    open: async (t) => {
      const folder = await mkdtemp(join(tmpdir(), 'bake-test-local-'));
      t.teardown(() => rm(folder, { recursive: true, force: true }));
      return { communicator: await open(folder, { kind: 'local' }), folder };
    },
  });
});

t.test('commands run and relative paths start in the folder of the connection', async (t) => {
  const folder = t.testdir({});
  const communicator = await open(folder, { kind: 'local', cwd: folder });
  await communicator.upload(Buffer.from('here'), 'note');
  const lines: string[] = [];
  await communicator.exec({ command: 'cat note', onStdout: (line) => { lines.push(line); } });
  t.strictSame(lines, ['here']);
});

async function open(tmp: string, connection: { kind: 'local'; cwd?: string }) {
  const load = await localExtension.communicators!['local']!();
  return load(connection, { exec: systemExec(), clock: systemClock, signal: new AbortController().signal, tmp, log: () => {} });
}
