import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import t from 'tap';
import { qcodes } from '../../../lib/vm/boot-command/qcodes.js';
import { need } from '../../support/need.js';

t.test('QEMU knows every key by its code', async (t) => {
  if (!(await need(t, 'qemu'))) return;
  const qemu = spawn('qemu-system-x86_64', ['-machine', 'pc,accel=tcg', '-m', '16M', '-nodefaults', '-display', 'none', '-qmp', 'stdio'], { stdio: ['pipe', 'pipe', 'inherit'] });
  const commands = [
    { execute: 'qmp_capabilities' },
    ...Object.values(qcodes).map((data) => ({ execute: 'input-send-event', arguments: { events: [{ type: 'key', data: { down: true, key: { type: 'qcode', data } } }] } })),
    { execute: 'quit' },
  ];
  qemu.stdin.end(commands.map((command) => JSON.stringify(command)).join('\n'));
  const replies: { return?: unknown; error?: unknown }[] = [];
  for await (const line of createInterface({ input: qemu.stdout })) replies.push(JSON.parse(line) as { return?: unknown; error?: unknown });
  t.same(replies.filter(({ error }) => error !== undefined), []);
  t.equal(replies.filter((reply) => 'return' in reply).length, commands.length);
});
