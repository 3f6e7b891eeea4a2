import { Size } from '../../core/size.js';
import type { QemuSourceProps } from './qemu-props.js';
import { type Architecture, machineTypeOf } from './steps.js';

/** This computer's address, as a machine sees it that has QEMU's own network. */
export const guestAddressOfHost = '10.0.2.2';

const defaultMemory = Size.gibibytes(1);

/** What the props say about the machine's kind, with the defaults. */
export function machineTraits({ architecture = 'x86_64', machine, firmware }: QemuSourceProps): {
  readonly architecture: Architecture;
  readonly machine: string;
  readonly firmware: { readonly type: 'bios' | 'uefi'; readonly keepVars: boolean };
} {
  const given = typeof firmware === 'string' ? { type: firmware } : firmware;
  const type = given?.type ?? (architecture === 'aarch64' ? 'uefi' : 'bios');
  return { architecture, machine: machineTypeOf({ architecture, machine }), firmware: { type, keepVars: given?.keepVars ?? true } };
}

/** The fields of `qemu.machine` that come from the props as they are. */
export function machineSpec(props: QemuSourceProps) {
  const { cpu, cpus = 2, topology, memory = defaultMemory, tpm, diskInterface, diskCache = 'unsafe', diskDiscard = 'unmap', diskDetectZeroes = 'off', cdInterface, kernel, netboot } = props;
  const { netDevice, netBridge, macAddress, hostPort, forwards, display, headless = display === undefined, vga, vnc, qemuArgs, removeQemuArgs, ssh, firmware } = props;
  const { architecture, machine, firmware: { type } } = machineTraits(props);
  const { keepVars, ...files } = typeof firmware === 'object' ? firmware : { type };
  return {
    architecture, machine, cpu, cpus, topology, memory, firmware: { ...files, type }, tpm: tpm === true ? '2.0' : tpm === false ? undefined : tpm,
    diskInterface, diskCache, diskDiscard, diskDetectZeroes, cdInterface, kernel, netboot, netDevice, netBridge, macAddress, hostPort, guestPort: ssh?.port ?? 22,
    forwards, display: headless ? undefined : display ?? 'window', vga, vnc: vnc === true ? {} : vnc === false ? undefined : vnc,
    qemuArgs, removeQemuArgs,
  };
}
