// What whoever keeps parameters must do, be it the fake, moto or Amazon.
import type { Test } from 'tap';
import type { ParameterPort } from '../../../lib/platforms/ec2/engine/parameter-port.js';

const { signal } = new AbortController();
const text = (value: string) => ({ value, dataType: 'text' });

/** @param name of a parameter that is not there yet */
export async function parameterContract(t: Test, port: ParameterPort, name: string): Promise<void> {
  t.equal(await port.get(name, signal), undefined);
  t.strictSame(await port.history(name, signal), []);
  await port.remove(name, signal);
  await port.put(name, text('first'), signal);
  t.strictSame(await port.get(name, signal), { version: 1, ...text('first') });
  await port.put(name, text('second'), signal);
  t.strictSame(await port.get(name, signal), { version: 2, ...text('second') });
  t.strictSame(await port.history(name, signal), [{ version: 1, ...text('first') }, { version: 2, ...text('second') }], 'oldest first');
  for (let index = 3; index <= 60; index++) await port.put(name, text(`value ${index}`), signal);
  const history = await port.history(name, signal);
  t.equal(history.length, 60, 'more than a page of them');
  t.match(history.at(-1), { version: 60, value: 'value 60' });
  await port.remove(name, signal);
  t.equal(await port.get(name, signal), undefined);
}
