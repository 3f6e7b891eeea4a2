import { mkdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { BakeError } from '../../../core/bake-error.js';
import type { StepContext } from '../../../engine/handler.js';

/** Starts an emulated TPM, which ends when QEMU lets go of it; returns its socket. @throws BakeError `CommandNotFound`, `TpmStartFailed` */
export async function startTpm(folder: string, version: '1.2' | '2.0', ctx: StepContext): Promise<string> {
  const state = join(folder, 'tpm');
  const socket = join(folder, 'tpm.socket');
  await mkdir(state, { mode: 0o700 });
  const running = ctx.exec.run({
    command: 'swtpm',
    args: ['socket', '--tpmstate', `dir=${state}`, '--ctrl', `type=unixio,path=${socket}`, '--terminate', ...(version === '2.0' ? ['--tpm2'] : [])],
  }).catch((error: unknown) => {
    if (!BakeError.is(error) || error.code !== 'CommandNotFound') throw error;
    throw new BakeError({ code: 'CommandNotFound', message: 'a machine with a TPM needs the program swtpm, which is not on this machine', hint: 'apt-get install swtpm, or "bake setup --optional"', cause: error });
  });
  let failure: unknown;
  running.then(({ stderr, code }) => { failure = new BakeError({ code: 'TpmStartFailed', source: 'platform', message: `swtpm ended with ${code}: ${stderr.trim()}` }); }, (error: unknown) => { failure = error; });
  for (let delay = 5; ; delay = Math.min(delay * 2, 100)) {
    if (failure !== undefined) throw failure;
    if (await stat(socket).then(() => true, () => false)) return socket;
    await ctx.clock.sleep(delay, ctx.signal);
  }
}
