import type { ContainerPort } from './container-port.js';
import type { Owner } from './tar-out.js';

/** The numeric ids of a user of the container: `name`, `uid`, `name:group`; asked of the container's own `id` only for names. */
export async function ownerOf(port: ContainerPort, user: string | undefined): Promise<Owner> {
  const [name = '', group] = (user ?? '').split(':');
  if (name === '' || ((name === 'root' || name === '0') && group === undefined)) return { uid: 0, gid: 0 };
  const ids = async (argv: readonly string[]) => {
    const out: Uint8Array[] = [];
    const code = await port.run({ argv, user: '0', onStdout: (chunk) => { out.push(chunk); } });
    return code === 0 ? Buffer.concat(out).toString() : '';
  };
  const isNumber = (word: string | undefined): word is string => word !== undefined && /^\d+$/.test(word);
  const fromId = !isNumber(name) || group === undefined ? (await ids(['/bin/sh', '-c', 'id -u -- "$1"; id -g -- "$1"', 'sh', name])).trim().split('\n') : [];
  const uid = isNumber(name) ? Number(name) : Number(fromId[0] || 0);
  if (isNumber(group)) return { uid, gid: Number(group) };
  if (group === undefined) return { uid, gid: Number(fromId[1] || 0) };
  const line = (await ids(['/bin/sh', '-c', 'while IFS=: read -r name x gid rest; do [ "$name" = "$1" ] && echo "$gid"; done < /etc/group', 'sh', group])).trim();
  return { uid, gid: Number(line || 0) };
}
