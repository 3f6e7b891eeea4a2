import * as z from 'zod';
import { BakeError } from '../../core/bake-error.js';
import type { Connection } from '../../core/communicator.js';

const schema = z.strictObject({
  kind: z.literal('docker-exec'),
  container: z.string().min(1),
  user: z.string().optional(),
  workdir: z.string().optional(),
  env: z.record(z.string(), z.string()).optional(),
  pty: z.boolean().optional(),
  fixUploadOwner: z.boolean().optional(),
  tmpfs: z.array(z.string()).optional(),
});

/** How to reach a container. */
export type DockerExecConnection = Connection & {
  readonly kind: 'docker-exec';
  /** Id or name. */
  readonly container: string;
  /** Who runs the commands and owns what is uploaded: `name`, `uid`, `name:group`. @default - root */
  readonly user?: string;
  /** Where commands start, and where relative paths do. @default - `/` */
  readonly workdir?: string;
  /** Environment of every command; in a handle, secrets stand here by reference. */
  readonly env?: Readonly<Record<string, string>>;
  /** Gives a pseudo terminal to each command that gets no input. @default false */
  readonly pty?: boolean;
  /** Whether uploads belong to `user`; else to the ids that the files have here. @default true */
  readonly fixUploadOwner?: boolean;
  /** Folders that are memory file systems: the engine's archive calls do not see them, so uploads take another way. */
  readonly tmpfs?: readonly string[];
};

/** @throws BakeError `InvalidConnection` */
export function parseDockerExecConnection(connection: Connection): DockerExecConnection {
  const result = schema.safeParse(connection);
  if (result.success) return result.data as DockerExecConnection;
  const [issue] = result.error.issues;
  throw new BakeError({ code: 'InvalidConnection', source: 'bake', message: `not a docker-exec connection: ${issue?.path.join('.') ?? ''}: ${issue?.message ?? ''}` });
}
