// What goes wrong with a machine, and what is said of it.
import { chmodSync, existsSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { bake } from '../../support/bake-cli.js';
import { leftovers } from '../../support/leftovers.js';
import { need } from '../../support/need.js';
import { guestImage } from './guest-image.js';
import { qemuLeftovers } from './qemu-leftovers.js';
import { writeTypingDisk } from './typing-disk.js';

const image = (props: string, seconds: number) => `import { App, Duration, Image, Secret } from 'bake-sdk';
import { HostKey, QemuSource } from 'bake-sdk/qemu';
const image = new Image(new App(), 'Faulty');
new QemuSource(image, 'Vm', {
  disk: 'typing.raw', diskFormat: 'raw', accelerator: 'tcg', output: 'faulty.qcow2', ssh: { password: Secret.insecureLiteral('x'), hostKey: HostKey.insecureAcceptAny(), timeout: Duration.seconds(${seconds}) }, ${props}
});
`;

/** The words of a run that fails, at the latest because nobody could log in for so many seconds, with nothing left of it. */
async function failed(t: Test, props: string, seconds = 2): Promise<string> {
  const project = t.testdir({ 'image.ts': image(props, seconds) });
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

t.test('a kernel that gives up is not waited for', async (t) => {
  if (!(await need(t, 'qemu'))) return;
  const words = await failed(t, "bootCommand: ['---[ end Kernel panic - not syncing: no root ]---<enter>'], bootWait: Duration.seconds(1),", 100);
  t.match(words, /KernelPanic: the kernel of the machine gave up: no root/);
  t.equal(words.match(/▸ .*virtual machine: /g)?.length, 1, 'and not started again');
});

t.test('a machine whose kernel took a late timer for a broken one is replaced, and the build goes on', { timeout: 120_000 }, async (t) => {
  if (!(await need(t, 'qemu'))) return;
  const project = t.testdir({ 'image.ts': await guestImage("qemuBinary: './first-panics.sh',"), 'first-panics.sh': firstPanics });
  chmodSync(join(project, 'first-panics.sh'), 0o755);
  const { code, stdout, stderr } = await bake(project, ['run']);
  t.equal(code, 0, stdout + stderr);
  t.match(stdout + stderr, /its kernel gave up: IO-APIC \+ timer doesn't work/);
  t.same([...leftovers(project), ...qemuLeftovers(project)], []);
});

/** QEMU, whose first machine stands still with the last words of a kernel on its console. */
const firstPanics = `#!/bin/sh
case "$*" in *-chardev*) ;; *) exec qemu-system-x86_64 "$@" ;; esac
if [ -e "$0.done" ]; then exec qemu-system-x86_64 "$@"; fi
: > "$0.done"
for argument; do case "$argument" in file,id=serial0,path=*) log="\${argument#file,id=serial0,path=}" ;; esac; done
(sleep 1; echo "---[ end Kernel panic - not syncing: IO-APIC + timer doesn't work!  Boot with apic=debug and send a report. ]---" > "$log") > /dev/null 2>&1 &
exec qemu-system-x86_64 "$@" -S
`;
