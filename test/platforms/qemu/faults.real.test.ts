// What goes wrong with a machine, and what is said of it.
import { existsSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { bake } from '../../support/bake-cli.js';
import { leftovers } from '../../support/leftovers.js';
import { need } from '../../support/need.js';
import { qemuLeftovers } from './qemu-leftovers.js';
import { writeTypingDisk } from './typing-disk.js';

const image = (props: string) => `import { App, Duration, Image, Secret } from 'bake-sdk';
import { HostKey, QemuSource } from 'bake-sdk/qemu';
const image = new Image(new App(), 'Faulty');
new QemuSource(image, 'Vm', {
  disk: 'typing.raw', diskFormat: 'raw', accelerator: 'tcg', output: 'faulty.qcow2', ssh: { password: Secret.insecureLiteral('x'), hostKey: HostKey.insecureAcceptAny(), timeout: Duration.seconds(2) }, ${props}
});
`;

/** The words of a failed run, with nothing left of it. */
async function failed(t: Test, props: string): Promise<string> {
  const project = t.testdir({ 'image.ts': image(props) });
  writeTypingDisk(join(project, 'typing.raw'));
  const { code, stdout, stderr } = await bake(project, ['run']);
  t.not(code, 0, 'it fails');
  t.same([...leftovers(project), ...qemuLeftovers(project)], []);
  return stdout + stderr;
}

t.test('a machine that never lets anybody in: how often was tried, what its console says, what its screen shows', async (t) => {
  if (!(await need(t, 'qemu'))) return;
  const words = await failed(t, `bootCommand: ['nobody home'], bootWait: Duration.seconds(1),`);
  t.match(words, /within 2s: \d+ attempts, the last one ended with/);
  t.match(words, /the serial console ends with:[^]*nobody home/);
  const [, picture = ''] = /the screen is in (\S+\.(?:png|ppm))/.exec(words) ?? [];
  t.ok(existsSync(picture), picture);
});

t.test('a port that is taken, a program and a firmware that are not there', async (t) => {
  if (!(await need(t, 'qemu'))) return;
  const taken = createServer().listen(0, '127.0.0.1');
  await new Promise((resolve) => { taken.once('listening', resolve); });
  t.teardown(() => { taken.close(); });
  const { port } = taken.address() as { readonly port: number };
  const inUse = await failed(t, `hostPort: ${port},`);
  t.match(inUse, /PortInUse/);
  t.match(inUse, new RegExp(`the machine wants ${port}`));

  const noProgram = await failed(t, `qemuBinary: 'qemu-nowhere',`);
  t.match(noProgram, /there is no qemu-nowhere/);
  t.match(noProgram, /apt-get install qemu-system-x86/);
  t.notMatch(noProgram, /virtual machine: .* CPUs/, 'before anything is made');

  t.match(await failed(t, `firmware: { type: 'uefi', code: './nowhere.fd' },`), /FirmwareNotFound: there is no firmware file/);
  t.match(await failed(t, `qemuArgs: [['-device', 'no-such-device']],`), /MachineStartFailed: QEMU did not start: .*no-such-device/);
});
