import { z } from 'zod';
import { localConnection } from '../../communicators/local/connection.js';
import { sshConnectionSchema } from '../../communicators/ssh/connection.js';
import type { Connection } from '../../core/communicator.js';
import { defineStepKind } from '../../plan/step-kind.js';

/** No way into a machine: a step that asks for one gets the error `NoCommunicator`. */
export const noConnection = z.strictObject({ kind: z.literal('none') });

const connection = z.discriminatedUnion('kind', [sshConnectionSchema, localConnection, noConnection]);

/** The machine as it is: nothing is started, so nothing is removed. */
export const nullMachine = defineStepKind({
  kind: 'null.machine',
  type: 'resource',
  version: 1,
  spec: z.strictObject({
    // The handler only hands it on, secrets unresolved: all that it may know of it is that it is a connection.
    connection: connection as unknown as z.ZodType<Connection>,
  }),
  opaque: ['connection'],
  outputs: ['connection', 'sshPrivateKeyFile'],
});

/** What a build that exports nothing ends in. */
export const nullArtifact = defineStepKind({
  kind: 'null.artifact',
  type: 'action',
  version: 1,
  spec: z.strictObject({}),
  outputs: ['artifact'],
});

export type NullMachineSpec = z.output<(typeof nullMachine)['spec']>;
