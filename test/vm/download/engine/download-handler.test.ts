import { existsSync, mkdirSync, readdirSync, readFileSync, statSync, symlinkSync, utimesSync, writeFileSync, chmodSync } from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import type { Clock } from '../../../../lib/core/ports.js';
import { downloadHandler } from '../../../../lib/vm/download/engine/download-handler.js';
import { stepContext, type StepContextOptions, type TestStepContext } from '../../../support/step-context.js';
import { noise, oddServer, serve, sumOf } from './odd-server.js';

const content = noise(3 * 1024 * 1024);
const sha256 = `sha256:${sumOf(content)}`;

/** Remembers its sleeps and never sleeps longer than a moment. */
function quickClock(): Clock & { readonly slept: number[] } {
  const slept: number[] = [];
  return { slept, now: () => Date.now(), sleep: async (milliseconds, signal) => { slept.push(milliseconds); await new Promise((resolve) => { setTimeout(resolve, 1); }); signal?.throwIfAborted(); } };
}

const context = (t: Test, options: StepContextOptions = {}) => stepContext(t, { clock: quickClock(), ...options });
const run = (ctx: TestStepContext, urls: string | string[], checksum = sha256, stall = 30_000) => downloadHandler({ stall }).run({ urls: [urls].flat(), checksum }, ctx);
/** Names in the cache of downloads, without records and locks. */
const cached = (ctx: TestStepContext) => (existsSync(join(ctx.run.cache, 'downloads')) ? readdirSync(join(ctx.run.cache, 'downloads')) : []).filter((name) => !name.endsWith('.json'));

t.test('a file is downloaded, verified, and then taken from the cache', async (t) => {
  const { url, seen } = await oddServer(t, (request, response) => serve(request, response, content));
  const ctx = context(t);
  const first = await run(ctx, `${url}/a/debian.iso`);
  t.same(first, { file: join(ctx.run.cache, 'downloads', `sha256-${sumOf(content)}.iso`), size: content.length, digest: sumOf(content), url: `${url}/a/debian.iso` });
  t.ok(readFileSync(first.file).equals(content));
  t.same(ctx.progressed.at(-1), { label: 'download', current: content.length, total: content.length, unit: 'bytes' });
  ctx.progressed.length = 0;
  t.same(await run(ctx, `${url}/a/debian.iso`), first);
  t.equal(seen.length, 1);
  t.same(ctx.progressed, [], 'it is not even read again');
  t.same(cached(ctx), [`sha256-${sumOf(content)}.iso`]);
});

t.test('other algorithms and lists of sums do as well', async (t) => {
  const { url, seen } = await oddServer(t, (request, response) => (request.url === '/SUMS' ? response.end(`${sumOf(content, 'sha512')}  a.img\n`) : serve(request, response, content)));
  for (const checksum of [`md5:${sumOf(content, 'md5')}`, `sha1:${sumOf(content, 'sha1')}`, sumOf(content, 'sha384'), `file:${url}/SUMS`]) {
    t.match(await run(context(t), `${url}/a.img`, checksum), { digest: sumOf(content), size: content.length });
  }
  t.equal(seen.filter(({ path }) => path === '/SUMS').length, 1);
  const ctx = context(t);
  writeFileSync(join(ctx.run.project, 'sums'), `SHA256 (a.img) = ${sumOf(content)}\n`);
  t.match(await run(ctx, `${url}/a.img`, 'file:sums'), { digest: sumOf(content) });
  await t.rejects(run(ctx, `${url}/a.img`, 'file:missing'), { code: 'FileNotFound', message: `there is no file ${join(ctx.run.project, 'missing')}` });
  await t.rejects(run(ctx, `${url}/b.img`, `file:${url}/SUMS`), { code: 'ChecksumNotListed' });
});

t.test('what nobody here has said the sum of is pinned, and a pinned file is the only right one', async (t) => {
  const { url, seen } = await oddServer(t, (request, response) => (request.url === '/SUMS' ? response.end(`${sumOf(content)}  a.img\n`) : serve(request, response, content)));
  const asked: string[] = [];
  const ctx = { ...context(t), pin: async (what: string, _schema: unknown, lookup: (isRenewal: boolean) => Promise<unknown>) => { asked.push(what); return lookup(false); } } as TestStepContext;
  writeFileSync(join(ctx.run.project, 'sums'), `${sumOf(content)}  a.img\n`);
  for (const checksum of ['none', `file:${url}/SUMS`, sha256, 'file:sums']) t.match(await run(ctx, `${url}/a.img`, checksum), { digest: sumOf(content) });
  t.same(asked, [`download ${url}/a.img`, `download ${url}/a.img`], 'the sums that the user gives need no pin');

  const pinned = (digest: string) => ({ ...context(t), pin: async () => ({ sha256: digest }) }) as unknown as TestStepContext;
  const before = seen.length;
  t.match(await run(pinned(sumOf(content)), `${url}/a.img`, `file:${url}/SUMS`), { digest: sumOf(content) });
  t.same(seen.slice(before).map(({ path }) => path), ['/a.img'], 'the list is not asked for');
  await t.rejects(run(pinned('0'.repeat(64)), `${url}/a.img`, 'none'), { code: 'ChecksumMismatch', message: /not the file that bake\.lock\.json pins/, hint: `run "bake run --update='download ${url}/a.img'" if the new one is wanted` });
});

t.test('without its server, a list of sums is that of the last time', async (t) => {
  let isUp = true;
  const { url } = await oddServer(t, (request, response) => (isUp ? request.url === '/SUMS' ? response.end(`${sumOf(content)}  a.img\n`) : serve(request, response, content) : response.destroy()));
  const ctx = context(t);
  const first = await run(ctx, `${url}/a.img`, `file:${url}/SUMS`);
  isUp = false;
  t.same(await run(ctx, `${url}/a.img`, `file:${url}/SUMS`), first);
  t.match(ctx.warned, [{ code: 'OldChecksumList', message: /SUMS could not be downloaded: the connection was closed; the sums are those of an earlier run$/ }]);
  await t.rejects(run(context(t), `${url}/a.img`, `file:${url}/SUMS`), { code: 'DownloadFailed' });
});

t.test('a wrong file is shown with both sums and does not stay', async (t) => {
  const { url } = await oddServer(t, (request, response) => serve(request, response, noise(1000, 'b')));
  const ctx = context(t);
  await t.rejects(run(ctx, `${url}/a.iso`), { code: 'ChecksumMismatch', message: `${url}/a.iso has the wrong sha256: expected ${sumOf(content)}, got ${sumOf(noise(1000, 'b'))}` });
  t.same(cached(ctx), []);
});

t.test('a download that breaks off goes on where it was', async (t) => {
  for (const version of [{ etag: '"1"' }, { lastModified: 'Mon, 23 Nov 2026 07:00:00 GMT' }, {}]) {
    const { url, seen } = await oddServer(t, (request, response, count) => serve(request, response, content, { ...version, breakAfter: count < 3 ? 500_000 : undefined }));
    const ctx = context(t);
    t.match(await run(ctx, `${url}/a`), { digest: sumOf(content) });
    t.equal(seen.length, 3);
    t.match(seen[1], { range: /^bytes=[1-9]\d*-$/ });
    t.equal(seen[1]?.headers['if-range'], version.etag ?? version.lastModified);
    t.match(ctx.lines('info'), [/the connection was closed after \d+ of 3145728 bytes; another try in 0.5 s$/, /^going on at byte/, /another try/, /^going on/]);
  }
});

t.test('without a checksum a part is gone on with only if the server knows the version', async (t) => {
  const { url, seen } = await oddServer(t, (request, response, count) => serve(request, response, content, { etag: 'W/"weak"', breakAfter: count < 2 ? 500_000 : undefined }));
  t.match(await run(context(t), `${url}/a`, 'none'), { digest: sumOf(content) });
  t.equal(seen[1]?.range, undefined);
});

t.test('a server that cannot go on sends it from the start', async (t) => {
  const { url, seen } = await oddServer(t, (request, response, count) => serve(request, response, content, { ranges: false, breakAfter: count < 3 ? 500_000 : undefined }));
  t.match(await run(context(t), `${url}/a`), { digest: sumOf(content) });
  t.equal(seen.length, 3);
});

t.test('a file that was replaced meanwhile starts anew, also on a server that ignores If-Range', async (t) => {
  const old = noise(content.length, 'old');
  for (const ifRange of [true, false]) {
    const { url } = await oddServer(t, (request, response, count) => serve(request, response, count === 1 ? old : content, { etag: count === 1 ? '"old"' : '"new"', ifRange, breakAfter: count === 1 ? 500_000 : undefined }));
    const ctx = context(t);
    const { file } = await run(ctx, `${url}/a`, 'none');
    t.ok(readFileSync(file).equals(content), `If-Range ${ifRange}`);
  }
});

t.test('a part of an earlier run is gone on with, and thrown away if it was of another version', async (t) => {
  let isBroken = true;
  let old = content;
  const { url, seen } = await oddServer(t, (request, response) => serve(request, response, isBroken ? old : content, { breakAfter: isBroken && request.headers.range === undefined ? 1_000_000 : isBroken ? 0 : undefined }));
  const ctx = context(t);
  const begin = async () => {
    isBroken = true;
    await t.rejects(run(ctx, `${url}/a.iso`), { code: 'DownloadFailed', transient: true, message: /could not be downloaded: the connection was closed after \d+ of 3145728 bytes$/ });
    [isBroken, seen.length] = [false, 0];
  };
  await begin();
  const [part = ''] = cached(ctx);
  t.match(part, /\.iso\.part$/);
  const { size } = statSync(join(ctx.run.cache, 'downloads', part));
  const { file } = await run(ctx, `${url}/a.iso`);
  t.same(seen.map(({ range }) => range), [`bytes=${size}-`]);
  t.same(cached(ctx), [`sha256-${sumOf(content)}.iso`]);

  chmodSync(file, 0o600);
  writeFileSync(file, 'damaged');
  old = noise(content.length, 'old');
  await begin();
  t.match(ctx.warned, [{ code: 'DamagedDownload', message: /is not as it was/ }]);
  t.match(await run(ctx, `${url}/a.iso`), { digest: sumOf(content) });
  t.same(seen.map(({ range }) => range === undefined), [false, true]);
});

t.test('a whole file that a killed run left unnamed needs no request', async (t) => {
  const { url, seen } = await oddServer(t, (request, response) => serve(request, response, content));
  const ctx = context(t);
  const folder = join(ctx.run.cache, 'downloads');
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, `sha256-${sumOf(content)}.part`), content);
  writeFileSync(join(folder, `sha256-${sumOf(content)}.part.json`), JSON.stringify({ source: 'another mirror', total: content.length }));
  t.match(await run(ctx, `${url}/a`), { digest: sumOf(content) });
  t.equal(seen.length, 0);
});

t.test('without a checksum the server is asked each time, and only what changed is downloaded', async (t) => {
  let [current, etag] = [content, '"1"'];
  const { url, seen } = await oddServer(t, (request, response) => serve(request, response, current, { etag }));
  const ctx = context(t);
  const first = await run(ctx, `${url}/a.iso`, 'none');
  t.same(await run(ctx, `${url}/a.iso`, 'none'), first);
  t.equal(seen[1]?.headers['if-none-match'], '"1"');
  [current, etag] = [noise(1000, 'new'), '"2"'];
  const second = await run(ctx, `${url}/a.iso`, 'none');
  t.not(second.file, first.file);
  t.ok(readFileSync(first.file).equals(content), 'who uses the old one keeps it');
  t.equal(second.digest, sumOf(current));
});

t.test('locations are tried in order', async (t) => {
  const { url } = await oddServer(t, (request, response) => (request.url?.startsWith('/good') ? serve(request, response, content) : request.url?.startsWith('/bad') ? serve(request, response, noise(10)) : response.writeHead(404).end()));
  const ctx = context(t);
  t.match(await run(ctx, ['missing.iso', 'http://127.0.0.1:1/refused.iso', `${url}/404.iso`, `${url}/bad.iso`, `${url}/good.iso`, `${url}/never`]), { url: `${url}/good.iso`, digest: sumOf(content) });
  t.match(ctx.lines('stderr'), [/there is no file .*missing.iso; going on/, /the connection was refused; going on/, /status 404; going on/, /wrong sha256.*; going on/]);
  await t.rejects(run(context(t), [`${url}/404.iso`, `${url}/bad.iso`]), { code: 'DownloadFailed', message: /^none of 2 URLs gave the file: .*404.iso could not be downloaded: the server answered with status 404; .*bad.iso has the wrong sha256/, transient: false });
});

t.test('a mirror goes on where another broke off', async (t) => {
  const first = await oddServer(t, (request, response) => serve(request, response, content, { etag: '"a"', breakAfter: request.headers.range === undefined ? 1_000_000 : 0 }));
  const second = await oddServer(t, (request, response) => serve(request, response, content, { etag: '"b"' }));
  t.match(await run(context(t), [`${first.url}/a`, `${second.url}/a`]), { url: `${second.url}/a`, digest: sumOf(content) });
  t.match(second.seen, [{ range: /^bytes=[1-9]/ }]);
});

t.test('what may pass is tried again, and what does not pass is not', async (t) => {
  const { url, seen } = await oddServer(t, (request, response, count) => (count < 3 ? response.writeHead(count === 1 ? 503 : 429, { 'retry-after': '7' }).end() : serve(request, response, content)));
  const clock = quickClock();
  t.match(await run(context(t, { clock }), `${url}/a`), { digest: sumOf(content) });
  t.same(clock.slept, [7000, 7000]);
  t.equal(seen.length, 3);
  const forbidden = await oddServer(t, (_request, response) => response.writeHead(403).end());
  await t.rejects(run(context(t), `${forbidden.url}/a`), { code: 'DownloadFailed', transient: false, message: /status 403$/, hint: /credentials/ });
  t.equal(forbidden.seen.length, 1);
  const down = await oddServer(t, (_request, response) => response.writeHead(502).end());
  const patient = quickClock();
  await t.rejects(run(context(t, { clock: patient }), `${down.url}/a`), { code: 'DownloadFailed', transient: true });
  t.same(patient.slept, [500, 1000, 2000, 4000]);
});

t.test('redirects are followed, and a circle is left', async (t) => {
  const { url } = await oddServer(t, (request, response) => {
    if (request.url === '/a') response.writeHead(302, { location: '/b' }).end();
    else if (request.url === '/b') response.writeHead(307, { location: `${url}/c` }).end();
    else if (request.url === '/c') serve(request, response, content);
    else if (request.url === '/circle') response.writeHead(301, { location: '/circle' }).end();
    else response.writeHead(301, { location: `${request.url}/again` }).end();
  });
  t.match(await run(context(t), `${url}/a`), { digest: sumOf(content), url: `${url}/a` });
  await t.rejects(run(context(t), `${url}/circle`), { code: 'DownloadFailed', message: /: it redirects in a circle$/ });
  await t.rejects(run(context(t), `${url}/maze`), { code: 'DownloadFailed', message: /: it redirects more than 10 times$/ });
});

t.test('a password goes to its own host only, and neither it nor a token is ever shown', async (t) => {
  const other = await oddServer(t, (request, response) => serve(request, response, content));
  const { url, seen } = await oddServer(t, (_request, response) => response.writeHead(302, { location: `${other.url}/b?signature=hidden` }).end());
  const ctx = context(t);
  const withPassword = (at: string) => `${at.replace('//', '//me:hid%2Fden@')}/a.iso?token=hidden`;
  const output = await run(ctx, withPassword(url));
  t.equal(seen[0]?.headers.authorization, `Basic ${Buffer.from('me:hid/den').toString('base64')}`);
  t.equal(seen[0]?.path, '/a.iso?token=hidden');
  t.equal(other.seen[0]?.headers.authorization, undefined);
  const failing = await oddServer(t, (_request, response, count) => (count === 1 ? response.destroy() : response.writeHead(401).end()));
  const error = await run(ctx, withPassword(failing.url), 'none').then(() => undefined, (reason: Error) => reason);
  t.match(error, { message: /\/a\.iso\?… could not be downloaded: the server answered with status 401/ });
  const stored = readdirSync(ctx.run.cache, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile() && entry.name.endsWith('.json')).map((entry) => readFileSync(join(entry.parentPath, entry.name), 'utf8'));
  t.notMatch(JSON.stringify([output, ctx.logged, error?.message, error?.stack, stored, cached(ctx)]), /hidden|hid%2Fden|hid\/den/);
});

t.test('a server that falls silent is left', async (t) => {
  const { url, seen } = await oddServer(t, (_request, response, count) => {
    if (count > 1) response.writeHead(404).end();
    else response.writeHead(200, { 'content-length': '100' }).write('some');
  });
  await t.rejects(run(context(t), `${url}/a`, sha256, 100), { message: /status 404/ });
  t.equal(seen.length, 2);
});

t.test('a cancelled download stops at once and can be gone on with', async (t) => {
  const abort = new AbortController();
  const reason = new Error('stop');
  const { url } = await oddServer(t, (_request, response) => { response.writeHead(200, { 'content-length': '100', 'etag': '"1"' }).write('some', () => setImmediate(() => abort.abort(reason))); });
  const ctx = context(t, { signal: abort.signal });
  await t.rejects(run(ctx, [`${url}/a`, `${url}/b`]), reason);
  t.match(cached(ctx), [/\.part$/]);
});

t.test('a local file is used where it is, and verified once as long as it stays as it is', async (t) => {
  const ctx = context(t);
  const path = join(ctx.run.project, 'disk.img');
  writeFileSync(path, content);
  t.same(await run(ctx, 'disk.img'), { file: path, size: content.length, digest: sumOf(content), url: 'disk.img' });
  t.equal(ctx.progressed.at(-1)?.label, 'verify');
  ctx.progressed.length = 0;
  t.match(await run(ctx, `file://${path}`), { file: path });
  t.same(ctx.progressed, [], 'it was not read again');
  const { atime, mtime } = statSync(path);
  writeFileSync(path, noise(content.length, 'other'));
  utimesSync(path, atime, mtime);
  await t.rejects(run(ctx, 'disk.img'), { code: 'ChecksumMismatch', hint: /left as it was/ });
  t.ok(existsSync(path));
  t.match(await run(ctx, 'disk.img', 'none'), { digest: sumOf(noise(content.length, 'other')) });
  t.same(cached(ctx), []);
});

t.test('what is no file is said', async (t) => {
  const ctx = context(t);
  mkdirSync(join(ctx.run.project, 'folder'));
  await t.rejects(run(ctx, 'folder'), { code: 'NotAFile', message: /is a folder$/ });
  await t.rejects(run(ctx, '/dev/null', 'none'), { code: 'NotAFile' });
  await t.rejects(run(ctx, 'nothing'), { code: 'FileNotFound', hint: /relative paths/ });
});

t.test('where nothing can be kept, a local file is verified all the same', async (t) => {
  const ctx = context(t);
  writeFileSync(join(ctx.run.project, 'disk.img'), content);
  mkdirSync(ctx.run.cache, { recursive: true });
  symlinkSync('/proc/nothing', join(ctx.run.cache, 'sums'));
  t.match(await run(ctx, 'disk.img'), { digest: sumOf(content) });
});

t.test('late values are checked before the first step', async (t) => {
  const { check } = downloadHandler();
  const ctx = context(t);
  await t.rejects(check!({ urls: ['ftp://host/a'], checksum: 'none' }, ctx), { code: 'InvalidUrl' });
  await t.rejects(check!({ urls: ['a'], checksum: 'sha1:1' }, ctx), { code: 'InvalidChecksum' });
  await t.resolves(check!({ urls: ['a', 'https://host/b'], checksum: 'none' }, ctx));
});
