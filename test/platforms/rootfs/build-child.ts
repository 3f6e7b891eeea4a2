// A whole build in a process of its own, for tests that kill it or run it as somebody else.
// Arguments: project, base (a path, or `suite:<name>`), command for the machine, output path.
import { openChroot } from '../../../lib/communicators/chroot/engine/open-chroot.js';
import { directoryHandler } from '../../../lib/platforms/rootfs/engine/directory-handler.js';
import { linuxRootfs as port } from '../../../lib/platforms/rootfs/engine/linux/linux-rootfs.js';
import { machineHandler } from '../../../lib/platforms/rootfs/engine/machine-handler.js';
import { sealHandler } from '../../../lib/platforms/rootfs/engine/seal-handler.js';
import { tarballHandler } from '../../../lib/platforms/rootfs/engine/tarball-handler.js';
import { treeHandler } from '../../../lib/platforms/rootfs/engine/tree-handler.js';
import { stepContext, type TestContext } from './step-context.js';
import { BakeError } from '../../../lib/core/bake-error.js';

const [project = '', base = '', command = 'true', path = 'out.tar'] = process.argv.slice(2);
const clampTime = 946_684_800;
const say = (line: string) => process.stdout.write(`${line}\n`);
const context = (name: string): TestContext => ({ ...stepContext({ project, name }), log: (line) => say(`log ${line}`) });

try {
  const spec = base.startsWith('suite:') ? { suite: base.slice('suite:'.length), variant: 'minbase' as const, clampTime } : { tarball: base, clampTime };
  const trees = treeHandler(port);
  const machines = machineHandler(port);
  await trees.check!(spec, context('tree'));
  say('at tree');
  const { tree, ...rest } = await trees.acquire(spec, context('tree'));
  say('at machine');
  const machine = await machines.acquire({ tree, hostname: 'localhost', clampTime }, context('machine'));
  say('at command');
  const host = context('command');
  const communicator = await openChroot(machine.connection, { exec: host.exec, clock: host.clock, signal: host.signal, tmp: project, log: host.log });
  const { code } = await communicator.exec({ command, onStdout: (line) => say(`out ${line}`), onStderr: (line) => say(`out ${line}`) });
  say(`code ${code}`);
  await communicator.close();
  say('at seal');
  await sealHandler(port).run({ tree, init: machine.init, initStart: machine.initStart, cleanPackageCache: true, clearLogs: true }, context('seal'));
  say('at output');
  const output = path.endsWith('.tar') ? tarballHandler(port) : directoryHandler(port);
  await output.acquire({ tree, path, clampTime }, context('output'));
  say('at end');
  await machines.release(machine, context('machine'));
  say('at removal');
  await trees.release({ tree, ...rest }, context('tree'));
  say('done');
} catch (error) {
  const { code, message, hint } = BakeError.from(error);
  say(`error ${JSON.stringify({ code, message, hint })}`);
  process.exitCode = 1;
}
