import * as z from 'zod';
import { BakeError } from '../../core/bake-error.js';
import type { Connection } from '../../core/communicator.js';

const schema = z.strictObject({
  kind: z.literal('chroot'),
  root: z.string().min(1),
  init: z.int().positive(),
  initStart: z.string().min(1),
  rootless: z.boolean(),
  env: z.record(z.string().regex(/^[A-Za-z_]\w*$/), z.string()).optional(),
});

/** How to reach a root tree that a first process holds in namespaces of its own. */
export type ChrootConnection = Connection & {
  readonly kind: 'chroot';
  /** The tree's folder on this computer; for people. */
  readonly root: string;
  /** Process id of the namespaces' first process, as this computer counts. */
  readonly init: number;
  /** When that process started, in clock ticks since boot: tells it from a later one with the same number. */
  readonly initStart: string;
  /** Whether the namespaces include one of users. */
  readonly rootless: boolean;
  /** Environment of every command, on top of PATH, HOME, USER, LOGNAME, SHELL and LANG. */
  readonly env?: Readonly<Record<string, string>>;
};

/** @throws BakeError `InvalidConnection` */
export function parseChrootConnection(connection: Connection): ChrootConnection {
  const result = schema.safeParse(connection);
  if (result.success) return result.data as ChrootConnection;
  const [issue] = result.error.issues;
  throw new BakeError({ code: 'InvalidConnection', source: 'bake', message: `not a chroot connection: ${issue?.path.join('.') ?? ''}: ${issue?.message ?? ''}` });
}
