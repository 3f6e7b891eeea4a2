import type { Trial, TrialPlanner } from '../../image/compile.js';
import type { TextInput } from '../../image/ref.js';
import { addLogin, hasOwnLogin } from './login.js';
import { machineSpec, machineTraits } from './machine-spec.js';
import type { QemuSourceProps } from './qemu-props.js';
import { qemuDisk, qemuHost, qemuMachine, qemuReady } from './steps.js';

/**
 * The steps that start a finished disk image on an overlay of its own. Keys of the run are handed in by cloud-init and by
 * systemd, whichever the image has; an image that the user has a login for is entered with that.
 */
export function planTrial(props: QemuSourceProps, output: TextInput, { artifact, ports, step }: TrialPlanner): Trial {
  const { architecture, firmware } = machineTraits(props);
  const { kernel, netboot, netBridge, macAddress, hostPort, forwards, vnc, firmware: files, ...spec } = machineSpec(props);
  const login = addLogin({ step }, { ...props, disk: output, iso: undefined, rootfs: undefined, cloudInit: !hasOwnLogin(props.ssh) || props.ssh?.hostKey === undefined } as QemuSourceProps);
  const host = step('Host', { kind: qemuHost, title: `QEMU for ${architecture}`, spec: { architecture, binary: props.qemuBinary, accelerator: props.accelerator ?? 'auto' } });
  const disk = step('Disk', { kind: qemuDisk, title: 'overlay on the image', spec: { output, base: artifact, mode: 'overlay', format: 'qcow2' } });
  const vars = firmware.type === 'uefi' && firmware.keepVars ? artifact.get('data').get('efiVars') : files.vars;
  const machine = step('Machine', {
    kind: qemuMachine, title: 'virtual machine of the image',
    spec: {
      ...spec, firmware: { ...files, vars }, binary: host.ref('binary'), accelerator: host.ref('accelerator'), disks: disk.ref('disks'), publish: ports, connection: login.connection,
      seed: login.seed === undefined ? undefined : step('Seed', login.seed).ref('file'), systemdKeys: login.keys,
    },
  });
  if (login.connection === undefined) return { host: '127.0.0.1', ports: machine.ref('ports') };
  const ready = step('Ready', { kind: qemuReady, title: 'wait until the image lets us in', spec: { connection: machine.ref('connection'), qmp: machine.ref('qmp'), serialLog: machine.ref('serialLog') } });
  return { connection: machine.ref('connection'), host: '127.0.0.1', ports: machine.ref('ports'), after: [ready] };
}
