import { stat } from 'node:fs/promises';
import { BakeError } from '../../../../core/bake-error.js';
import type { DoctorCheck, DoctorHost } from '../../../../engine/extension.js';
import { checkSpaces } from './spaces.js';

/** What the rootfs platform needs of this computer. */
export async function rootfsDoctor(host: DoctorHost): Promise<readonly DoctorCheck[]> {
  if (host.os !== 'linux') return [{ name: 'Linux', ok: false, required: true, detail: `the rootfs platform needs Linux, and this is ${host.os}` }];
  return Promise.all([
    program(host, 'mmdebstrap', { needs: ['mmdebstrap', '--version'], package: 'mmdebstrap', required: true, why: 'makes trees from a package mirror' }),
    program(host, 'tar', { needs: ['tar', '--version'], package: 'tar', required: true, why: 'packs trees', accepts: /GNU tar/ }),
    program(host, 'unshare', { needs: ['unshare', '--version'], package: 'util-linux', required: true, why: 'makes namespaces', accepts: /util-linux/ }),
    program(host, 'nsenter', { needs: ['nsenter', '--version'], package: 'util-linux', required: true, why: 'enters namespaces' }),
    program(host, 'setpriv', { needs: ['setpriv', '--version'], package: 'util-linux', required: true, why: 'lets what bake starts end with it' }),
    namespaces(host),
    program(host, 'zstd', { needs: ['zstd', '--version'], package: 'zstd', required: false, why: 'compresses with all cores' }),
    program(host, 'pigz', { needs: ['pigz', '--version'], package: 'pigz', required: false, why: 'compresses with all cores; gzip takes its place' }),
    program(host, 'xz', { needs: ['xz', '--version'], package: 'xz-utils', required: false, why: 'compresses with all cores' }),
    keyring(host, 'Debian', '/usr/share/keyrings/debian-archive-keyring.gpg', 'debian-archive-keyring'),
    keyring(host, 'Ubuntu', '/usr/share/keyrings/ubuntu-archive-keyring.gpg', 'ubuntu-keyring'),
  ]);
}

interface Program {
  readonly needs: readonly [string, ...string[]];
  readonly package: string;
  readonly required: boolean;
  readonly why: string;
  /** What its first lines must say: other programs have the same name and lack options. */
  readonly accepts?: RegExp;
}

async function program(host: DoctorHost, name: string, { needs, package: packageName, required, why, accepts }: Program): Promise<DoctorCheck> {
  const [command, ...args] = needs;
  const install = host.hasApt ? { install: [aptInstall(host, packageName)] } : {};
  try {
    const { stdout, stderr } = await host.exec.run({ command, args });
    const [version = ''] = (stdout || stderr).split('\n');
    if (accepts === undefined || accepts.test(version)) return { name, ok: true, required, detail: version.trim() };
    return { name, ok: false, required, detail: `it is "${version.trim()}", which lacks options (${why})`, ...install };
  } catch (error) {
    if (!BakeError.is(error) || error.code !== 'CommandNotFound') throw error;
    return { name, ok: false, required, detail: `not found (${why})`, ...install };
  }
}

async function namespaces(host: DoctorHost): Promise<DoctorCheck> {
  const name = host.isRoot ? 'namespaces' : 'namespaces without root';
  try {
    await checkSpaces(host.exec);
    return { name, ok: true, required: true, detail: host.isRoot ? 'mounts and processes of their own can be had' : 'users, mounts and processes of their own can be had' };
  } catch (error) {
    const { code, message, hint } = BakeError.from(error);
    if (code === 'CommandNotFound') return { name, ok: false, required: true, detail: message };
    const detail = hint === undefined ? message : `${message}; ${hint}`;
    return { name, ok: false, required: true, detail, ...(host.hasApt && /uidmap/.test(hint ?? '') ? { install: [aptInstall(host, 'uidmap')] } : {}) };
  }
}

async function keyring(host: DoctorHost, distribution: string, path: string, packageName: string): Promise<DoctorCheck> {
  const ok = await stat(path).then(() => true, () => false);
  return {
    name: `keys of ${distribution}`, ok, required: false, detail: ok ? path : `${path} is missing (needed to bootstrap ${distribution})`,
    ...(ok || !host.hasApt ? {} : { install: [aptInstall(host, packageName)] }),
  };
}

function aptInstall({ isRoot }: DoctorHost, packageName: string): readonly string[] {
  return [...(isRoot ? [] : ['sudo']), 'apt-get', 'install', '-y', packageName];
}
