import { BakeError } from '../core/bake-error.js';
import type { Connection } from '../core/communicator.js';
import { isJsonObject, type JsonObject } from '../core/json.js';
import type { Ledger } from './ledger.js';
import type { Registry } from './registry.js';
import type { StepState } from './run-state.js';
import type { EngineServices } from './services.js';

/** A machine that an ended run has left, and the way into it. */
export interface KeptMachine {
  readonly build: string;
  /** The step that made it, and what that is called. */
  readonly step: string;
  readonly title: string;
  readonly way: { readonly connection: Connection } | { readonly command: string };
}

/** Whether somebody can be let in over the handle's connection. */
export function isEnterable(handle: JsonObject | undefined): handle is JsonObject & { readonly connection: Connection } {
  const connection = handle?.['connection'];
  return isJsonObject(connection) && connection['kind'] !== 'none';
}

/** Why a thing is still there, and how it is entered. */
export async function keptReason({ step, handle }: Pick<StepState, 'step' | 'handle'>, { registry, run }: Pick<EngineServices, 'registry' | 'run'>): Promise<string> {
  const loaded = await registry.handler(step.kind);
  const command = loaded.type === 'resource' && handle !== undefined ? loaded.handler.entry?.(handle) : undefined;
  if (command !== undefined) return `kept as asked; enter it with: ${command}`;
  return isEnterable(handle) ? `kept as asked; enter it with: bake shell ${run.id}` : 'kept as asked';
}

/** What can be entered of what a run still owes: of each build one thing, a machine that runs rather than what it ran on. */
export async function keptMachines({ owed }: Ledger, registry: Registry): Promise<readonly KeptMachine[]> {
  const found = new Map<string, KeptMachine>();
  for (const { begun: { step, kind, title, build }, handle } of owed) {
    if (handle === undefined || registry.endsWithProcess(kind)) continue;
    const facts = { build, step, title };
    if (isEnterable(handle)) {
      found.set(build, { ...facts, way: { connection: handle.connection } });
      continue;
    }
    const loaded = await registry.handler(kind);
    const command = loaded.type === 'resource' ? loaded.handler.entry?.(handle) : undefined;
    if (command !== undefined && !found.has(build)) found.set(build, { ...facts, way: { command } });
  }
  return [...found.values()];
}

/** The one machine, or that of the build that is named. @throws BakeError `NothingKept`, `SeveralKept` */
export function chooseKept(machines: readonly KeptMachine[], run: string, build: string | undefined): KeptMachine {
  const fitting = machines.filter((machine) => build === undefined || machine.build === build);
  const [first] = fitting;
  const names = machines.map((machine) => machine.build).join(', ');
  if (first === undefined) throw new BakeError({ code: 'NothingKept', message: `nothing that can be entered is left of ${build === undefined ? '' : `${build} in `}the run ${run}`, hint: machines.length > 0 ? `there is something of ${names}` : 'a run keeps what a failed build holds with --on-error keep' });
  if (fitting.length > 1) throw new BakeError({ code: 'SeveralKept', message: `the run ${run} left several machines`, hint: `name one: bake shell ${run} ${first.build} (there are ${names})` });
  return first;
}
