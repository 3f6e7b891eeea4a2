import { BakeError } from '../../../core/bake-error.js';
import { diskFull } from '../../../core/disk-error.js';
import type { ExecRequest } from '../../../core/ports.js';
import type { StepContext } from '../../../engine/handler.js';

/** Runs a program that makes an image. @throws BakeError `MediumNotMade` with its last lines, `DiskFull` */
export async function runTool(ctx: StepContext, image: string, request: ExecRequest): Promise<void> {
  const { code, signal, stdout, stderr } = await ctx.exec.run({ ...request, signal: ctx.signal });
  if (code === 0) return;
  const output = `${stdout}\n${stderr}`.split('\n').filter((line) => line.trim() !== '').slice(-20);
  if (output.some((line) => /no space left on device/i.test(line))) throw diskFull(image, `${request.command} said so`);
  const how = code === null ? `was ended by ${signal ?? 'a signal'}` : `failed with exit code ${code}`;
  throw new BakeError({ code: 'MediumNotMade', source: 'platform', message: `${request.command} ${how}: ${output.at(-1)?.trim() ?? 'it said nothing'}`, output });
}
