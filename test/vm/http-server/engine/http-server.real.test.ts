import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import t from 'tap';
import { httpServerHandler } from '../../../../lib/vm/http-server/engine/http-server-handler.js';
import type { HttpServerHandle } from '../../../../lib/vm/http-server/steps.js';
import { need } from '../../../support/need.js';
import { stepContext } from '../../../support/step-context.js';
import { ask } from './ask.js';

const run = promisify(execFile);
const script = fileURLToPath(new URL('serve-once.ts', import.meta.url));

/** A process with a server; with `wait` it has something else to do as well. */
async function serveElsewhere(folder: string, ...wait: readonly string[]) {
  const child = spawn(process.execPath, ['--import=tsx', script, folder, ...wait], { stdio: ['pipe', 'pipe', 'inherit'] });
  t.teardown(() => child.kill('SIGKILL'));
  const end = once(child, 'exit');
  const [line] = await once(createInterface(child.stdout), 'line') as [string];
  return { child, end, handle: JSON.parse(line) as HttpServerHandle };
}

t.test("what Debian's installer fetches with comes whole, also in parts", async (t) => {
  if (!(await need(t, 'busybox'))) return;
  const ctx = stepContext(t);
  const content = 'd-i debian-installer/locale string en_US\n'.repeat(50_000);
  writeFileSync(join(ctx.run.project, 'big.cfg'), content);
  writeFileSync(join(ctx.run.project, 'resumed'), content.slice(0, 1_000_000));
  const handler = httpServerHandler();
  const handle = await handler.acquire({ directory: '.', content: { 'preseed.cfg': 'late\n' } }, ctx);
  t.teardown(() => handler.release(handle, ctx));
  const wget = (...args: string[]) => run('/bin/busybox', ['wget', '-q', ...args], { cwd: ctx.run.project, maxBuffer: 10_000_000 });
  t.equal((await wget('-O-', `${handle.url}/preseed.cfg`)).stdout, 'late\n');
  t.equal((await wget('-O-', `${handle.url}/big.cfg`)).stdout, content);
  await wget('-c', '-O', 'resumed', `${handle.url}/big.cfg`);
  t.equal((await run('cmp', ['resumed', 'big.cfg'], { cwd: ctx.run.project })).stdout, '');
  t.match(ctx.lines('info').at(-1), /^GET \/big\.cfg 206, 1050000 bytes/);
  await t.rejects(wget('-O-', `${handle.url}/missing`), { message: /404/ });
});

t.test('a server alone does not keep a process alive', async (t) => {
  const { end } = await serveElsewhere(t.testdir());
  t.same(await end, [0, null]);
});

t.test('after kill -9 nothing is left, and the port can be had again', async (t) => {
  const { child, end, handle } = await serveElsewhere(t.testdir({ a: 'before' }), 'wait');
  t.match(await ask(handle.url, '/a'), { body: 'before' });
  child.kill('SIGKILL');
  await end;
  const handler = httpServerHandler();
  const ctx = stepContext(t);
  t.equal(await handler.find('run-1-x', {}, ctx), undefined);
  await t.rejects(ask(handle.url, '/a'), { code: 'ECONNREFUSED' });
  await t.resolves(handler.release(handle, ctx));
  const again = await handler.acquire({ content: { a: 'after' }, portMin: handle.port }, ctx);
  t.teardown(() => handler.release(again, ctx));
  t.match(await ask(handle.url, '/a'), { body: 'after' });
});

t.test('a machine of QEMU fetches its boot script as 10.0.2.2', async (t) => {
  if (!(await need(t, 'qemu'))) return;
  const ctx = stepContext(t);
  const handler = httpServerHandler();
  const handle = await handler.acquire({ content: { 'boot.ipxe': '#!ipxe\nreboot\n' } }, ctx);
  t.teardown(() => handler.release(handle, ctx));
  await run('qemu-system-x86_64', [
    '-accel', 'tcg', '-m', '64', '-display', 'none', '-no-reboot', '-boot', 'n', '-device', 'virtio-net-pci,netdev=n',
    '-netdev', `user,id=n,bootfile=http://10.0.2.2:${handle.port}/boot.ipxe`,
  ], { timeout: 120_000 });
  t.match(ctx.lines('info').filter((line) => line.startsWith('GET')), [/^GET \/boot\.ipxe 200, 14 bytes, to 127\.0\.0\.1$/]);
});
