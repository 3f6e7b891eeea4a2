import { BakeError } from '../../../core/bake-error.js';
import type { DoctorCheck, DoctorHost } from '../../../engine/extension.js';
import { findFirmware } from './firmware.js';

/** What the qemu platform needs of this computer. */
export async function qemuDoctor(host: DoctorHost): Promise<readonly DoctorCheck[]> {
  return Promise.all([
    program(host, 'QEMU', 'qemu-system-x86_64', 'qemu-system-x86', 'runs virtual machines'),
    program(host, 'QEMU for ARM', 'qemu-system-aarch64', 'qemu-system-arm', 'runs virtual machines with aarch64'),
    program(host, 'qemu-img', 'qemu-img', 'qemu-utils', 'makes and converts disks'),
    program(host, 'swtpm', 'swtpm', 'swtpm', 'gives a virtual machine a TPM'),
    program(host, 'mke2fs', 'mke2fs', 'e2fsprogs', 'makes a root tree bootable', ['-V']),
    program(host, 'grub-mkimage', 'grub-mkimage', 'grub-common', 'makes a root tree bootable'),
    uefi(host),
  ]);
}

async function program(host: DoctorHost, name: string, command: string, packageName: string, why: string, args: readonly string[] = ['--version']): Promise<DoctorCheck> {
  try {
    const { stdout, stderr } = await host.exec.run({ command, args });
    return { name, ok: true, required: false, detail: (stdout || stderr).split('\n')[0]!.trim() };
  } catch (error) {
    if (!BakeError.is(error) || error.code !== 'CommandNotFound') throw error;
    return { name, ok: false, required: false, detail: `${command} was not found (${why})`, ...install(host, packageName) };
  }
}

async function uefi(host: DoctorHost): Promise<DoctorCheck> {
  const found = await findFirmware({ firmware: {}, architecture: 'x86_64' });
  if (found !== undefined) return { name: 'UEFI firmware', ok: true, required: false, detail: found.code };
  return { name: 'UEFI firmware', ok: false, required: false, detail: 'there is none (starts virtual machines with UEFI)', ...install(host, 'ovmf') };
}

function install({ hasApt, isRoot, os }: DoctorHost, packageName: string): Pick<DoctorCheck, 'install'> {
  if (os === 'darwin') return { install: [['brew', 'install', packageName.startsWith('qemu') || packageName === 'ovmf' ? 'qemu' : packageName]] };
  return hasApt ? { install: [[...(isRoot ? [] : ['sudo']), 'apt-get', 'install', '-y', packageName]] } : {};
}
