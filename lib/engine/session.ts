import type { Readable } from 'node:stream';
import * as z from 'zod';
import { BakeError } from '../core/bake-error.js';
import type { Communicator, RemoteResult } from '../core/communicator.js';
import type { Terminal } from '../core/terminal.js';
import { late } from '../plan/late.js';
import { defineStepKind } from '../plan/step-kind.js';
import type { Extension } from './extension.js';
import type { ActionHandler } from './handler.js';

/** How somebody works in a machine: at a terminal, or with commands that are there already. */
export type Session =
  | { readonly terminal: Terminal }
  | { readonly commands: Readable; readonly onStdout: (line: string) => void; readonly onStderr: (line: string) => void };

/** Lets somebody work in a machine until they leave. @throws BakeError `NoShell` */
export async function work(communicator: Communicator, session: Session, signal: AbortSignal): Promise<RemoteResult> {
  if ('commands' in session) return communicator.exec({ command: '/bin/sh', stdin: session.commands, onStdout: session.onStdout, onStderr: session.onStderr, signal });
  if (communicator.shell !== undefined) return communicator.shell(session.terminal, signal);
  throw new BakeError({ code: 'NoShell', message: `over "${communicator.kind}" a machine can be given commands, but no terminal`, hint: 'pipe commands into bake shell' });
}

/** The step of a plan in which somebody works in its machine. */
export const sessionStep = defineStepKind({
  kind: 'bake.session', type: 'action', cache: false, version: 1, outputs: [],
  spec: z.strictObject({ connection: late(z.looseObject({ kind: z.string() })) }),
});

/** Knows that step, for one session. */
export function sessionExtension(session: Session, told: { readonly onStart: () => void; readonly onEnd: (result: RemoteResult) => void }): Extension {
  const handler: ActionHandler<{ readonly connection: { readonly kind: string } }, Record<string, never>> = {
    async run({ connection }, ctx) {
      const machine = await ctx.connect(connection);
      told.onStart();
      told.onEnd(await work(machine, session, ctx.signal));
      return {};
    },
  };
  return { name: 'session', steps: [{ kind: sessionStep, load: () => Promise.resolve(handler) }] };
}
