import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { BakeError } from '../../../../core/bake-error.js';
import type { StepContext } from '../../../../engine/handler.js';
import { inTree } from './in-tree.js';
import { runAsRoot } from './tools.js';

export interface Login {
  readonly user: string;
  /** A line for `authorized_keys`. */
  readonly authorizedKey?: string | undefined;
  /** Where on this computer the private key is. */
  readonly hostKeyFile?: string | undefined;
  readonly hostPublicKey?: string | undefined;
}

const hostKey = '/etc/ssh/ssh_host_ed25519_key';

/**
 * Puts the keys of the run into a tree, with the owners that sshd insists on. `folder` is for what is only needed meanwhile.
 * @returns the paths in the machine of what must go again, where an older file is kept under `.bake-before`; the line in `authorized_keys` is not among them
 * @throws BakeError `NoSuchUser`, `UnsafeTree`
 */
export async function putKeysIn(tree: string, { user, authorizedKey, hostKeyFile, hostPublicKey }: Login, folder: string, ctx: StepContext): Promise<readonly string[]> {
  if (authorizedKey !== undefined) await authorize(tree, user, authorizedKey, folder, ctx);
  if (hostKeyFile === undefined || hostPublicKey === undefined) return [];
  const publicKey = join(folder, 'host-key.pub');
  await writeFile(publicKey, `${hostPublicKey.trim()}\n`);
  await runAsRoot(ctx, 'sh', ['-c', replaceHostKey, 'sh', await inTree(tree, '/etc/ssh'), hostKeyFile, publicKey]);
  return [hostKey, `${hostKey}.pub`];
}

/** `mv` and `install` replace a link and never write through it. */
const replaceHostKey = `set -eu
mkdir -p "$1"; cd "$1"
for name in ssh_host_ed25519_key ssh_host_ed25519_key.pub; do
  if [ -e $name ] || [ -L $name ]; then mv $name $name.bake-before; fi
done
install -m 600 -o 0 -g 0 "$2" ssh_host_ed25519_key
install -m 644 -o 0 -g 0 "$3" ssh_host_ed25519_key.pub`;

async function authorize(tree: string, user: string, key: string, folder: string, ctx: StepContext): Promise<void> {
  const passwd = await readFile(await inTree(tree, '/etc/passwd'), 'utf8').catch(() => '');
  const [, , uid = '', gid = '', , home = ''] = passwd.split('\n').map((line) => line.split(':')).find(([name]) => name === user) ?? [];
  if (home === '' || !/^\d+$/.test(uid) || !/^\d+$/.test(gid)) {
    throw new BakeError({ code: 'NoSuchUser', message: `there is no user ${user} in the root tree`, hint: 'add the user with a Shell in the image that makes the tree, or log in as root' });
  }
  const line = join(folder, 'authorized-key');
  await writeFile(line, `${key.trim()}\n`);
  try {
    await runAsRoot(ctx, 'sh', ['-c', appendKey, 'sh', await inTree(tree, home), line, uid, gid]);
  } catch (error) {
    if (!BakeError.is(error) || !error.output.includes(linkFound)) throw error;
    throw new BakeError({ code: 'UnsafeTree', message: `${home}/.ssh or its authorized_keys is a link in the root tree`, hint: 'make it a folder with a file in the image that makes the tree', cause: error });
  }
}

const linkFound = 'bake: a link';

/** The folder may be closed to everybody but its owner, so that only here is seen what is in it. */
const appendKey = `set -eu
[ -d "$1" ] || install -d -m 700 -o "$3" -g "$4" "$1"
cd "$1"
if [ -L .ssh ] || [ -L .ssh/authorized_keys ]; then echo '${linkFound}' >&2; exit 1; fi
[ -d .ssh ] || install -d -m 700 -o "$3" -g "$4" .ssh
file=.ssh/authorized_keys
if [ -s $file ] && [ -n "$(tail -c 1 $file)" ]; then echo >> $file; fi
[ -e $file ] || install -m 600 -o "$3" -g "$4" /dev/null $file
cat "$2" >> $file`;
