import { homedir } from 'node:os';
import { join, resolve } from 'node:path';
import type { Connection } from '../../core/communicator.js';
import { isJsonObject, type JsonObject } from '../../core/json.js';

/**
 * The same connection with its paths made absolute: `~/` is the home folder, relative ones start at the project. For the
 * handler that makes a machine's handle: there secrets and other late values still stand as references, and stay as they are.
 */
export function withAbsolutePaths(connection: Connection, project: string): Connection {
  if (connection.kind !== 'ssh') return connection;
  const { bastion } = connection as JsonObject;
  return { ...connection, ...loginPaths(connection, project), ...(isJsonObject(bastion) ? { bastion: { ...bastion, ...loginPaths(bastion, project) } } : {}) };
}

/** The files that a login will read; late paths are left out. */
export function loginFilesOf(connection: Connection): readonly { readonly path: string; readonly holdsSecret: boolean }[] {
  if (connection.kind !== 'ssh') return [];
  return [connection as JsonObject, (connection as JsonObject)['bastion']].filter((login) => isJsonObject(login)).flatMap(({ privateKeyFile, hostKey }) => [
    ...(typeof privateKeyFile === 'string' ? [{ path: privateKeyFile, holdsSecret: true }] : []),
    ...(isJsonObject(hostKey) && typeof hostKey['file'] === 'string' ? [{ path: hostKey['file'], holdsSecret: false }] : []),
  ]);
}

function loginPaths({ privateKeyFile, certificateFile, hostKey }: JsonObject, project: string): JsonObject {
  return {
    ...(typeof privateKeyFile === 'string' ? { privateKeyFile: absolute(privateKeyFile, project) } : {}),
    ...(typeof certificateFile === 'string' ? { certificateFile: absolute(certificateFile, project) } : {}),
    ...(isJsonObject(hostKey) && typeof hostKey['file'] === 'string' ? { hostKey: { ...hostKey, file: absolute(hostKey['file'], project) } } : {}),
  };
}

function absolute(path: string, project: string): string {
  return path.startsWith('~/') ? join(homedir(), path.slice(2)) : resolve(project, path);
}
