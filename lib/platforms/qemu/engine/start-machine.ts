import { copyFile, mkdir, rm, stat } from 'node:fs/promises';
import { createServer } from 'node:net';
import { join, resolve } from 'node:path';
import { BakeError } from '../../../core/bake-error.js';
import { sha256 } from '../../../core/json.js';
import { shellQuote } from '../../../core/quote.js';
import type { ExecResult } from '../../../core/ports.js';
import type { StepContext } from '../../../engine/handler.js';
import type { MachineSpec } from '../steps.js';
import { machineArguments, type MachineFacts } from './arguments.js';
import { makeControlFolder } from './control-folder.js';
import { prepareFirmware } from './firmware.js';
import { untilMigrated } from './machine-checkpoint.js';
import { Qmp, type QmpAddress } from './qmp.js';
import { writeSystemdKeys } from './systemd-keys.js';
import { startTpm } from './tpm.js';

export interface StartedMachine {
  readonly folder: string;
  readonly qmp: QmpAddress;
  readonly hostPort: number | undefined;
  /** The port of this computer for each published port of the machine. */
  readonly ports: Readonly<Record<string, number>>;
  readonly serialLog: string;
  readonly macAddress: string;
  /** Where the screen can be watched: `127.0.0.1:5901`. */
  readonly vnc: string | undefined;
  readonly efiVars: string | undefined;
}

/** Where a machine that was saved is brought back from. */
export interface Resumption {
  /** QEMU's own state of it. */
  readonly memory: string;
  /** The variables of its firmware. */
  readonly efiVars?: string;
}

/** How often a port that another program took in between is chosen anew. */
const portAttempts = 5;

/**
 * Starts a virtual machine, which then lives until somebody ends it.
 * @throws BakeError `FirmwareNotFound`, `PortInUse`, `FileNotFound`, `MachineStartFailed`
 */
export async function startMachine(spec: MachineSpec, resumption: Resumption | undefined, ctx: StepContext): Promise<StartedMachine> {
  const paths = withAbsolutePaths(spec, ctx.run.project);
  await requireFiles(paths);
  const folder = await makeControlFolder(ctx.token);
  await mkdir(ctx.run.logs, { recursive: true, mode: 0o700 });
  const firmware = await prepareFirmware(spec, folder, ctx);
  if (firmware !== undefined && resumption?.efiVars !== undefined) await copyFile(resumption.efiVars, firmware.vars);
  const systemdKeys = spec.systemdKeys === undefined ? undefined : await writeSystemdKeys(spec.systemdKeys, folder);
  const tpmSocket = spec.tpm === undefined ? undefined : await startTpm(folder, spec.tpm, ctx);
  const serialLog = join(ctx.run.logs, `${ctx.step.id.replaceAll(/[^A-Za-z0-9._-]+/g, '-')}.serial.log`);
  await rm(serialLog, { force: true });
  for (let attempt = 1; ; attempt++) {
    const hostPort = spec.netBridge === undefined ? spec.hostPort ?? await freePort() : undefined;
    const qmp = process.platform === 'win32' ? await freePort() : join(folder, 'qmp');
    const macAddress = spec.macAddress ?? macAddressOf(ctx.token);
    const ports: Record<string, number> = {};
    for (const port of spec.publish ?? []) ports[port] = await freePort();
    const facts: MachineFacts = { qmp, name: ctx.token, serialLog, hostPort, ports, firmware, tpmSocket, systemdKeys, macAddress };
    try {
      const vnc = await launch(paths, facts, resumption, ctx);
      return { folder, qmp, hostPort, ports, serialLog, macAddress, vnc, efiVars: firmware?.vars };
    } catch (error) {
      if (!(BakeError.is(error) && error.code === 'PortInUse') || spec.hostPort !== undefined || attempt === portAttempts) throw error;
    }
  }
}

/** Starts QEMU and waits for its greeting, or until the machine goes on; returns where the screen is shown. */
async function launch(spec: MachineSpec, facts: MachineFacts, resumption: Resumption | undefined, ctx: StepContext): Promise<string | undefined> {
  const starting = new AbortController();
  const onAbort = () => starting.abort(ctx.signal.reason);
  ctx.signal.throwIfAborted();
  ctx.signal.addEventListener('abort', onAbort, { once: true });
  const args = [...machineArguments(spec, facts), ...(resumption === undefined ? [] : ['-incoming', 'defer'])];
  const running = ctx.exec.run({ command: spec.binary, args, signal: starting.signal, killAfter: 50, onStderr: (line) => ctx.log(line, 'stderr') });
  const ended = running.then((result) => { throw startFailure(spec, facts, result); });
  ended.catch(() => {}); // later on its end is seen by those who talk to it
  try {
    const qmp = await Promise.race([ended, greeting(facts.qmp, ctx, starting.signal)]);
    try {
      if (resumption !== undefined) await Promise.race([ended, resume(qmp, resumption, ctx)]);
      return await setUp(qmp, spec);
    } finally {
      qmp.close();
    }
  } catch (error) {
    starting.abort(error);
    throw error;
  } finally {
    // From here on the machine outlives the step.
    ctx.signal.removeEventListener('abort', onAbort);
  }
}

async function greeting(address: QmpAddress, ctx: StepContext, signal: AbortSignal): Promise<Qmp> {
  for (let delay = 5; ; delay = Math.min(delay * 2, 100)) {
    try {
      return await Qmp.connect(address);
    } catch {
      await ctx.clock.sleep(delay, signal); // its socket is not there yet; if it ended, that is told elsewhere
    }
  }
}

async function resume(qmp: Qmp, { memory }: Resumption, ctx: StepContext): Promise<void> {
  await qmp.execute('migrate-incoming', { uri: `exec:cat ${shellQuote(memory)}` });
  await untilMigrated(qmp, 'the state that was saved of it could not be read', ctx);
  await qmp.execute('cont');
}

async function setUp(qmp: Qmp, { vnc }: MachineSpec): Promise<string | undefined> {
  if (vnc === undefined) return undefined;
  // Not among the arguments, which everybody on this computer can read.
  if (vnc.password !== undefined) await qmp.execute('set_password', { protocol: 'vnc', password: vnc.password });
  const { host, service } = await qmp.execute('query-vnc') as { readonly host: string; readonly service: string };
  return `${host}:${service}`;
}

function startFailure(spec: MachineSpec, { hostPort }: MachineFacts, result: ExecResult): BakeError {
  const output = result.stderr.trim().split('\n').filter((line) => line !== '').slice(-20);
  const reason = output.find((line) => !/warning/i.test(line)) ?? `it ended with ${result.signal ?? result.code}`;
  if (/Could not set up host forwarding rule|Address already in use/i.test(result.stderr)) {
    const ports = [hostPort, ...(spec.forwards ?? []).map(({ hostPort: from, guestPort }) => from ?? guestPort)].filter((port) => port !== undefined);
    return new BakeError({ code: 'PortInUse', source: 'platform', message: `a port of this machine is in use: ${reason.replace(/^\S+: /, '')}`, hint: `free it, or choose another: the machine wants ${ports.join(', ')}`, output });
  }
  return new BakeError({ code: 'MachineStartFailed', source: 'platform', message: `QEMU did not start: ${reason}`, hint: 'the line above is QEMU\'s own; look at "qemuArgs", "machine", "cpu" and "netDevice" first', output });
}

/** Paths in a spec start at the project, and QEMU's own start elsewhere. */
function withAbsolutePaths(spec: MachineSpec, project: string): MachineSpec {
  const { kernel, netboot, firmware, cds, seed, floppy } = spec;
  const at = (path: string) => resolve(project, path);
  return {
    ...spec,
    ...(cds === undefined ? {} : { cds: cds.map(at) }),
    ...(seed === undefined ? {} : { seed: at(seed) }),
    ...(floppy === undefined ? {} : { floppy: at(floppy) }),
    ...(kernel === undefined ? {} : { kernel: { ...kernel, kernel: at(kernel.kernel), ...(kernel.initrd === undefined ? {} : { initrd: at(kernel.initrd) }) } }),
    ...(netboot === undefined ? {} : { netboot: { ...netboot, folder: at(netboot.folder) } }),
    firmware: { ...firmware, ...(firmware.code === undefined ? {} : { code: at(firmware.code) }) },
  };
}

async function requireFiles({ cds = [], seed, floppy, kernel, netboot }: MachineSpec): Promise<void> {
  for (const path of [...cds, seed, floppy, kernel?.kernel, kernel?.initrd, netboot?.folder]) {
    if (path === undefined || await stat(path).then(() => true, () => false)) continue;
    throw new BakeError({ code: 'FileNotFound', message: `there is no file ${path}`, hint: 'a relative path starts at the folder of image.ts' });
  }
}

/** A port of this computer that nobody listens on. Another program may take it before QEMU does. */
function freePort(): Promise<number> {
  return new Promise((done, reject) => {
    const server = createServer();
    server.on('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const { port } = server.address() as { readonly port: number };
      server.close(() => done(port));
    });
  });
}

/** QEMU's own prefix, and the rest from the token: two machines on one bridge never have the same. */
function macAddressOf(token: string): string {
  return `52:54:00:${sha256(token).slice(0, 6).match(/../g)!.join(':')}`;
}
