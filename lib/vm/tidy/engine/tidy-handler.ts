import type * as z from 'zod';
import { BakeError } from '../../../core/bake-error.js';
import { shellQuote } from '../../../core/quote.js';
import type { ActionHandler } from '../../../engine/handler.js';
import type { vmTidy } from '../steps.js';

type TidySpec = z.output<(typeof vmTidy)['spec']>;

/** Takes out of a machine what was put in to build it, so that two machines made of the image do not share it. */
export const tidyHandler: ActionHandler<TidySpec, Record<string, never>> = {
  async run(spec, ctx) {
    const machine = await ctx.connect(spec.connection);
    const errors: string[] = [];
    const { code, disconnected } = await machine.exec({
      // The script's first argument is the home of who has logged in, wherever that is.
      command: 'if [ "$(id -u)" = 0 ]; then exec sh -s -- "$HOME"; else exec sudo -n sh -s -- "$HOME"; fi',
      stdin: tidyScript(spec),
      onStdout: (line) => ctx.log(line),
      onStderr: (line) => { errors.push(line); ctx.log(line, 'stderr'); },
      signal: ctx.signal,
    });
    if (code === 0) return {};
    throw new BakeError({
      code: 'TidyFailed', source: 'platform', message: disconnected ? 'the connection was lost while the image was tidied up' : `tidying the image up ended with ${code}`, output: errors.slice(-20),
      hint: /sudo/.test(errors.join()) ? 'the login user must be root, or may use sudo without a password' : 'the lines above are the machine\'s own',
    });
  },
};

/** A script for a POSIX shell as root. Texts from outside are quoted; there are no secrets among them. */
export function tidyScript({ authorizedKey, hostPublicKey, cloudInit, forgetMachine, injected = [], trim = 'none' }: TidySpec): string {
  return [
    'set -eu',
    ...(authorizedKey === undefined ? [] : [forgetKey(authorizedKey)]),
    ...(hostPublicKey === undefined ? [] : [forgetHostKey(hostPublicKey)]),
    ...injected.map(putBack),
    ...(cloudInit === true ? ['if command -v cloud-init > /dev/null; then cloud-init clean --logs; fi'] : []),
    ...(forgetMachine === true ? [forgetMachineId, freshHostKeys] : []),
    ...(trim === 'discard' ? [discard] : trim === 'zero' ? [zero] : []),
    'sync',
    '',
  ].join('\n');
}

/** Only the line of this key goes: the user may have added others. An empty file that nobody had before goes too. */
function forgetKey(key: string): string {
  const [type = '', body = ''] = key.split(' ');
  return `for file in "$1/.ssh/authorized_keys" /root/.ssh/authorized_keys; do
  if [ -f "$file" ] && grep -qF ${shellQuote(`${type} ${body}`)} "$file"; then
    grep -vF ${shellQuote(`${type} ${body}`)} "$file" > "$file.bake" || true
    cat "$file.bake" > "$file"
    rm -f "$file.bake"
    [ -s "$file" ] || rm -f "$file"
  fi
done`;
}

/** Goes only if it is still the one that came with the run. */
function forgetHostKey(key: string): string {
  const [, body = ''] = key.split(' ');
  return `for file in /etc/ssh/ssh_host_*_key.pub; do
  if [ -f "$file" ] && grep -qF ${shellQuote(body)} "$file"; then rm -f "$file" "\${file%.pub}"; fi
done`;
}

function putBack(path: string): string {
  const [file, before] = [shellQuote(path), shellQuote(`${path}.bake-before`)];
  return `rm -f ${file}; if [ -e ${before} ]; then mv ${before} ${file}; fi`;
}

/** Each machine made of the image gets an id (and with it an address by DHCP) and a random seed of its own at its first start. */
const forgetMachineId = `if [ -f /etc/machine-id ]; then : > /etc/machine-id; fi
rm -f /var/lib/dbus/machine-id /var/lib/systemd/random-seed`;

/**
 * Machines that share an ssh host key can be taken for each other. cloud-init makes new ones in each machine; elsewhere a unit
 * does before the first start of the server. One that finds a key, for example from a credential of systemd's, leaves it.
 */
const freshHostKeys = `if ! command -v cloud-init > /dev/null && command -v ssh-keygen > /dev/null && [ -d /run/systemd/system ]; then
  cat > /etc/systemd/system/ssh-host-keys.service << 'END'
[Unit]
Description=Make the ssh host keys of this machine
ConditionPathExistsGlob=!/etc/ssh/ssh_host_*_key
Before=ssh.service sshd.service

[Service]
Type=oneshot
ExecStart=/usr/bin/env ssh-keygen -A

[Install]
WantedBy=multi-user.target
END
  systemctl enable --quiet ssh-host-keys.service
  rm -f /etc/ssh/ssh_host_*_key /etc/ssh/ssh_host_*_key.pub
fi`;

const discard = 'fstrim -av';

/** A full disk is what ends it. */
const zero = `for folder in $(awk '$3 ~ /^(ext[234]|xfs|btrfs|vfat)$/ && $4 ~ /^rw/ { print $2 }' /proc/mounts); do
  dd if=/dev/zero of="$folder/bake.zero" bs=1M 2> /dev/null || true
  sync
  rm -f "$folder/bake.zero"
done`;
