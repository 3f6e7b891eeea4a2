import ssh2 from 'ssh2';
import type { SshLogin } from '../connection.js';
import { certify, certifyFromAgent, loadCertificate } from './certificate.js';
import { loadPrivateKey, type LoadedKey } from './private-key.js';

/**
 * The keys of a login in the order in which they are offered: one that is certified first.
 * @param now milliseconds since the epoch
 * @throws BakeError see `loadPrivateKey`, `loadCertificate`, `certify`
 */
export async function loadLoginKeys(login: SshLogin, now: number): Promise<readonly LoadedKey[]> {
  const keys = await loadPrivateKey(login);
  if (login.certificateFile === undefined) return keys;
  const certificate = await loadCertificate(login.certificateFile, now);
  const own = keys.find(({ key }) => key.getPublicSSH().equals(certificate.publicKey)) ?? (login.agent === undefined ? keys[0] : undefined);
  const key = own === undefined ? certifyFromAgent(ssh2.createAgent(login.agent ?? ''), certificate) : certify(own.key, certificate, own.name);
  return [{ key, name: `certificate ${certificate.name}` }, ...keys];
}
