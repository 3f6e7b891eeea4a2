import t from 'tap';
import { systemExec } from '../../lib/toolkit/host/exec.js';

t.test('a child that left its group and holds the output open does not hold up an abort', async (t) => {
  const abort = new AbortController();
  let escaped = 0;
  const onStdout = (line: string) => {
    escaped = Number(line);
    abort.abort(new Error('stop'));
  };
  t.teardown(() => { if (escaped > 0) process.kill(escaped, 'SIGKILL'); });
  const startedAt = Date.now();
  await t.rejects(systemExec().run({ command: 'sh', args: ['-c', 'setsid sh -c \'echo $$; exec sleep 20\' & sleep 20'], signal: abort.signal, killAfter: 100, onStdout }), { message: 'stop' });
  t.ok(Date.now() - startedAt < 10_000, 'long before the child ends');
});
