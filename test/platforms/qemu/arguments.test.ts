import t from 'tap';
import { machineArguments, type MachineFacts } from '../../../lib/platforms/qemu/engine/arguments.js';
import type { MachineSpec } from '../../../lib/platforms/qemu/steps.js';

const facts: MachineFacts = { qmp: '/tmp/q/qmp', name: 'run-1', serialLog: '/logs/a,b.log', hostPort: 2200, ports: { 80: 8_080 }, firmware: undefined, tpmSocket: undefined, systemdKeys: undefined, macAddress: '52:54:00:00:00:01' };
const spec: MachineSpec = {
  binary: 'qemu-system-x86_64', accelerator: 'tcg', architecture: 'x86_64', cpus: 2, memory: 512 * 1024 ** 2, firmware: { type: 'bios' }, diskCache: 'unsafe', diskDiscard: 'unmap', diskDetectZeroes: 'off',
  guestPort: 22, disks: [{ file: '/d/disk.qcow2', format: 'qcow2' }],
};
const values = (args: readonly string[], option: string) => args.flatMap((arg, index) => (arg === option ? [args[index + 1]] : []));

t.test('the defaults', (t) => {
  const args = machineArguments(spec, facts);
  t.strictSame(values(args, '-machine'), ['q35']);
  t.strictSame(values(args, '-cpu'), ['max,la57=off']);
  t.strictSame(values(args, '-smp'), ['cpus=2']);
  t.strictSame(values(args, '-display'), ['none']);
  t.match(values(args, '-netdev'), ['user,id=net0,hostfwd=tcp:127.0.0.1:2200-:22,hostfwd=tcp:127.0.0.1:8080-:80']);
  t.ok(values(args, '-chardev').includes('file,id=serial0,path=/logs/a,,b.log'), 'a comma in a path is written twice');
  t.ok(args.includes('-no-shutdown'));
  t.end();
});

t.test('an own option takes the place of one that can be there once, or has the same id; others are added', (t) => {
  const args = machineArguments({ ...spec, qemuArgs: [['-cpu', 'Haswell'], ['-device', 'virtio-net-pci,id=net0-device,netdev=net0,mq=on'], ['-device', 'virtio-balloon-pci'], ['-snapshot']], removeQemuArgs: ['rng0', '-vga'] }, facts);
  t.strictSame(values(args, '-cpu'), ['Haswell']);
  const devices = values(args, '-device');
  t.strictSame(devices.filter((device) => device?.includes('net0-device')), ['virtio-net-pci,id=net0-device,netdev=net0,mq=on']);
  t.ok(devices.includes('virtio-balloon-pci') && devices.some((device) => device?.startsWith('virtio-blk')), 'the disk is still there');
  t.notOk(devices.some((device) => device?.includes('rng0')));
  t.notOk(args.includes('-vga'));
  t.equal(args.at(-1), '-snapshot');
  t.end();
});

t.test('every disk interface names its bus, and the disk comes before CD and network', (t) => {
  for (const [diskInterface, device] of Object.entries({ 'virtio': 'virtio-blk-pci', 'virtio-scsi': 'scsi-hd', 'ide': 'ide-hd', 'sata': 'ide-hd', 'nvme': 'nvme', 'usb': 'usb-storage' })) {
    const args = machineArguments({ ...spec, diskInterface: diskInterface as 'virtio', cds: ['/iso'] }, facts);
    const devices = values(args, '-device');
    t.ok(devices.some((one) => one?.startsWith(device) && one.includes('bootindex=1')), diskInterface);
    t.ok(devices.some((one) => one?.includes('bootindex=2')), 'the CD is second');
  }
  t.end();
});

t.test('IDE where each port is a bus of its own: no two devices on one', (t) => {
  const disks = [...spec.disks, { file: '/d/disk-1.qcow2', format: 'qcow2' }];
  const busesOf = (more: Partial<MachineSpec>) => values(machineArguments({ ...spec, disks, diskInterface: 'ide', cdInterface: 'ide', cds: ['/a.iso', '/b.iso'], ...more }, facts), '-device')
    .filter((device) => device?.startsWith('ide-')).map((device) => /bus=([^,]+)/.exec(device ?? '')?.[1]);
  t.strictSame(busesOf({}), ['ide.0', 'ide.1', 'ide.5', 'ide.4']);
  t.strictSame(busesOf({ machine: 'pc' }), [undefined, undefined, undefined, undefined], 'the old PC finds a place for four');
  const arm = { architecture: 'aarch64' } as const;
  t.strictSame(busesOf(arm), ['sata0.0', 'sata0.1', 'sata0.5', 'sata0.4']);
  t.ok(values(machineArguments({ ...spec, disks, diskInterface: 'ide', ...arm }, facts), '-device').includes('ahci,id=sata0'));
  t.end();
});

t.test('a bridge has no forwarded ports, a network boot its files', (t) => {
  t.strictSame(values(machineArguments({ ...spec, netBridge: 'br0' }, { ...facts, hostPort: undefined }), '-netdev'), ['bridge,id=net0,br=br0']);
  t.match(values(machineArguments({ ...spec, netboot: { folder: '/srv/tftp', bootFile: 'pxelinux.0' } }, facts), '-netdev')[0], 'tftp=/srv/tftp,bootfile=pxelinux.0');
  t.end();
});

t.test('firmware, TPM, VNC and other architectures', (t) => {
  const uefi = machineArguments({ ...spec, firmware: { type: 'uefi', secureBoot: true }, tpm: '2.0', vnc: { portMin: 5_905, portMax: 5_906 } }, { ...facts, firmware: { code: '/c.fd', vars: '/v.fd' }, tpmSocket: '/t' });
  t.strictSame(values(uefi, '-machine'), ['q35,smm=on']);
  t.ok(values(uefi, '-drive').some((drive) => drive?.includes('readonly=on,file=/c.fd')));
  t.ok(values(uefi, '-device').includes('tpm-tis,id=tpm0-device,tpmdev=tpm0'));
  t.strictSame(values(uefi, '-vnc'), ['127.0.0.1:5,to=6']);
  const arm = machineArguments({ ...spec, architecture: 'aarch64' }, facts);
  t.strictSame(values(arm, '-machine'), ['virt']);
  t.notOk(arm.includes('-vga'));
  t.end();
});
