import { randomBytes } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import type ssh2 from 'ssh2';
import t from 'tap';
import { sshConnectionSchema } from '../../../lib/communicators/ssh/connection.js';
import { narrowWindow } from '../../../lib/communicators/ssh/engine/narrow-window.js';
import { Session } from '../../../lib/communicators/ssh/engine/session.js';
import { systemClock } from '../../../lib/toolkit/host/clock.js';
import { need } from '../../support/need.js';
import { startSshd } from '../../support/sshd.js';
import { connectionTo, openSsh, scratch } from './open.js';

const mebibyte = 1024 * 1024;
const windowOf = (channel: object) => (channel as { readonly outgoing: { readonly window: number } }).outgoing.window;
const channelWith = (window: number) => ({ outgoing: { window } }) as unknown as ssh2.ClientChannel;
const clientOf = (server?: string) => ({ _remoteVer: server }) as unknown as ssh2.Client;

t.test('the inside of the library is as it is taken to be, and OpenSSH as well', async (t) => {
  if (!(await need(t, 'sshd'))) return;
  const sshd = await startSshd();
  t.teardown(() => sshd.stop());
  const session = await Session.open(sshConnectionSchema.parse(connectionTo(sshd)), { clock: systemClock, signal: new AbortController().signal, log: () => {} });
  t.teardown(() => session.close());
  const channel = await new Promise<ssh2.ClientChannel>((resolve, reject) => { session.client.exec('wc -c', (error, opened) => { if (error === undefined) resolve(opened); else reject(error); }); });
  t.equal(windowOf(channel), 2 * mebibyte);
  narrowWindow(channel, session.client, 0);
  t.equal(windowOf(channel), mebibyte);
  channel.end(Buffer.alloc(9 * mebibyte));
  let said = '';
  for await (const chunk of channel) said += String(chunk);
  t.equal(said.trim(), String(9 * mebibyte), 'more than the window passes through it');
});

t.test('the window of a far machine and of other servers stays as it is, and so does a small one', async (t) => {
  for (const [server, opening, window, expected] of [
    ['OpenSSH_9.2p1 Debian-2', 5, 2 * mebibyte, mebibyte],
    ['OpenSSH_for_Windows_8.1', 5, 2 * mebibyte, mebibyte],
    ['OpenSSH_9.2p1', 100, 2 * mebibyte, 2 * mebibyte],
    ['OpenSSH_9.2p1', 5, 65_536, 65_536],
    ['AsyncSSH_2.14.2', 5, 2 * mebibyte, 2 * mebibyte],
    ['dropbear_2022.83', 5, 24_576, 24_576],
    [undefined, 5, 2 * mebibyte, 2 * mebibyte],
  ] as const) {
    const channel = channelWith(window);
    narrowWindow(channel, clientOf(server), opening);
    t.equal(windowOf(channel), expected, `${server}, ${opening} ms`);
  }
  t.doesNotThrow(() => narrowWindow({} as ssh2.ClientChannel, clientOf('OpenSSH_9.2p1'), 1), 'a library that looks different inside');
});

t.test('what is much larger than the window arrives, several at a time and read slowly', async (t) => {
  if (!(await need(t, 'sshd'))) return;
  const sshd = await startSshd();
  t.teardown(() => sshd.stop());
  const folder = await scratch(t);
  const ssh = await openSsh(t, connectionTo(sshd));
  const content = randomBytes(6 * mebibyte);
  await Promise.all([1, 2, 3].map((index) => ssh.upload(Readable.from([content.subarray(0, 5), content.subarray(5)]), join(folder, String(index)))));
  for (const index of [1, 2, 3]) t.ok((await readFile(join(folder, String(index)))).equals(content));
  const lines: string[] = [];
  await ssh.exec({ command: 'while head -c 300000 | wc -c | grep -v "^0$"; do :; done', stdin: Readable.from([content]), onStdout: (line) => { lines.push(line); } });
  t.equal(lines.reduce((sum, line) => sum + Number(line), 0), content.length);
});
