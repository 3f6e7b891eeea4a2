import { BakeError } from '../../../../core/bake-error.js';
import { diskFull } from '../../../../core/disk-error.js';
import type { TreeSpec } from '../rootfs-port.js';
import { isDiskFull } from './command-failure.js';

/** The error behind what mmdebstrap printed last. */
export function bootstrapFailure(tail: readonly string[], spec: TreeSpec): BakeError {
  const text = tail.join('\n');
  const output = tail.slice(-20);
  if (isDiskFull(text)) return diskFull('the root tree', 'ENOSPC').with({ output });
  const mirror = spec.mirrors?.[0] ?? 'the default mirror';
  const fail = (message: string, hint: string, more: { code?: string; transient?: boolean; source?: 'platform' } = {}) => new BakeError({ code: 'RootfsBootstrapFailed', message, hint, output, ...more });

  if (/Could not resolve|Temporary failure resolving|Could not connect|Connection refused|Connection timed out|Unable to connect|Network is unreachable|Connection failed/.test(text)) {
    return fail(`${mirror} cannot be reached`, 'see whether the address is right and this computer has network; a proxy is taken from the variable http_proxy', { code: 'MirrorUnreachable', transient: true, source: 'platform' });
  }
  const [, missing] = /Unable to locate package (\S+)/.exec(text) ?? /Couldn't find any package by (?:regex|glob) '([^']+)'/.exec(text) ?? /Package '?([^' ]+)'? has no installation candidate/.exec(text) ?? [];
  if (missing !== undefined) return fail(`there is no package "${missing}" in ${spec.suite ?? 'the suite'}`, 'correct its name in "packages", or add the component that has it (contrib, non-free, non-free-firmware, universe) to "components"');
  if (/NO_PUBKEY|signatures couldn't be verified|is not signed|public key is not available/.test(text)) {
    return fail(`the signature of ${spec.suite ?? 'the suite'} at ${mirror} cannot be checked`, 'install the keys of the distribution (sudo apt-get install debian-archive-keyring ubuntu-keyring), or name them with "keyring"');
  }
  if (/does not have a Release file|404 {1,2}Not Found|no longer has a Release file|Unable to find expected entry|cannot (?:figure out|determine|guess)|unknown suite/i.test(text)) {
    return fail(`there is no suite "${spec.suite ?? ''}" with these components at ${mirror}`, 'correct "suite", "components" or "mirror"; an old suite has moved to the archive mirror of its distribution');
  }
  if (/can neither be executed natively nor via qemu/.test(text)) return fail(`programs of ${spec.architecture ?? 'that architecture'} do not run here`, 'install an emulator: sudo apt-get install qemu-user-static binfmt-support');
  const reason = [...tail].reverse().find((line) => /^(E|Err|dpkg|W):? ?/.test(line) && !/mmdebstrap failed/.test(line)) ?? tail.at(-1) ?? 'it printed nothing';
  return fail(`mmdebstrap failed: ${reason.replace(/^E: /, '')}`, 'the lines above it say more; see the log of the run', { source: 'platform' });
}
