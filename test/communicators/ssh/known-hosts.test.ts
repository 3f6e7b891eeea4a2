import { createHmac } from 'node:crypto';
import t from 'tap';
import { knownHostName, knownKeys } from '../../../lib/communicators/ssh/engine/known-hosts.js';

const keysOf = (text: string, host: string, port = 22) => knownKeys(text, host, port).map(({ key, revoked }) => (revoked ? `revoked ${key}` : key));

t.test('a server is known by its name, with its port unless that is 22', async (t) => {
  const text = 'one,two ssh-ed25519 AAA comment\n[one]:2222 ssh-rsa BBB\nthree ssh-rsa CCC';
  t.strictSame(keysOf(text, 'one'), ['AAA']);
  t.strictSame(keysOf(text, 'TWO'), ['AAA']);
  t.strictSame(keysOf(text, 'one', 2222), ['BBB']);
  t.strictSame(keysOf(text, 'two', 2222), []);
  t.equal(knownHostName('a', 22), 'a');
  t.equal(knownHostName('a', 23), '[a]:23');
});

t.test('several keys, patterns, exceptions and revoked keys are understood', async (t) => {
  const text = '# a comment\n\n*.example.org,!evil.example.org ssh-ed25519 AAA\nweb?.example.org ssh-rsa BBB\n@revoked * ssh-rsa CCC\n@cert-authority * ssh-rsa DDD\nbroken-line';
  t.strictSame(keysOf(text, 'web1.example.org'), ['AAA', 'BBB', 'revoked CCC']);
  t.strictSame(keysOf(text, 'evil.example.org'), ['revoked CCC']);
  t.strictSame(keysOf(text, 'webXexample.org'), ['revoked CCC'], 'a dot is a dot');
});

t.test('hashed names are understood', async (t) => {
  const salt = Buffer.from('twenty bytes of salt');
  const hash = createHmac('sha1', salt).update('[10.0.0.1]:2222').digest('base64');
  const text = `|1|${salt.toString('base64')}|${hash} ssh-ed25519 AAA`;
  t.strictSame(keysOf(text, '10.0.0.1', 2222), ['AAA']);
  t.strictSame(keysOf(text, '10.0.0.1'), []);
});
