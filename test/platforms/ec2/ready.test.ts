import t from 'tap';
import { BakeError } from '../../../lib/core/bake-error.js';
import type { Communicator } from '../../../lib/core/communicator.js';
import { FakeEc2 } from '../../../lib/platforms/ec2/engine/fake-ec2.js';
import { readyHandler } from '../../../lib/platforms/ec2/engine/ready-handler.js';
import { regionsOf } from '../../../lib/platforms/ec2/engine/region.js';
import { fakeClock } from '../../engine/fake-world.js';
import { stepContext } from '../../support/step-context.js';

/** A machine that lets somebody in after some keys were sent, and what was done in it. */
async function world(opensAfter: number, refusals: readonly BakeError[] = []) {
  const clock = fakeClock();
  const ec2 = new FakeEc2({ clock });
  const { id } = await ec2.runInstance({ clientToken: 'a', imageId: 'ami-00000001', type: 't3.small', place: {}, securityGroupIds: [], blockDevices: [], metadata: { tokens: 'required' }, tags: {} });
  const sent: string[] = [];
  const commands: string[] = [];
  const left = [...refusals];
  const handler = readyHandler(regionsOf(() => ec2), async (_access, { publicKey }) => {
    const refusal = left.shift();
    if (refusal !== undefined) throw refusal;
    sent.push(publicKey);
  });
  const machine = { exec: async ({ command }: { readonly command: string }) => { commands.push(command); return { code: 0 }; } } as unknown as Communicator;
  const connect = async (_connection: unknown, signal?: AbortSignal) => {
    while (sent.length < opensAfter) {
      signal?.throwIfAborted();
      await clock.sleep(500);
    }
    return machine;
  };
  const run = (test: Parameters<typeof stepContext>[0], key?: string) => handler.run({ access: {}, instanceId: id, connection: { kind: 'ssh' }, ...(key === undefined ? {} : { sentKey: { user: 'admin', publicKey: key } }) }, { ...stepContext(test, { clock }), connect });
  return { run, sent, commands };
}

t.test('a key counts for a minute, so it is sent until somebody is let in; then it is let in for good', async (t) => {
  const { run, sent, commands } = await world(3);
  await run(t, "ssh-ed25519 AAAA it's");
  t.ok(sent.length >= 3 && sent.length < 6, String(sent.length));
  t.match(commands, ['exit 0', /echo 'ssh-ed25519 AAAA it'\\''s' >> "\$HOME\/\.ssh\/authorized_keys"/]);
});

t.test('without one nothing is sent and nothing written', async (t) => {
  const { run, sent, commands } = await world(0);
  await run(t);
  t.same([sent, commands], [[], ['exit 0']]);
});

t.test('a machine that takes no key yet is asked again; who may not send one is told at once', async (t) => {
  const early = await world(1, [new BakeError({ code: 'Ec2NotFound', message: 'not yet' })]);
  await early.run(t, 'ssh-ed25519 AAAA');
  t.ok(early.sent.length > 0);
  const denied = await world(1, [new BakeError({ code: 'Ec2Denied', message: 'these credentials may not call ec2-instance-connect:SendSSHPublicKey' })]);
  await t.rejects(denied.run(t, 'ssh-ed25519 AAAA'), { code: 'Ec2Denied' });
});
