import type { Test } from 'tap';
import type { ProfilePort } from '../../../lib/platforms/ec2/engine/profile-port.js';

const signal = new AbortController().signal;
const policy = JSON.stringify({ Version: '2012-10-17', Statement: [{ Effect: 'Allow', Action: 's3:GetObject', Resource: '*' }] });

/** What every `ProfilePort` promises. */
export async function profileContract(t: Test, profiles: ProfilePort, managedPolicies: readonly string[]): Promise<void> {
  const name = `bake-contract-${process.pid}`;
  const request = { name, policy, managedPolicies, tags: { 'bake:run': 'r' } };
  t.equal(await profiles.exists(name, signal), false);
  await profiles.create(request, signal);
  await profiles.create(request, signal); // the first answer was lost
  t.equal(await profiles.exists(name, signal), true);
  t.match((await profiles.list(signal)).find((one) => one.name === name), { tags: { 'bake:run': 'r' } });
  await profiles.remove(name, signal);
  t.equal(await profiles.exists(name, signal), false);
  t.notOk((await profiles.list(signal)).some((one) => one.name === name));
  await profiles.remove(name, signal);
}
