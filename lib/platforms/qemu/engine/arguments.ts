import { type MachineSpec, machineTypeOf } from '../steps.js';

/** What is known once the machine is about to start, beyond its spec. */
export interface MachineFacts {
  /** The QMP socket, or the loopback port. */
  readonly qmp: string | number;
  readonly name: string;
  readonly serialLog: string;
  /** The loopback port that leads to the machine's ssh server; undefined with a bridge. */
  readonly hostPort: number | undefined;
  readonly ports: Readonly<Record<string, number>>;
  readonly firmware: { readonly code: string; readonly vars: string } | undefined;
  readonly tpmSocket: string | undefined;
  /** The file with the credential. */
  readonly systemdKeys: string | undefined;
  readonly macAddress: string;
}

type Argument = readonly [option: string, value?: string];

/** Of these a machine has one: a user's own takes the place of the default. All others are added to it. */
const single = new Set(['-machine', '-M', '-accel', '-cpu', '-smp', '-m', '-name', '-display', '-vga', '-vnc', '-boot', '-bios', '-kernel', '-initrd', '-append', '-serial', '-rtc', '-fda', '-monitor', '-k']);

/**
 * The arguments of QEMU. What a user gives as `qemuArgs` replaces the default with the same option, if there can be one of it,
 * or with the same `id=`, and is added otherwise.
 */
export function machineArguments(spec: MachineSpec, facts: MachineFacts): readonly string[] {
  const defaults = defaultArguments(spec, facts);
  const removed = new Set(spec.removeQemuArgs);
  const own = (spec.qemuArgs ?? []) as readonly Argument[];
  const kept = defaults.filter((argument) => !removed.has(argument[0]) && !removed.has(idOf(argument) ?? '') && !own.some((other) => replaces(other, argument)));
  return [...kept, ...own].flatMap(([option, value]) => (value === undefined ? [option] : [option, value]));
}

function defaultArguments(spec: MachineSpec, facts: MachineFacts): readonly Argument[] {
  return [
    ['-name', `guest=${escaped(facts.name)}`],
    ['-nodefaults'],
    ['-no-user-config'],
    // The machine stays, switched off, so that a clean end can be told from a crash.
    ['-no-shutdown'],
    ['-machine', [machineTypeOf(spec), ...(spec.firmware.secureBoot ? ['smm=on'] : [])].join(',')],
    ['-accel', spec.accelerator],
    ['-cpu', spec.cpu ?? cpuFor(spec)],
    ['-smp', smpOf(spec)],
    ['-m', `${Math.ceil(spec.memory / 1024 ** 2)}M`],
    ['-object', 'rng-random,id=rng-source,filename=/dev/urandom'],
    ['-device', `virtio-rng-${bus(spec)},id=rng0,rng=rng-source`],
    ...generationArguments(spec),
    ...firmwareArguments(spec, facts),
    ...diskArguments(spec),
    ...cdArguments(spec),
    ...floppyArguments(spec),
    ...kernelArguments(spec),
    ...(facts.systemdKeys === undefined ? [] : [['-smbios', `type=11,path=${escaped(facts.systemdKeys)}`] as const]),
    ...networkArguments(spec, facts),
    ...tpmArguments(spec, facts),
    ...displayArguments(spec),
    ['-chardev', `file,id=serial0,path=${escaped(facts.serialLog)}`],
    ['-serial', 'chardev:serial0'],
    ['-chardev', typeof facts.qmp === 'number' ? `socket,id=qmp0,host=127.0.0.1,port=${facts.qmp},server=on,wait=off` : `socket,id=qmp0,path=${escaped(facts.qmp)},server=on,wait=off`],
    ['-mon', 'chardev=qmp0,mode=control'],
  ];
}

/** Tells a machine that goes on from a checkpoint that it is another one now: Linux from 5.18 on then makes its random numbers anew. */
function generationArguments(spec: MachineSpec): readonly Argument[] {
  return spec.architecture === 'x86_64' && /^(pc|q35)/.test(machineTypeOf(spec)) ? [['-device', 'vmgenid,id=generation']] : [];
}

/** QEMU separates with commas; a comma of a value is written twice. */
function escaped(value: string): string {
  return value.replaceAll(',', ',,');
}

function idOf([, value]: Argument): string | undefined {
  return /(?:^|,)id=([^,]+)/.exec(value ?? '')?.[1];
}

function replaces(own: Argument, other: Argument): boolean {
  const sameOption = own[0] === other[0] || (own[0] === '-M' && other[0] === '-machine');
  if (!sameOption) return false;
  if (single.has(own[0])) return true;
  const id = idOf(own);
  return id !== undefined && id === idOf(other);
}

function cpuFor({ accelerator, architecture }: MachineSpec): string {
  if (accelerator === 'kvm' || accelerator === 'hvf') return 'host';
  if (accelerator === 'whpx') return 'max,vmx=off';
  // Some firmware does not start with page tables of five levels.
  return architecture === 'x86_64' ? 'max,la57=off' : 'max';
}

function smpOf({ cpus, topology = {} }: MachineSpec): string {
  return [`cpus=${cpus}`, ...Object.entries(topology).map(([key, value]) => `${key}=${value}`)].join(',');
}

function bus({ architecture }: Pick<MachineSpec, 'architecture'>): 'pci' | 'ccw' {
  return architecture === 's390x' ? 'ccw' : 'pci';
}

function firmwareArguments(spec: MachineSpec, { firmware }: MachineFacts): readonly Argument[] {
  if (firmware === undefined) return spec.firmware.code === undefined ? [] : [['-bios', spec.firmware.code]];
  return [
    ...(spec.firmware.secureBoot ? [['-global', 'driver=cfi.pflash01,property=secure,value=on'] as const] : []),
    ['-drive', `if=pflash,unit=0,id=firmware-code,format=raw,readonly=on,file=${escaped(firmware.code)}`],
    ['-drive', `if=pflash,unit=1,id=firmware-vars,format=raw,file=${escaped(firmware.vars)}`],
  ];
}

function diskArguments(spec: MachineSpec): readonly Argument[] {
  const { diskInterface = 'virtio', disks } = spec;
  const controllers: readonly Argument[] = needsScsi(spec) ? [['-device', `virtio-scsi-${bus(spec)},id=scsi0`]] : [];
  const usb: readonly Argument[] = diskInterface === 'usb' || cdInterfaceOf(spec) === 'usb' ? [['-device', 'qemu-xhci,id=usb0']] : [];
  const ahci: readonly Argument[] = needsAhci(spec) ? [['-device', 'ahci,id=sata0']] : [];
  return [...controllers, ...usb, ...ahci, ...disks.flatMap(({ file, format }, index): readonly Argument[] => {
    const id = `disk${index}`;
    const device = {
      'virtio': `virtio-blk-${bus(spec)},id=${id}-device,drive=${id}`,
      'virtio-scsi': `scsi-hd,id=${id}-device,bus=scsi0.0,drive=${id}`,
      'ide': `ide-hd,id=${id}-device${ideBus(spec, index)},drive=${id}`,
      'sata': `ide-hd,id=${id}-device,bus=${sataBus(spec)}.${index},drive=${id}`,
      'nvme': `nvme,id=${id}-device,serial=${id},drive=${id}`,
      'usb': `usb-storage,id=${id}-device,bus=usb0.0,drive=${id}`,
    }[diskInterface];
    return [
      ['-drive', `if=none,id=${id},format=${format},cache=${spec.diskCache},discard=${spec.diskDiscard},detect-zeroes=${spec.diskDetectZeroes},file=${escaped(file)}`],
      ['-device', `${device},bootindex=${index + 1}`],
    ];
  })];
}

function cdArguments(spec: MachineSpec): readonly Argument[] {
  const kind = cdInterfaceOf(spec);
  const cds = cdsOf(spec).flatMap((file, index): readonly Argument[] => {
    const id = `cd${index}`;
    const device = {
      // Behind the disks on the same controller.
      'ide': `ide-cd,id=${id}-device${ideBus(spec, 5 - index)},drive=${id}`,
      'sata': `ide-cd,id=${id}-device,bus=${sataBus(spec)}.${5 - index},drive=${id}`,
      'virtio-scsi': `scsi-cd,id=${id}-device,bus=scsi0.0,drive=${id}`,
      'usb': `usb-storage,id=${id}-device,bus=usb0.0,drive=${id},removable=on`,
    }[kind];
    return [
      ['-drive', `if=none,id=${id},media=cdrom,readonly=on,format=raw,file=${escaped(file)}`],
      // After the disks: an empty disk is passed over, and one that is installed starts.
      ['-device', `${device},bootindex=${spec.disks.length + index + 1}`],
    ];
  });
  if (spec.seed === undefined || !usesVirtioBlock(spec)) return cds;
  return [...cds, ['-drive', `if=none,id=seed,readonly=on,format=raw,file=${escaped(spec.seed)}`], ['-device', `virtio-blk-${bus(spec)},id=seed-device,drive=seed`]];
}

/** The kernels of cloud images often have no driver for CDs: with a virtio disk the seed is another one, else a CD. */
function usesVirtioBlock({ diskInterface = 'virtio' }: MachineSpec): boolean {
  return diskInterface === 'virtio';
}

function cdsOf(spec: MachineSpec): readonly string[] {
  return [...spec.cds ?? [], ...(spec.seed === undefined || usesVirtioBlock(spec) ? [] : [spec.seed])];
}

function floppyArguments(spec: MachineSpec): readonly Argument[] {
  if (spec.floppy === undefined) return [];
  return [
    ...(isPc(spec) ? [] : [['-device', 'isa-fdc,id=floppy-controller'] as const]), // the old PC has one of its own
    ['-drive', `if=none,id=floppy0,format=raw,readonly=on,file=${escaped(spec.floppy)}`],
    ['-device', 'floppy,id=floppy0-device,drive=floppy0'],
  ];
}

function cdInterfaceOf(spec: MachineSpec): 'ide' | 'sata' | 'virtio-scsi' | 'usb' {
  if (spec.cdInterface !== undefined) return spec.cdInterface;
  if (spec.architecture !== 'x86_64' || spec.diskInterface === 'virtio-scsi') return 'virtio-scsi';
  return isPc(spec) ? 'ide' : 'sata';
}

/** The old PC, which has IDE and no SATA of its own. */
function isPc(spec: MachineSpec): boolean {
  return /^pc($|-i440fx)/.test(machineTypeOf(spec));
}

function needsScsi(spec: MachineSpec): boolean {
  return spec.diskInterface === 'virtio-scsi' || (cdsOf(spec).length > 0 && cdInterfaceOf(spec) === 'virtio-scsi');
}

function needsAhci(spec: MachineSpec): boolean {
  const kinds = [spec.diskInterface, ...(cdsOf(spec).length > 0 ? [cdInterfaceOf(spec)] : [])];
  const wants = kinds.includes('sata') || (kinds.includes('ide') && !isPc(spec));
  return wants && sataBus(spec) === 'sata0';
}

/** Only the old PC has buses that two share, and finds a place by itself; elsewhere each port is a bus, and QEMU would take the first one twice. */
function ideBus(spec: MachineSpec, port: number): string {
  return isPc(spec) ? '' : `,bus=${sataBus(spec)}.${port}`;
}

/** q35 has a controller of its own. */
function sataBus(spec: MachineSpec): string {
  return /q35/.test(machineTypeOf(spec)) ? 'ide' : 'sata0';
}

function kernelArguments({ kernel }: MachineSpec): readonly Argument[] {
  if (kernel === undefined) return [];
  return [['-kernel', kernel.kernel], ...(kernel.initrd === undefined ? [] : [['-initrd', kernel.initrd] as const]), ...(kernel.arguments === undefined ? [] : [['-append', kernel.arguments] as const])];
}

function networkArguments(spec: MachineSpec, { hostPort, ports, macAddress }: MachineFacts): readonly Argument[] {
  const { netDevice = `virtio-net-${bus(spec)}`, netBridge, guestPort, forwards = [], netboot } = spec;
  const device: Argument = ['-device', `${netDevice},id=net0-device,netdev=net0,mac=${macAddress}${netboot === undefined ? '' : `,bootindex=${spec.disks.length + cdsOf(spec).length + 1}`}`];
  if (netBridge !== undefined) return [['-netdev', `bridge,id=net0,br=${netBridge}`], device];
  const options = [
    'user,id=net0',
    ...(netboot === undefined ? [] : [`tftp=${escaped(netboot.folder)}`, `bootfile=${escaped(netboot.bootFile)}`]),
    ...(hostPort === undefined ? [] : [`hostfwd=tcp:127.0.0.1:${hostPort}-:${guestPort}`]),
    ...Object.entries(ports).map(([guest, host]) => `hostfwd=tcp:127.0.0.1:${host}-:${guest}`),
    ...forwards.map(({ protocol = 'tcp', hostAddress = '127.0.0.1', hostPort: from, guestPort: to }) => `hostfwd=${protocol}:${hostAddress}:${from ?? to}-:${to}`),
  ];
  return [['-netdev', options.join(',')], device];
}

function tpmArguments({ tpm, architecture }: MachineSpec, { tpmSocket }: MachineFacts): readonly Argument[] {
  if (tpm === undefined || tpmSocket === undefined) return [];
  return [
    ['-chardev', `socket,id=tpm0-socket,path=${escaped(tpmSocket)}`],
    ['-tpmdev', 'emulator,id=tpm0,chardev=tpm0-socket'],
    ['-device', `${architecture === 'x86_64' ? 'tpm-tis' : 'tpm-tis-device'},id=tpm0-device,tpmdev=tpm0`],
  ];
}

function displayArguments({ display: wanted = 'none', vga, vnc, architecture }: MachineSpec): readonly Argument[] {
  const window = process.platform === 'darwin' ? 'cocoa' : 'gtk';
  const display = wanted === 'window' ? window : wanted;
  const card: readonly Argument[] = architecture === 'x86_64'
    ? [['-vga', vga ?? 'std']]
    : architecture === 's390x' ? [] : [['-device', `${vga ?? 'virtio-gpu-pci'},id=vga0`], ['-device', 'qemu-xhci,id=keyboard-bus'], ['-device', 'usb-kbd,id=keyboard0,bus=keyboard-bus.0']];
  if (vnc === undefined) return [['-display', display], ...card];
  const { bindAddress = '127.0.0.1', portMin = 5_900, portMax = 6_000, password } = vnc;
  const first = portMin - 5_900;
  const server = [`${bindAddress.includes(':') ? `[${bindAddress}]` : bindAddress}:${first}`, `to=${portMax - 5_900}`, ...(password === undefined ? [] : ['password=on'])].join(',');
  return [['-display', display], ['-vnc', server], ...card];
}
