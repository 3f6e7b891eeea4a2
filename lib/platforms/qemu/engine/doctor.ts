import { BakeError } from '../../../core/bake-error.js';
import type { DoctorCheck, DoctorHost } from '../../../engine/extension.js';
import { missingTools } from './bootable-disk/tools.js';
import { findFirmware } from './firmware.js';

/** What the qemu platform needs of this computer. */
export async function qemuDoctor(host: DoctorHost): Promise<readonly DoctorCheck[]> {
  return Promise.all([
    program(host, 'QEMU', 'qemu-system-x86_64', 'qemu-system-x86', 'runs virtual machines'),
    program(host, 'QEMU for ARM', 'qemu-system-aarch64', 'qemu-system-arm', 'runs virtual machines with aarch64'),
    program(host, 'qemu-img', 'qemu-img', 'qemu-utils', 'makes and converts disks'),
    program(host, 'swtpm', 'swtpm', 'swtpm', 'gives a virtual machine a TPM'),
    ...(host.os === 'linux' ? [rootTrees(host)] : []),
    uefi(host),
  ]);
}

async function program(host: DoctorHost, name: string, command: string, packageName: string, why: string): Promise<DoctorCheck> {
  try {
    const { stdout, stderr } = await host.exec.run({ command, args: ['--version'] });
    return { name, ok: true, required: false, detail: (stdout || stderr).split('\n')[0]!.trim() };
  } catch (error) {
    if (!BakeError.is(error) || error.code !== 'CommandNotFound') throw error;
    return { name, ok: false, required: false, detail: `${command} was not found (${why})`, ...install(host, packageName) };
  }
}

async function rootTrees(host: DoctorHost): Promise<DoctorCheck> {
  const { names, packages } = await missingTools('x86_64');
  if (names.length === 0) return { name: 'bootable root trees', ok: true, required: false, detail: 'all programs are there' };
  return { name: 'bootable root trees', ok: false, required: false, detail: `there is no ${names.join(', ')} (makes disks of root trees)`, ...install(host, ...packages) };
}

async function uefi(host: DoctorHost): Promise<DoctorCheck> {
  const found = await findFirmware({ firmware: {}, architecture: 'x86_64' });
  if (found !== undefined) return { name: 'UEFI firmware', ok: true, required: false, detail: found.code };
  return { name: 'UEFI firmware', ok: false, required: false, detail: 'there is none (starts virtual machines with UEFI)', ...install(host, 'ovmf') };
}

function install({ hasApt, isRoot, os }: DoctorHost, ...packages: readonly string[]): Pick<DoctorCheck, 'install'> {
  if (os === 'darwin') return { install: [['brew', 'install', ...new Set(packages.map((name) => (name.startsWith('qemu') || name === 'ovmf' ? 'qemu' : name)))]] };
  return hasApt ? { install: [[...(isRoot ? [] : ['sudo']), 'apt-get', 'install', '-y', ...packages]] } : {};
}
