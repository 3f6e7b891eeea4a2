import { loginFilesOf, withAbsolutePaths } from '../../../communicators/ssh/absolute-paths.js';
import { BakeError } from '../../../core/bake-error.js';
import type { Connection } from '../../../core/communicator.js';
import type { JsonObject } from '../../../core/json.js';
import type { ResourceHandler } from '../../../engine/handler.js';
import type { NullMachineSpec } from '../steps.js';
import type { LoginFiles } from './login-files.js';

/** The step's outputs. Secrets stand in `connection` as references, because handles are journalled. */
export interface NullMachineHandle extends JsonObject {
  readonly connection: Connection;
}

/**
 * The machine is there already, so `acquire` makes nothing and `release` has nothing to remove. A platform that starts
 * something stamps it with `ctx.token` as it does so, finds it by that token alone, and waits in `release` until it is gone.
 */
export function machineHandler(files: LoginFiles): ResourceHandler<NullMachineSpec, NullMachineHandle> {
  return {
    async check({ connection }, ctx) {
      await checkLoginFiles(withAbsolutePaths(connection, ctx.run.project), files);
    },
    async acquire(spec, ctx) {
      const connection = withAbsolutePaths(spec.connection, ctx.run.project);
      const { privateKeyFile } = connection as JsonObject;
      if (connection.kind === 'local') return { connection: { cwd: ctx.run.project, ...connection } };
      return { connection, ...(privateKeyFile === undefined ? {} : { sshPrivateKeyFile: privateKeyFile }) };
    },
    async find() {
      return undefined;
    },
    async release() {},
  };
}

/** Says before the run starts what a login would say in the middle of it. */
async function checkLoginFiles(connection: Connection, files: LoginFiles): Promise<void> {
  for (const { path, holdsSecret } of loginFilesOf(connection)) {
    const file = await files.look(path);
    if (file === undefined || !file.isFile) {
      throw new BakeError({
        code: holdsSecret ? 'KeyFileUnreadable' : 'KnownHostsUnreadable',
        message: `the ${holdsSecret ? 'key' : 'known_hosts'} file ${path} ${file === undefined ? 'does not exist' : 'is not a file'}`,
        hint: 'create it, or correct the path; relative paths start at the folder of image.ts',
      });
    }
    if (holdsSecret && !file.isPrivate) {
      throw new BakeError({ code: 'KeyFileTooOpen', message: `the key file ${path} can be read by others`, hint: `chmod 600 ${path}` });
    }
  }
}
