import { readFile, stat } from 'node:fs/promises';
import { getuid } from 'node:process';
import ssh2 from 'ssh2';
import { BakeError } from '../../../core/bake-error.js';
import type { SshLogin } from '../connection.js';

export interface LoadedKey {
  readonly key: ssh2.ParsedKey;
  /** What it is for people: the file's path, or `the private key`. */
  readonly name: string;
}

/**
 * The private key of a login, opened; undefined if it has none.
 * @throws BakeError `KeyFileUnreadable`, `KeyFileTooOpen`, `KeyInvalid`, `KeyEncrypted`, `KeyPassphraseWrong`
 */
export async function loadPrivateKey(login: Pick<SshLogin, 'privateKey' | 'privateKeyFile' | 'passphrase'>): Promise<readonly LoadedKey[]> {
  const keys: LoadedKey[] = [];
  if (login.privateKey !== undefined) keys.push(parse(login.privateKey, login.passphrase, 'the private key'));
  if (login.privateKeyFile !== undefined) keys.push(parse(await readKeyFile(login.privateKeyFile), login.passphrase, login.privateKeyFile));
  return keys;
}

async function readKeyFile(file: string): Promise<string> {
  try {
    const { mode, uid } = await stat(file);
    if (getuid?.() === uid && (mode & 0o077) !== 0) {
      throw new BakeError({ code: 'KeyFileTooOpen', message: `the key file ${file} can be read by others: its mode is ${(mode & 0o777).toString(8)}`, hint: `chmod 600 ${file}` });
    }
    return await readFile(file, 'utf8');
  } catch (error) {
    if (BakeError.is(error)) throw error;
    throw new BakeError({ code: 'KeyFileUnreadable', message: `the key file ${file} cannot be read: ${(error as Error).message}`, hint: 'correct the path in privateKeyFile', cause: error });
  }
}

function parse(text: string, passphrase: string | undefined, name: string): LoadedKey {
  const parsed = ssh2.utils.parseKey(text.endsWith('\n') ? text : `${text}\n`, passphrase);
  const key: ssh2.ParsedKey | Error | undefined = Array.isArray(parsed) ? parsed[0] : parsed;
  if (key === undefined || key instanceof Error) throw keyError(key?.message ?? 'it is empty', text, name, passphrase !== undefined);
  if (key.isPrivateKey()) return { key, name };
  throw new BakeError({ code: 'KeyInvalid', message: `${name} is a public key`, hint: 'give the private half: the file without .pub' });
}

function keyError(reason: string, text: string, name: string, hasPassphrase: boolean): BakeError {
  if (/no passphrase given/i.test(reason)) return new BakeError({ code: 'KeyEncrypted', message: `${name} is encrypted`, hint: 'give its passphrase: Secret.env("…")' });
  const isEncrypted = /integrity check failed|bad decrypt|bad passphrase/i.test(reason);
  if (hasPassphrase && isEncrypted) return new BakeError({ code: 'KeyPassphraseWrong', message: `the passphrase does not open ${name}`, hint: 'correct passphrase' });
  const isPkcs8 = /-----BEGIN (?:ENCRYPTED )?PRIVATE KEY-----/.test(text);
  return new BakeError({
    code: 'KeyInvalid', message: `${name} is not a private key that can be used: ${reason}`,
    hint: isPkcs8 ? 'it is in PKCS#8 format: convert a copy with "ssh-keygen -p -f <copy>"' : 'ed25519, ecdsa and rsa keys in OpenSSH, PEM or PuTTY format can be used; "ssh-keygen -t ed25519" makes one',
  });
}
