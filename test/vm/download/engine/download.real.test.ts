import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync, readFileSync } from 'node:fs';
import { createServer, request as forward } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import { connect, createServer as createTcpServer, type AddressInfo } from 'node:net';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import t, { type Test } from 'tap';
import { downloadHandler } from '../../../../lib/vm/download/engine/download-handler.js';
import { need } from '../../../support/need.js';
import { stepContext } from '../../../support/step-context.js';
import { noise, oddServer, serve, sumOf } from './odd-server.js';

const content = noise(2 * 1024 * 1024);
const script = fileURLToPath(new URL('download-once.ts', import.meta.url));

/** A download in a process of its own, with what it said so far. */
function download(t: Test, cache: string, url: string, env: Readonly<Record<string, string>> = {}): { readonly child: ChildProcess; readonly said: string[]; readonly end: Promise<unknown>; readonly says: (pattern: RegExp) => Promise<void> } {
  const child = spawn(process.execPath, ['--import=tsx', script, cache, url, `sha256:${sumOf(content)}`], { stdio: ['ignore', 'pipe', 'pipe'], env: { ...process.env, ...env } });
  const said: string[] = [];
  child.stderr!.on('data', (chunk) => said.push(String(chunk)));
  const lines = createInterface(child.stdout!);
  lines.on('line', (line) => said.push(line));
  t.teardown(() => child.kill('SIGKILL'));
  return {
    child, said, end: once(child, 'close'),
    async says(pattern) {
      while (!said.some((line) => pattern.test(line))) await once(lines, 'line');
    },
  };
}

/** A proxy as they are found in companies, and what it was asked for. */
async function proxyServer(t: Test): Promise<{ readonly address: string; readonly asked: readonly string[] }> {
  const asked: string[] = [];
  const proxy = createServer((incoming, outgoing) => {
    asked.push(`${incoming.method} ${incoming.url}`);
    forward(incoming.url!, { headers: incoming.headers }, (reply) => { outgoing.writeHead(reply.statusCode!, reply.headers); reply.pipe(outgoing); }).end();
  }).on('connect', (incoming, socket) => {
    asked.push(`CONNECT ${incoming.url}`);
    const [host, port] = incoming.url!.split(':');
    const onward = connect(Number(port), host, () => { socket.write('HTTP/1.1 200 OK\r\n\r\n'); onward.pipe(socket); socket.pipe(onward); });
    for (const end of [socket, onward]) end.on('error', () => { socket.destroy(); onward.destroy(); });
  });
  proxy.listen(0, '127.0.0.1');
  await once(proxy, 'listening');
  t.teardown(() => { proxy.close(); proxy.closeAllConnections(); });
  return { address: `http://127.0.0.1:${(proxy.address() as AddressInfo).port}`, asked };
}

t.test("a folder served by Python's server, with a list written by sha256sum", async (t) => {
  if (!(await need(t, 'sha256sum'))) return;
  const folder = t.testdir({ images: { 'disk.img': content } });
  const sums = spawn('sh', ['-c', 'sha256sum images/* > SHA256SUMS; sha256sum --tag images/* > BSDSUMS'], { cwd: folder });
  await once(sums, 'close');
  const python = spawn('python3', ['-u', '-m', 'http.server', '--bind', '127.0.0.1', '0'], { cwd: folder, stdio: ['ignore', 'pipe', 'ignore'] });
  t.teardown(() => python.kill());
  const [hello] = await once(createInterface(python.stdout), 'line') as [string];
  const url = /http:\/\/[\d.:]+/.exec(hello)![0];
  const ctx = stepContext(t);
  const first = await downloadHandler().run({ urls: [`${url}/images/missing.img`, `${url}/images/disk.img`], checksum: `file:${url}/BSDSUMS` }, ctx);
  t.match(first, { digest: sumOf(content), url: `${url}/images/disk.img` });
  t.same(await downloadHandler().run({ urls: [`${url}/images/disk.img`], checksum: `file:${url}/SHA256SUMS` }, ctx), first);
  t.match(await downloadHandler().run({ urls: [`${url}/images/disk.img`], checksum: 'none' }, ctx), { file: first.file });
  t.match(await downloadHandler().run({ urls: [`${url}/images/disk.img`], checksum: 'none' }, ctx), { file: first.file });
  t.match(ctx.lines('info').at(-1), /still the latest/, 'Python knows If-Modified-Since');
  const check = spawn('sha256sum', ['--check', '--status'], { stdio: ['pipe', 'inherit', 'inherit'] });
  check.stdin.end(`${first.digest}  ${first.file}\n`);
  t.same(await once(check, 'close'), [0, null]);
});

t.test('processes that want the same file at the same time share one download', async (t) => {
  let release = () => {};
  const gate = new Promise<void>((resolve) => { release = resolve; });
  const { url, seen } = await oddServer(t, (request, response) => void gate.then(() => serve(request, response, content)));
  const cache = t.testdir();
  const all = [1, 2, 3].map(() => download(t, cache, `${url}/a`));
  let waiting = 0;
  await new Promise<void>((resolve) => { // all but the one that downloads
    for (const one of all) void one.says(/waiting for process/).then(() => { if (++waiting === 2) resolve(); });
  });
  release();
  t.same(await Promise.all(all.map(({ end }) => end)), [[0, null], [0, null], [0, null]]);
  t.equal(seen.length, 1);
  t.equal(new Set(all.map(({ said }) => said.at(-1))).size, 1);
});

t.test('after kill -9 another process takes over at once, where the first one was', async (t) => {
  const { url, seen } = await oddServer(t, (request, response, count) => {
    if (count > 1) serve(request, response, content, { etag: '"1"' });
    else response.writeHead(200, { 'content-length': content.length, 'etag': '"1"' }).write(content.subarray(0, 1_000_000));
  });
  const cache = t.testdir();
  const first = download(t, cache, `${url}/a`);
  await first.says(/"current":1000000/);
  const second = download(t, cache, `${url}/a`);
  await second.says(/waiting for process/);
  first.child.kill('SIGKILL');
  t.same(await second.end, [0, null]);
  t.match(JSON.parse(second.said.at(-1)!), { output: { digest: sumOf(content) } });
  t.match(seen, [{ range: undefined }, { range: 'bytes=1000000-', headers: { 'if-range': '"1"' } }]);
  t.same(readdirSync(join(cache, 'downloads')), [`sha256-${sumOf(content)}`]);
});

t.test('proxies of the environment are used, but not for the hosts of NO_PROXY', async (t) => {
  const { url } = await oddServer(t, (request, response) => serve(request, response, content));
  const { asked, address } = await proxyServer(t);
  const before = { ...process.env };
  t.teardown(() => {
    process.env = before;
  });
  process.env['http_proxy'] = address;
  delete process.env['no_proxy'];
  delete process.env['NO_PROXY'];
  t.match(await downloadHandler().run({ urls: [`${url}/a`], checksum: 'none' }, stepContext(t)), { digest: sumOf(content) });
  t.same(asked, [`GET ${url}/a`]);
  process.env['no_proxy'] = '127.0.0.1';
  t.match(await downloadHandler().run({ urls: [`${url}/a`], checksum: 'none' }, stepContext(t)), { digest: sumOf(content) });
  t.equal(asked.length, 1);
});

t.test('TLS is checked, with an authority of the user\'s, and goes through a proxy', async (t) => {
  const folder = t.testdir();
  const [key, certificate] = [join(folder, 'key'), join(folder, 'certificate')];
  const made = spawn('openssl', ['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-days', '2', '-subj', '/CN=test', '-addext', 'subjectAltName=IP:127.0.0.1', '-keyout', key, '-out', certificate], { stdio: 'ignore' });
  t.same(await once(made, 'close'), [0, null]);
  const server = createTlsServer({ key: readFileSync(key), cert: readFileSync(certificate) }, (request, response) => serve(request, response, content)).listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.teardown(() => { server.close(); server.closeAllConnections(); });
  const url = `https://127.0.0.1:${(server.address() as AddressInfo).port}/a`;
  await t.rejects(downloadHandler().run({ urls: [url], checksum: 'none' }, stepContext(t)), { code: 'DownloadFailed', transient: false, message: /self-signed certificate$/, hint: /NODE_EXTRA_CA_CERTS/ });
  const { asked, address } = await proxyServer(t);
  const { said, end } = download(t, folder, url, { NODE_EXTRA_CA_CERTS: certificate, https_proxy: address, no_proxy: '' });
  t.same(await end, [0, null]);
  t.match(JSON.parse(said.at(-1)!), { output: { digest: sumOf(content) } });
  t.same(asked, [`CONNECT ${new URL(url).host}`]);
  const other = download(t, join(folder, 'other'), url.replace('127.0.0.1', 'localhost'), { NODE_EXTRA_CA_CERTS: certificate, https_proxy: address, no_proxy: '' });
  t.same(await other.end, [1, null]);
  t.match(other.said.join(), /Host: localhost\. is not /);
});

t.test('a server that closes the connection under a slow reader is no trouble', async (t) => {
  const server = createTcpServer((socket) => {
    socket.on('error', () => {}).once('data', () => socket.end(Buffer.concat([Buffer.from(`HTTP/1.0 200 OK\r\nContent-Length: ${content.length}\r\n\r\n`), content])));
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.teardown(() => server.close());
  for (let round = 0; round < 20; round++) {
    t.match(await downloadHandler().run({ urls: [`http://127.0.0.1:${(server.address() as AddressInfo).port}/a`], checksum: `sha256:${sumOf(content)}` }, stepContext(t)), { digest: sumOf(content) });
  }
});

t.test('a full disk is said, and what is there stays for later', async (t) => {
  if (!(await need(t, 'tmpfs'))) return;
  const { url } = await oddServer(t, (request, response) => serve(request, response, content));
  const folder = t.testdir();
  const command = `mount -t tmpfs -o size=1m none ${folder} && exec ${process.execPath} --import=tsx ${script} ${folder} ${url}/a sha256:${sumOf(content)}`;
  const child = spawn('unshare', ['--mount', 'sh', '-c', command], { stdio: ['ignore', 'ignore', 'pipe'] });
  let errors = '';
  child.stderr.on('data', (chunk) => { errors += String(chunk); });
  const [code] = await once(child, 'close') as [number];
  t.not(code, 0);
  t.match(errors, /DiskFull/);
  t.match(errors, /there is no space left to write .*downloads/);
});
