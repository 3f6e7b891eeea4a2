import { execFileSync } from 'node:child_process';
import { access, mkdir, readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import t from 'tap';
import { keyPairHandler } from '../../../lib/communicators/ssh/engine/key-pair-handler.js';
import { HostKey } from '../../../lib/communicators/ssh/host-key.js';
import { planKeyPair } from '../../../lib/communicators/ssh/key-pair.js';
import { sshKeyPair, type SshKeyPairSpec } from '../../../lib/communicators/ssh/steps.js';
import type { BuildPlanner, CompiledStep } from '../../../lib/image/compile.js';
import { Ref } from '../../../lib/image/ref.js';
import { need } from '../../support/need.js';
import { startSshd } from '../../support/sshd.js';
import { stepContext } from '../../support/step-context.js';
import { connectionTo, openSsh } from './open.js';

const gone = (path: string) => access(path).then(() => false, () => true);

t.test('a key of each kind is one that ssh-keygen knows, and logs in', async (t) => {
  if (!(await need(t, 'sshd'))) return;
  const specs: readonly SshKeyPairSpec[] = [{}, { type: 'ed25519' }, { type: 'ecdsa' }, { type: 'ecdsa', bits: 521 }, { type: 'rsa', bits: 2048 }];
  for (const spec of specs) {
    const ctx = stepContext(t);
    const pair = await keyPairHandler.acquire(sshKeyPair.spec.parse(spec), ctx);
    t.equal((await stat(pair.privateKeyFile)).mode & 0o777, 0o600);
    t.match(await readFile(pair.privateKeyFile, 'utf8'), /^-----BEGIN OPENSSH PRIVATE KEY-----\n/);
    t.equal(execFileSync('ssh-keygen', ['-y', '-f', pair.privateKeyFile], { encoding: 'utf8' }).trim(), pair.publicKey);
    t.match(pair.publicKey, new RegExp(` ${ctx.token}$`));
    t.equal(execFileSync('ssh-keygen', ['-lf', pair.privateKeyFile], { encoding: 'utf8' }).split(' ')[1], pair.fingerprint);
    const sshd = await startSshd({ authorizedKeys: [pair.publicKey] });
    t.teardown(() => sshd.stop());
    await openSsh(t, connectionTo(sshd, { privateKeyFile: pair.privateKeyFile }));
    t.strictSame(await keyPairHandler.find(ctx.token, {}, ctx), pair);
    await keyPairHandler.release(pair, ctx);
    await keyPairHandler.release(pair, ctx);
    t.ok(await gone(pair.privateKeyFile));
    t.equal(await keyPairHandler.find(ctx.token, {}, ctx), undefined);
  }
});

t.test('it serves a machine as its host key', async (t) => {
  if (!(await need(t, 'sshd'))) return;
  const pair = await keyPairHandler.acquire({}, stepContext(t));
  const sshd = await startSshd({ config: [`HostKey ${pair.privateKeyFile}`], hostKeyTypes: ['rsa'] });
  t.teardown(() => sshd.stop());
  await openSsh(t, connectionTo(sshd, { hostKey: { policy: 'publicKey', keys: [pair.publicKey] } }));
  await openSsh(t, connectionTo(sshd, { hostKey: { policy: 'fingerprint', fingerprints: [pair.fingerprint] } }));
});

t.test('of many ed25519 keys each one is whole', async (t) => {
  for (let i = 0; i < 600; i++) {
    const ctx = stepContext(t);
    const { publicKey } = await keyPairHandler.acquire({}, ctx);
    if (publicKey.split(' ')[1]?.length !== 68) t.fail(publicKey);
  }
});

t.test('a half-written key is found and removed', async (t) => {
  const ctx = stepContext(t);
  await mkdir(ctx.run.tmp, { recursive: true });
  await writeFile(join(ctx.run.tmp, 'key'), '-----BEGIN OPENSSH');
  const found = await keyPairHandler.find(ctx.token, {}, ctx);
  t.ok(found);
  await keyPairHandler.release(found!, ctx);
  t.equal(await keyPairHandler.find(ctx.token, {}, ctx), undefined);
});

t.test('the helper plans the step, and its public key may be what the machine must show', (t) => {
  const planned: CompiledStep[] = [];
  const build = { step: (name: string, step: CompiledStep) => {
    planned.push(step);
    return { id: `Web/Qemu/${name}`, ref: (output: string) => new Ref({ step: `Web/Qemu/${name}`, output }) };
  } } as unknown as BuildPlanner;
  const { publicKey, step } = planKeyPair(build, 'HostKeyPair', { type: 'ecdsa', bits: 384 });
  t.equal(step.id, 'Web/Qemu/HostKeyPair');
  t.match(planned, [{ kind: sshKeyPair, spec: { type: 'ecdsa', bits: 384 }, title: 'temporary ecdsa key pair' }]);
  t.strictSame(HostKey.publicKey(publicKey).spec, { policy: 'publicKey', keys: [publicKey] });
  t.notOk(sshKeyPair.spec.safeParse({ type: 'ed25519', bits: 2048 }).success);
  t.end();
});
