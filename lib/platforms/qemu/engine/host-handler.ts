import { access, constants } from 'node:fs/promises';
import { arch } from 'node:os';
import type * as z from 'zod';
import { BakeError } from '../../../core/bake-error.js';
import type { JsonObject } from '../../../core/json.js';
import type { ActionHandler, StepContext } from '../../../engine/handler.js';
import type { Architecture, qemuHost } from '../steps.js';
import { worksWith } from './accelerator-probe.js';
import { recall, remember } from './probe-memory.js';

type HostSpec = z.output<(typeof qemuHost)['spec']>;

interface HostOutput extends JsonObject {
  readonly binary: string;
  readonly version: string;
  /** `kvm`, `hvf`, `whpx` or `tcg`. */
  readonly accelerator: string;
}

const architectureHere = ({ x64: 'x86_64', arm64: 'aarch64' } as Readonly<Record<string, Architecture>>)[arch()];
const acceleratorHere = ({ linux: 'kvm', darwin: 'hvf', win32: 'whpx' } as Readonly<Record<string, string>>)[process.platform];

/** Which QEMU there is, and how fast it can be. */
export const hostHandler: ActionHandler<HostSpec, HostOutput> = {
  async check(spec, ctx) {
    await versionOf(binaryOf(spec), ctx);
  },
  async run(spec, ctx) {
    const binary = binaryOf(spec);
    const version = await versionOf(binary, ctx);
    return { binary, version, accelerator: await acceleratorFor(spec, binary, version, ctx) };
  },
};

export function binaryOf({ binary, architecture }: Pick<HostSpec, 'binary' | 'architecture'>): string {
  return binary ?? `qemu-system-${architecture}`;
}

async function versionOf(binary: string, ctx: Pick<StepContext, 'exec' | 'signal'>): Promise<string> {
  try {
    const { stdout } = await ctx.exec.run({ command: binary, args: ['--version'], signal: ctx.signal });
    return /version (\S+)/.exec(stdout)?.[1] ?? stdout.split('\n')[0]!;
  } catch (error) {
    if (!BakeError.is(error) || error.code !== 'CommandNotFound') throw error;
    throw new BakeError({ code: 'CommandNotFound', message: `QEMU is not on this machine: there is no ${binary}`, hint: 'apt-get install qemu-system-x86 qemu-utils, brew install qemu, or "bake setup --optional"', cause: error });
  }
}

async function acceleratorFor({ accelerator, architecture }: HostSpec, binary: string, version: string, ctx: StepContext): Promise<string> {
  if (accelerator !== 'auto') return accelerator;
  if (architecture !== architectureHere || acceleratorHere === undefined) return 'tcg';
  if (acceleratorHere === 'kvm' && !(await access('/dev/kvm', constants.R_OK | constants.W_OK).then(() => true, () => false))) {
    ctx.log('no KVM: /dev/kvm is not there or not for this user, so the machine is emulated, which is slow', 'info');
    return 'tcg';
  }
  const question = { binary, version, accelerator: acceleratorHere };
  const known = await recall(question, ctx);
  const { works, reason } = known ?? await worksWith(acceleratorHere, binary, architecture, ctx);
  if (known === undefined) await remember(question, { works, reason }, ctx);
  if (works) return acceleratorHere;
  ctx.warn({ code: 'NoAcceleration', message: `${acceleratorHere} is here and does not work: ${reason}`, hint: 'the machine is emulated, which is slow; accelerator: \'tcg\' says so without a warning' });
  return 'tcg';
}
