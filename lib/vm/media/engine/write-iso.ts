import { BakeError } from '../../../core/bake-error.js';
import type { Exec } from '../../../core/ports.js';
import type { StepContext } from '../../../engine/handler.js';
import { firstLine } from './first-line.js';
import { type IsoTool, isoTools } from './iso-tools.js';
import type { MediumPlace } from './medium-handler.js';
import { type MediumEntry, writeTree } from './medium-tree.js';
import { runTool } from './run-tool.js';

/** Makes an ISO image of what a CD is to hold. @throws BakeError `IsoToolNotFound`, `MediumNotMade`, `DiskFull` */
export async function writeIso(ctx: StepContext, label: string, entries: readonly MediumEntry[], { tree, image }: MediumPlace): Promise<void> {
  const { tool } = await findIsoTool(ctx.exec, ctx.signal);
  await writeTree(tree, entries);
  await runTool(ctx, image, { command: tool.command, ...tool.make(label, tree, image) });
}

/** The first program that is on this computer and what it says it is. @throws BakeError `IsoToolNotFound` */
export async function findIsoTool(exec: Exec, signal?: AbortSignal): Promise<{ tool: IsoTool; version: string }> {
  for (const tool of isoTools) {
    const version = await firstLine(exec, { command: tool.command, args: tool.probe, ...(signal === undefined ? {} : { signal }) });
    if (version !== undefined) return { tool, version };
  }
  throw new BakeError({
    code: 'IsoToolNotFound',
    message: `making a CD needs one of ${isoTools.map(({ command }) => command).join(', ')}, and none is on this computer`,
    hint: 'install xorriso: "apt-get install xorriso", "dnf install xorriso" or "brew install xorriso"; on Windows, Oscdimg of the Windows ADK',
  });
}
