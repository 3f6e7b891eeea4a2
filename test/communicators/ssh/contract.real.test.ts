import t from 'tap';
import { communicatorContract } from '../../support/communicator-contract.js';
import { need } from '../../support/need.js';
import { startSshd } from '../../support/sshd.js';
import { connectionTo, openSsh, scratch } from './open.js';

t.test('ssh to OpenSSH keeps the contract', async (t) => {
  if (!(await need(t, 'sshd'))) return;
  const sshd = await startSshd();
  t.teardown(() => sshd.stop());
  await communicatorContract(t, { open: async (t) => ({ communicator: await openSsh(t, connectionTo(sshd)), folder: await scratch(t) }) });
});

t.test('ssh with transfers over sftp keeps the contract', async (t) => {
  if (!(await need(t, 'sshd'))) return;
  const sshd = await startSshd();
  t.teardown(() => sshd.stop());
  await communicatorContract(t, { open: async (t) => ({ communicator: await openSsh(t, connectionTo(sshd, { fileTransfer: 'sftp' })), folder: await scratch(t) }) });
});
