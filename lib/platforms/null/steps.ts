import * as z from 'zod';
import { localConnection } from '../../communicators/local/connection.js';
import { sshConnectionSchema } from '../../communicators/ssh/connection.js';
import type { Connection } from '../../core/communicator.js';
import { defineStepKind } from '../../plan/step-kind.js';

const connection = z.discriminatedUnion('kind', [sshConnectionSchema, localConnection]);

/** A machine as it is: nothing is started, and what is removed at the end is the connection to it. */
export const nullMachine = defineStepKind({
  kind: 'null.machine',
  type: 'resource',
  noun: 'connection',
  version: 1,
  // Nobody knows what else becomes of the machine.
  cache: false,
  spec: z.strictObject({
    // The handler only hands it on, secrets unresolved: all that it may know of it is that it is a connection.
    connection: connection as unknown as z.ZodType<Connection>,
  }),
  opaque: ['connection'],
  outputs: ['connection', 'sshPrivateKeyFile'],
});

/** The place of the machine in a build that has none. */
export const nullNowhere = defineStepKind({
  kind: 'null.nowhere',
  type: 'action',
  version: 1,
  cache: false,
  spec: z.strictObject({}),
  outputs: [],
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
