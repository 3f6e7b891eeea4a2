import { once } from 'node:events';
import { mkdirSync, readdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { createServer, type AddressInfo } from 'node:net';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { httpServerHandler } from '../../../../lib/vm/http-server/engine/http-server-handler.js';
import { portsOf } from '../../../../lib/vm/http-server/engine/ports-of.js';
import type { HttpServerHandle, HttpServerSpec } from '../../../../lib/vm/http-server/steps.js';
import { stagedFile } from '../../../support/staged-file.js';
import { stepContext, type TestStepContext } from '../../../support/step-context.js';
import { ask } from './ask.js';

/** Starts a server that ends with the test. */
async function start(t: Test, spec: HttpServerSpec, ctx: TestStepContext = stepContext(t)): Promise<HttpServerHandle & { readonly ctx: TestStepContext; readonly stop: () => Promise<void> }> {
  const handler = httpServerHandler();
  const handle = await handler.acquire(spec, ctx);
  const stop = () => handler.release(handle, ctx);
  t.teardown(stop);
  return { ...handle, ctx, stop };
}

/** A project with a folder that has good and bad things in it. */
function project(t: Test): TestStepContext {
  const ctx = stepContext(t);
  const at = (...parts: string[]) => join(ctx.run.project, ...parts);
  mkdirSync(at('www/sub'), { recursive: true });
  writeFileSync(at('secret'), 'secret');
  writeFileSync(at('www/preseed.cfg'), '0123456789');
  writeFileSync(at('www/sub/a b%2f+ü.txt'), 'odd');
  writeFileSync(at('www/.hidden'), 'dot');
  writeFileSync(at('www/index.html'), 'index');
  symlinkSync('preseed.cfg', at('www/inside'));
  symlinkSync('../secret', at('www/outside'));
  symlinkSync('..', at('www/up'));
  symlinkSync('/etc/passwd', at('www/passwd'));
  symlinkSync('nothing', at('www/dangling'));
  mkdirSync(at('www-other'));
  writeFileSync(at('www-other/a'), 'secret');
  symlinkSync('../www-other', at('www/other'));
  return ctx;
}

t.test('files of a folder and texts are served on a free port of the loopback', async (t) => {
  const { port, address, url, ctx } = await start(t, { directory: 'www', content: { '/user-data': 'late', 'deep/text': 'grüße', 'index.html': 'mine' } }, project(t));
  t.equal(address, '127.0.0.1');
  t.equal(url, `http://127.0.0.1:${port}`);
  t.match(await ask(url, '/preseed.cfg?who=guest'), { status: 200, body: '0123456789', headers: { 'content-length': '10', 'accept-ranges': 'bytes', 'last-modified': /GMT/ } });
  t.match(await ask(url, '/sub/a%20b%252f+%C3%BC.txt'), { status: 200, body: 'odd' });
  t.match(await ask(url, '/.hidden'), { status: 200, body: 'dot' });
  t.match(await ask(url, '/inside'), { status: 200, body: '0123456789' });
  t.match(await ask(url, '//user-data'), { status: 200, body: 'late', headers: { 'content-type': 'text/plain; charset=utf-8' } });
  t.match(await ask(url, '/deep/text'), { status: 200, body: 'grüße' });
  t.match(await ask(url, '/index.html'), { body: 'mine' }, 'a text comes before a file');
  t.match(await ask(url, `${url}/preseed.cfg`), { status: 200 }, 'as a client of a proxy asks');
  t.match(await ask(url, '/preseed.cfg', { method: 'HEAD' }), { status: 200, body: '', headers: { 'content-length': '10' } });
  t.match(await ask(url, '/user-data', { method: 'HEAD' }), { status: 200, body: '', headers: { 'content-length': '4' } });
  t.match(ctx.lines('info').slice(0, 2), [`listening on ${url}`, 'GET /preseed.cfg 200, 10 bytes, to 127.0.0.1']);
  t.equal(ctx.lines('info').at(-1), 'HEAD /user-data 200, to 127.0.0.1');
});

t.test('parts and conditions', async (t) => {
  const { url } = await start(t, { directory: 'www' }, project(t));
  const part = (range: string, more: Record<string, string> = {}) => ask(url, '/preseed.cfg', { headers: { range, ...more } });
  t.match(await part('bytes=2-4'), { status: 206, body: '234', headers: { 'content-range': 'bytes 2-4/10' } });
  t.match(await part('bytes=7-'), { status: 206, body: '789' });
  t.match(await part('bytes=-2'), { status: 206, body: '89' });
  t.match(await part('bytes=10-'), { status: 416, headers: { 'content-range': 'bytes */10' } });
  t.match(await part('bytes=2-4', { 'if-range': '"other"' }), { status: 200, body: '0123456789' });
  const { headers } = await ask(url, '/preseed.cfg');
  t.match(await ask(url, '/preseed.cfg', { headers: { 'if-none-match': String(headers['etag']) } }), { status: 304 });
});

t.test('nothing outside of the folder can be had', async (t) => {
  const { url, ctx } = await start(t, { directory: 'www', content: { a: 'x' } }, project(t));
  for (const path of [
    '/outside', '/up/secret', '/passwd', '/dangling', '/other/a', '/../secret', '/sub/../../secret', '/%2e%2e/secret', '/..%2fsecret', '/%2e%2e%2f%2e%2e%2fetc/passwd', '/..%5csecret',
    '/..\\secret', '//etc/passwd', '/./../secret', '/preseed.cfg%00.txt', '/%', '/%ff', '/../www-other/a', '/sub/%252e%252e/preseed.cfg',
  ]) {
    const { status, body } = await ask(url, path);
    t.same({ status, body }, { status: 404, body: '' }, path);
  }
  t.notMatch(ctx.logged, /secret$/);
});

t.test('a folder is not listed, and has no page of its own', async (t) => {
  const { url } = await start(t, { directory: 'www' }, project(t));
  for (const path of ['/', '/sub', '/sub/', '/preseed.cfg/', '*']) t.match(await ask(url, path), { status: 404, body: '' }, path);
});

t.test('nothing but GET and HEAD', async (t) => {
  const { url } = await start(t, { content: { a: 'x' } });
  for (const method of ['POST', 'PUT', 'DELETE', 'OPTIONS', 'TRACE']) t.match(await ask(url, '/a', { method }), { status: 405, headers: { allow: 'GET, HEAD' } }, method);
});

t.test('the log says what was asked for, what was meant, and no query', async (t) => {
  const { url, ctx } = await start(t, { directory: 'www', content: { '/meta-data': '' } }, project(t));
  for (const path of ['/preseed.cgf', '/metadata?token=hidden', `/${'x'.repeat(5000)}`, '/sub%0Aforged']) await ask(url, path);
  t.match(ctx.lines('info').slice(1), [
    'GET /preseed.cgf 404, there is no such file; the nearest is /preseed.cfg, to 127.0.0.1',
    'GET /metadata 404, there is no such file; the nearest is /meta-data, to 127.0.0.1',
    /^GET \/x{199}… 404, there is no such file, to/,
    'GET /sub%0Aforged 404, there is no such file, to 127.0.0.1',
  ]);
  t.notMatch(ctx.lines('info'), /hidden/);
});

t.test('texts are never written to a disk', async (t) => {
  const ctx = stepContext(t);
  const { url, stop } = await start(t, { content: { a: 'hidden' } }, ctx);
  t.match(await ask(url, '/a'), { body: 'hidden' });
  await stop();
  t.same(readdirSync(ctx.run.project), []);
  t.notMatch(ctx.logged, /hidden/);
});

t.test('a staged folder is served as well', async (t) => {
  const ctx = project(t);
  const { url } = await start(t, { directory: await stagedFile(join(ctx.run.project, 'www')) }, ctx);
  t.match(await ask(url, '/preseed.cfg'), { status: 200 });
});

t.test('a port of the range is taken, and the next one if it is in use', async (t) => {
  const taken = createServer().listen(0, '127.0.0.1');
  await once(taken, 'listening');
  t.teardown(() => taken.close());
  const busy = (taken.address() as AddressInfo).port;
  const { port } = await start(t, { content: { a: '' }, portMin: busy, portMax: busy + 20 });
  t.ok(port > busy && port <= busy + 20);
  await t.rejects(start(t, { content: { a: '' }, portMin: busy }), { code: 'PortInUse', message: `port ${busy} of 127.0.0.1 is in use` });
  t.same(portsOf({}), [0]);
  t.same(portsOf({ portMin: 10, portMax: 13 }, () => 0.5), [12, 13, 10, 11]);
  t.same(portsOf({ portMax: 10 }), [10]);
});

t.test('a bad address and a missing folder are said', async (t) => {
  await t.rejects(start(t, { content: { a: '' }, address: '192.0.2.1' }), { code: 'AddressNotAvailable', message: /does not have the address "192.0.2.1" \(EADDRNOTAVAIL\)/ });
  await t.rejects(start(t, { directory: 'missing' }), { code: 'FolderNotFound', message: /^there is no folder .*\/missing to serve$/ });
});

t.test('IPv6 addresses stand in brackets', async (t) => {
  const { url, port } = await start(t, { content: { a: 'six' }, address: '::1' });
  t.equal(url, `http://[::1]:${port}`);
  t.match(await ask(url, '/a'), { body: 'six' });
});

t.test('released, it is gone at once with all its connections, and releasing it again is no error', async (t) => {
  const handler = httpServerHandler();
  const ctx = stepContext(t);
  writeFileSync(join(ctx.run.project, 'big'), Buffer.alloc(64 * 1024 * 1024));
  const handle = await handler.acquire({ directory: '.' }, ctx);
  t.same(await handler.find(ctx.token, {}, ctx), handle);
  const { get } = await import('node:http');
  const broken = new Promise<string>((resolve) => {
    get(`${handle.url}/big`, (reply) => { reply.once('data', () => { reply.pause(); void handler.release(handle, ctx).then(() => reply.resume()); }).on('error', (error: NodeJS.ErrnoException) => resolve(error.code ?? '')); });
  });
  t.equal(await broken, 'ECONNRESET');
  t.equal(ctx.lines('info').at(-1), 'GET /big 200, 67108864 bytes, broken off before its end, to 127.0.0.1');
  await t.rejects(ask(handle.url, '/big'), { code: 'ECONNREFUSED' });
  await handler.release(handle, ctx);
  t.equal(await handler.find(ctx.token, {}, ctx), undefined);
});
