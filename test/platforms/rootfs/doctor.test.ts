import t from 'tap';
import { BakeError } from '../../../lib/core/bake-error.js';
import type { Exec } from '../../../lib/core/ports.js';
import { rootfsDoctor } from '../../../lib/platforms/rootfs/engine/linux/doctor.js';

/** A computer that has these programs, each with what it prints first. */
function computer(programs: Readonly<Record<string, string>>): Exec {
  return {
    async run({ command }) {
      const stdout = programs[command];
      if (stdout === undefined) throw new BakeError({ code: 'CommandNotFound', message: `the command "${command}" is not on this machine` });
      return { code: 0, signal: null, stdout, stderr: '' };
    },
  };
}

const whole = { mmdebstrap: 'mmdebstrap 1.3.5', tar: 'tar (GNU tar) 1.34', unshare: 'unshare from util-linux 2.38.1', nsenter: 'nsenter from util-linux 2.38.1', setpriv: 'setpriv from util-linux 2.38.1', zstd: '*** zstd 1.5.4', pigz: 'pigz 2.6', xz: 'xz 5.4.1' };

t.test('what is missing comes with the command that installs it', async (t) => {
  const { mmdebstrap: _, zstd: __, ...rest } = whole;
  const checks = await rootfsDoctor({ exec: computer(rest), os: 'linux', hasApt: true, isRoot: true });
  const find = (name: string) => checks.find((check) => check.name === name);
  t.match(find('mmdebstrap'), { ok: false, required: true, install: [['apt-get', 'install', '-y', 'mmdebstrap']] });
  t.match(find('zstd'), { ok: false, required: false });
  t.match(find('tar'), { ok: true, detail: 'tar (GNU tar) 1.34' });
});

t.test('who is not root installs with sudo', async (t) => {
  const checks = await rootfsDoctor({ exec: computer({}), os: 'linux', hasApt: true, isRoot: false });
  t.same(checks.find((check) => check.name === 'mmdebstrap')?.install, [['sudo', 'apt-get', 'install', '-y', 'mmdebstrap']]);
});

t.test('another program of the same name is no match', async (t) => {
  const checks = await rootfsDoctor({ exec: computer({ ...whole, tar: 'tar (busybox) 1.35.0' }), os: 'linux', hasApt: false, isRoot: true });
  t.match(checks.find((check) => check.name === 'tar'), { ok: false, detail: /busybox/, install: undefined });
});

t.test('elsewhere than on Linux there is one finding', async (t) => {
  t.match(await rootfsDoctor({ exec: computer({}), os: 'darwin', hasApt: false, isRoot: false }), [{ name: 'Linux', ok: false, detail: /darwin/ }]);
});
