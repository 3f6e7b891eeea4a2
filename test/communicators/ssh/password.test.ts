import { generateKeyPairSync } from 'node:crypto';
import ssh2 from 'ssh2';
import t, { type Test } from 'tap';
import { openSsh, rejection } from './open.js';

const hostKey = ssh2.utils.generateKeyPairSync('ed25519');

t.test('a password logs in, once asked for and once as the answer to a prompt', async (t) => {
  for (const method of ['password', 'keyboard-interactive'] as const) {
    const port = await serve(t, method);
    const right = await openSsh(t, connection(port, { password: 'open sesame' }));
    t.equal((await right.exec({ command: 'anything' })).code, 0, method);
    const error = await rejection(openSsh(t, connection(port, { password: 'wrong' })));
    t.match(error, { code: 'AuthenticationFailed', message: new RegExp(method) });
    t.notMatch(error.message, /wrong|sesame/);
  }
});

t.test('a machine that asks for nothing lets everybody in', async (t) => {
  await openSsh(t, connection(await serve(t, 'none'), {}));
});

t.test('a key and then a password: both are given where both are asked for', async (t) => {
  const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
  const key = privateKey.export({ type: 'pkcs1', format: 'pem' }).toString();
  await openSsh(t, connection(await serve(t, 'publickey,password'), { privateKey: key, password: 'open sesame' }));
});

function connection(port: number, more: object) {
  return { kind: 'ssh', host: '127.0.0.1', port, user: 'somebody', timeout: 5_000, hostKey: { policy: 'publicKey', keys: [hostKey.public] }, ...more };
}

/** A server that takes one way of logging in only, with the password "open sesame", and says that every command succeeds. */
function serve(t: Test, takes: 'password' | 'keyboard-interactive' | 'none' | 'publickey,password'): Promise<number> {
  const server = new ssh2.Server({ hostKeys: [hostKey.private] }, (client) => {
    let hasKey = false;
    client.on('error', () => {}); // a refused client just goes
    client.on('authentication', (attempt) => {
      const offered = takes === 'publickey,password' ? [hasKey ? 'password' : 'publickey'] : [takes];
      if (!offered.includes(attempt.method)) attempt.reject(offered as ssh2.AuthenticationType[]);
      else if (attempt.method === 'password') answer(attempt.password === 'open sesame', attempt, offered);
      else if (attempt.method === 'none') attempt.accept();
      else if (attempt.method === 'publickey' && attempt.signature !== undefined) { hasKey = true; attempt.reject(['password'], true); }
      else if (attempt.method === 'publickey') attempt.accept();
      else if (attempt.method === 'keyboard-interactive') attempt.prompt([{ prompt: 'Password: ', echo: false }], (answers) => answer(answers[0] === 'open sesame', attempt, offered));
    });
    client.on('session', (accept) => {
      accept().on('exec', (accept) => {
        const channel = accept();
        channel.exit(0);
        channel.end();
      });
    });
  });
  t.teardown(() => { server.close(); });
  return new Promise((resolve) => { server.listen(0, '127.0.0.1', () => resolve((server.address() as { port: number }).port)); });
}

function answer(isRight: boolean, attempt: ssh2.AuthContext, offered: readonly string[]): void {
  if (isRight) attempt.accept();
  else attempt.reject(offered as ssh2.AuthenticationType[]);
}
