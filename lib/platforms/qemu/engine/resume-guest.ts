import { randomBytes } from 'node:crypto';
import { Readable } from 'node:stream';
import type { Communicator } from '../../../core/communicator.js';
import type { StepContext } from '../../../engine/handler.js';
import { reseedPrograms } from './reseed-program.js';

/** Exit code of the script if the machine could not be made to take new random numbers at once. */
const notYet = 75;
/** Milliseconds after which Linux does so by itself, and some more. */
const ownReseed = 61_000;
/** Of RNDRESEEDCRNG, see random(4). */
const request = '0x5207';

/**
 * Makes a machine that goes on from a checkpoint one of its own. Its clock is that of now, which package mirrors and
 * certificates insist on. And its kernel gets new random numbers: without that, whatever starts from the same checkpoint draws the
 * same ones, and so the same keys and passwords.
 */
export async function resumeGuest(machine: Communicator, ctx: Pick<StepContext, 'clock' | 'log'>, signal: AbortSignal): Promise<void> {
  const { code } = await machine.exec({ command: resumeScript(ctx.clock.now()), stdin: Readable.from([randomBytes(64)]), signal });
  if (code !== notYet) return;
  ctx.log(`waiting ${ownReseed / 1_000} s until the machine draws other random numbers than those that start from the same checkpoint: there is no perl or python3 in it that root may run`, 'info');
  await ctx.clock.sleep(ownReseed, signal);
}

/** Reads random bytes from its standard input. Whoever may not set the clock goes on without. */
export function resumeScript(now: number): string {
  return [
    'cat > /dev/urandom',
    'if [ "$(id -u)" = 0 ]; then as=; else as="sudo -n"; fi',
    `$as date -u -s @${Math.round(now / 1_000)} > /dev/null 2>&1 || :`,
    // Told by QEMU itself.
    'if [ -e /sys/bus/acpi/drivers/vmgenid/QEMUVGID:00 ]; then exit 0; fi',
    `if $as perl -e 'open(F, "</dev/urandom") or exit 1; exit(defined(ioctl(F, ${request}, 0)) ? 0 : 1)' 2> /dev/null; then exit 0; fi`,
    `if $as python3 -c 'import fcntl; fcntl.ioctl(open("/dev/urandom"), ${request})' 2> /dev/null; then exit 0; fi`,
    'file=$(mktemp 2> /dev/null || echo /tmp/reseed.$$)',
    'case $(uname -m) in',
    ...[...reseedPrograms].map(([name, bytes]) => `${name}) printf '${octal(bytes)}' > "$file";;`),
    'esac',
    'chmod 700 "$file" && $as "$file" 2> /dev/null',
    'code=$?',
    'rm -f "$file"',
    `[ "$code" = 0 ] || exit ${notYet}`,
  ].join('\n');
}

/** For printf of any shell. */
function octal(bytes: Buffer): string {
  return [...bytes].map((byte) => `\\${byte.toString(8).padStart(3, '0')}`).join('');
}
