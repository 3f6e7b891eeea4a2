import t from 'tap';
import { systemExec } from '../../lib/toolkit/host/exec.js';

t.test('a command with our terminal ends when it is aborted', async (t) => {
  const controller = new AbortController();
  const running = systemExec().run({ command: process.execPath, args: ['-e', 'setInterval(() => {}, 1000)'], terminal: true, signal: controller.signal });
  controller.abort(new Error('enough'));
  await t.rejects(running, { message: 'enough' });
});

t.test('a command without it ends with its whole group when it is aborted', async (t) => {
  const controller = new AbortController();
  // The grandchild holds the output open: this ends only when that one is gone too.
  const running = systemExec().run({ command: '/bin/sh', args: ['-c', 'sleep 600 & echo started; wait'], signal: controller.signal, onStdout: () => controller.abort(new Error('enough')) });
  await t.rejects(running, { message: 'enough' });
});

t.test('its exit code is the result', async (t) => {
  t.equal((await systemExec().run({ command: '/bin/sh', args: ['-c', 'exit 3'], terminal: true })).code, 3);
});
