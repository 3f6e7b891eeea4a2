import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { MachineSpec } from '../steps.js';

type SystemdKeys = NonNullable<MachineSpec['systemdKeys']>;

/**
 * Writes a credential of systemd's for QEMU's SMBIOS table and returns its path: lines of tmpfiles.d(5) that write the keys
 * before an ssh server starts. It is a file because arguments can be read by everybody on this computer.
 */
export async function writeSystemdKeys({ authorizedKey, hostKeyFile, hostPublicKey }: SystemdKeys, folder: string): Promise<string> {
  const file = (path: string, mode: string, content: string) => `f+~ ${path} ${mode} root root - ${base64(content)}`;
  const lines = [
    ...(authorizedKey === undefined ? [] : ['d /root/.ssh 0700 root root -', file('/root/.ssh/authorized_keys', '0600', `${authorizedKey}\n`)]),
    file('/etc/ssh/ssh_host_ed25519_key', '0600', await readFile(hostKeyFile, 'utf8')),
    file('/etc/ssh/ssh_host_ed25519_key.pub', '0644', `${hostPublicKey}\n`),
    '',
  ];
  const path = join(folder, 'systemd-keys');
  await writeFile(path, `io.systemd.credential.binary:tmpfiles.extra=${base64(lines.join('\n'))}`, { mode: 0o600 });
  return path;
}

function base64(text: string): string {
  return Buffer.from(text).toString('base64');
}
