import t from 'tap';
import { need } from '../../support/need.js';
import { freePort, startSshd } from '../../support/sshd.js';
import { connectionTo, openSsh, rejection } from './open.js';

t.test('the way through a bastion carries commands, and each host is judged by its own key', async (t) => {
  if (!(await need(t, 'sshd'))) return;
  const [bastion, machine] = await Promise.all([startSshd(), startSshd()]);
  t.teardown(() => Promise.all([bastion.stop(), machine.stop()]));
  const { kind: _, timeout: __, ...through } = connectionTo(bastion);
  const ssh = await openSsh(t, connectionTo(machine, { bastion: through }));
  t.equal(bastion.connections().length, 1);
  const lines: string[] = [];
  await ssh.exec({ command: 'echo "$SSH_CONNECTION"', onStdout: (line) => { lines.push(line); } });
  t.match(lines[0], new RegExp(` ${machine.port}$`));

  for (const pid of bastion.connections()) process.kill(pid, 'SIGKILL');
  t.equal((await ssh.exec({ command: 'exit 9' })).code, 9, 'it dials both again');
  await ssh.close();

  const stranger = { policy: 'publicKey', keys: [machine.hostPublicKey] };
  t.match(await rejection(openSsh(t, connectionTo(machine, { bastion: { ...through, hostKey: stranger } }))), { code: 'HostKeyMismatch', message: new RegExp(`:${bastion.port} `) });
  t.match(await rejection(openSsh(t, connectionTo(machine, { bastion: through, hostKey: { policy: 'publicKey', keys: [bastion.hostPublicKey] } }))), { code: 'HostKeyMismatch', message: new RegExp(`:${machine.port} `) });
});

t.test('behind a bastion a machine may come up late', async (t) => {
  if (!(await need(t, 'sshd'))) return;
  const bastion = await startSshd();
  t.teardown(() => bastion.stop());
  const { kind: _, timeout: __, ...through } = connectionTo(bastion);
  const port = await freePort();
  let said: (line: string) => void = () => {};
  const waiting = new Promise<string>((resolve) => { said = resolve; });
  const opening = openSsh(t, connectionTo(bastion, { port, bastion: through, timeout: 30_000, hostKey: { policy: 'insecureAcceptAny' } }), { log: said });
  t.match(await waiting, /from the bastion: .*refused/i);
  const machine = await startSshd({ port, config: [`AuthorizedKeysFile ${bastion.folder}/authorized_keys`] });
  t.teardown(() => machine.stop());
  t.equal((await (await opening).exec({ command: 'exit 2' })).code, 2);
});

t.test('a bastion that forwards nothing is final at once', async (t) => {
  if (!(await need(t, 'sshd'))) return;
  const bastion = await startSshd({ config: ['AllowTcpForwarding no'] });
  t.teardown(() => bastion.stop());
  const { kind: _, timeout: __, ...through } = connectionTo(bastion);
  t.match(await rejection(openSsh(t, connectionTo(bastion, { bastion: through, timeout: 60_000 }))), { code: 'BastionForbids' });
});
