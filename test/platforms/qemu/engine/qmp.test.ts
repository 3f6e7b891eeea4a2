import { mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t from 'tap';
import { Qmp } from '../../../../lib/platforms/qemu/engine/qmp.js';

t.test('an answer may be as long as that of a disk with a hundred layers', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'bake-qmp-')); // a socket's path must be short
  t.teardown(() => rmSync(folder, { recursive: true }));
  const long = 'x'.repeat(1024 * 1024);
  const server = createServer((socket) => {
    socket.write('{"QMP": {}}\r\n');
    socket.on('data', (chunk) => {
      for (const line of String(chunk).trim().split('\n')) {
        const { execute, id } = JSON.parse(line) as { readonly execute: string; readonly id: number };
        socket.write(`${JSON.stringify({ return: execute === 'query-block' ? [{ device: long }] : {}, id })}\r\n`);
      }
    });
  });
  await new Promise<void>((resolve) => { server.listen(join(folder, 'qmp'), resolve); });
  t.teardown(() => server.close());
  const qmp = await Qmp.connect(join(folder, 'qmp'));
  t.same(await qmp.execute('query-block'), [{ device: long }]);
  t.same(await qmp.execute('cont'), {});
  qmp.close();
});
