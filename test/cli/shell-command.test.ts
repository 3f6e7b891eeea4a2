import t from 'tap';
import { main } from '../../lib/cli/main.js';
import { fakeIo } from './fake-io.js';

t.test('at a terminal somebody is let in with it, Ctrl-C is theirs, and the exit code is the shell\'s', async (t) => {
  const io = fakeIo({ terminal: { columns: 100, rows: 30 } });
  io.fakeToolkit.shellReport = { run: 'r1', status: 'succeeded', code: 7, leftovers: [] };
  t.equal(await main(['shell', 'Web/Nginx', '-c', 'region=eu'], io), 7);
  t.match(io.fakeToolkit.calls, [{ method: 'shell', options: { target: 'Web/Nginx', build: undefined, variables: { region: 'eu' }, session: { terminal: { type: 'xterm' } } } }]);
  t.match(io.stderr.text, 'Web/Docker after it; "exit" leaves it');
  t.equal(io.fakeInterrupts.isForOthers?.(), true);
});

t.test('without one, commands come from standard input', async (t) => {
  const io = fakeIo();
  io.fakeToolkit.shellReport = { run: 'r1', status: 'succeeded', code: 0, leftovers: [] };
  t.equal(await main(['shell', '20261123t1', 'Web/Docker'], io), 0);
  t.match(io.fakeToolkit.calls, [{ options: { target: '20261123t1', build: 'Web/Docker', session: { commands: io.stdin } } }]);
  t.equal(io.stderr.text, '');
  t.equal(io.fakeInterrupts.isForOthers?.(), false);
});

t.test('what went wrong and what could not be removed is told', async (t) => {
  const io = fakeIo();
  io.fakeToolkit.shellReport = { run: 'r1', status: 'failed', code: null, error: { code: 'NoCheckpoint', message: 'it is gone', source: 'user' }, leftovers: [{ step: 'Web/Docker/Container', kind: 'docker.container', token: 't', title: 'container', reason: 'no' }] };
  t.equal(await main(['shell', 'Web'], io), 1);
  t.match(io.stderr.text, /it is gone[^]*bake clean r1/);

  const lost = fakeIo();
  lost.fakeToolkit.shellReport = { run: 'r1', status: 'succeeded', code: null, leftovers: [] };
  t.equal(await main(['shell', 'Web'], lost), 1);
  t.match(lost.stderr.text, 'the connection was lost');
});
