import { homedir } from 'node:os';
import { join, resolve } from 'node:path';
import type { SshConnection, SshLogin } from './connection.js';

/**
 * The same connection with its paths made absolute: `~/` is the home folder, relative ones start at the project. For the
 * handler that makes a machine's handle; secrets may still be references.
 */
export function withAbsolutePaths(connection: SshConnection, project: string): SshConnection {
  const { bastion } = connection;
  return { ...connection, ...loginPaths(connection, project), ...(bastion === undefined ? {} : { bastion: { ...bastion, ...loginPaths(bastion, project) } }) };
}

function loginPaths({ privateKeyFile, hostKey }: Pick<SshLogin, 'privateKeyFile' | 'hostKey'>, project: string): Partial<SshLogin> {
  return {
    ...(typeof privateKeyFile === 'string' ? { privateKeyFile: absolute(privateKeyFile, project) } : {}),
    ...(hostKey?.policy === 'knownHosts' && hostKey.file !== undefined ? { hostKey: { ...hostKey, file: absolute(hostKey.file, project) } } : {}),
  };
}

function absolute(path: string, project: string): string {
  return path.startsWith('~/') ? join(homedir(), path.slice(2)) : resolve(project, path);
}
