import { copyFile, readdir, readFile, stat } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { BakeError } from '../../../core/bake-error.js';
import type { StepContext } from '../../../engine/handler.js';
import { type Architecture, type FirmwareSpec, machineTypeOf } from '../steps.js';

export interface FirmwareFiles {
  readonly code: string;
  /** A machine's own copy: it writes its boot entries there. */
  readonly vars: string;
}

/** Where systems keep descriptions of their firmware; the format is QEMU's `docs/interop/firmware.json`. The first one that fits is taken. */
const descriptionFolders = ['/etc/qemu/firmware', '/usr/share/qemu/firmware', '/usr/local/share/qemu/firmware', '/opt/homebrew/share/qemu/firmware', 'C:\\Program Files\\qemu\\share\\firmware'];

interface Description {
  readonly 'interface-types'?: readonly string[];
  readonly mapping?: { readonly device?: string; readonly executable?: { readonly filename: string; readonly format?: string }; readonly 'nvram-template'?: { readonly filename: string } };
  readonly targets?: readonly { readonly architecture: string; readonly machines: readonly string[] }[];
  readonly features?: readonly string[];
}

/**
 * The UEFI firmware of a machine, with a fresh copy of its variables in `folder`; undefined for a BIOS.
 * @throws BakeError `FirmwareNotFound`
 */
export async function prepareFirmware(spec: { readonly firmware: FirmwareSpec; readonly architecture: Architecture; readonly machine?: string | undefined }, folder: string, ctx: StepContext): Promise<FirmwareFiles | undefined> {
  const { firmware } = spec;
  if (firmware.type === 'bios') {
    if (firmware.code !== undefined) await requireFile(resolve(ctx.run.project, firmware.code), firmware.code);
    return undefined;
  }
  const given = (path: string | undefined) => (path === undefined ? undefined : resolve(ctx.run.project, path));
  const found = firmware.code !== undefined && firmware.vars !== undefined ? undefined : await findFirmware(spec);
  const code = given(firmware.code) ?? found?.code;
  const template = given(firmware.vars) ?? found?.vars;
  if (code === undefined || template === undefined) throw notFound(spec);
  await requireFile(code, code);
  await requireFile(template, template);
  const vars = join(folder, 'efivars.fd');
  await copyFile(template, vars);
  return { code, vars };
}

/** The firmware that the system describes for such a machine, undefined if there is none. */
export async function findFirmware({ firmware, architecture, machine }: { readonly firmware: Pick<FirmwareSpec, 'secureBoot'>; readonly architecture: Architecture; readonly machine?: string | undefined }): Promise<FirmwareFiles | undefined> {
  const type = machineTypeOf({ architecture, machine });
  for (const folder of descriptionFolders) {
    for (const name of (await readdir(folder).catch(() => [])).filter((entry) => entry.endsWith('.json')).sort()) {
      const description = JSON.parse(await readFile(join(folder, name), 'utf8')) as Description;
      const { mapping, features = [] } = description;
      const fits = description['interface-types']?.includes('uefi') === true && mapping?.device === 'flash' && (mapping.executable?.format ?? 'raw') === 'raw'
        && description.targets?.some((target) => target.architecture === architecture && target.machines.some((pattern) => takes(pattern, type))) === true
        && (firmware.secureBoot === true ? features.includes('secure-boot') && features.includes('enrolled-keys') : !features.includes('requires-smm') && !features.includes('enrolled-keys'));
      const [code, vars] = [mapping?.executable?.filename, mapping?.['nvram-template']?.filename];
      // A description may come without its files: some packages leave them out.
      if (fits && code !== undefined && vars !== undefined && await isFile(code) && await isFile(vars)) return { code, vars };
    }
  }
  return undefined;
}

/** `pc-q35-*` stands for `q35` too, which is the name of its newest version. */
function takes(pattern: string, machineType: string): boolean {
  const prefix = pattern.replace(/\*$/, '');
  return machineType === pattern || machineType.startsWith(prefix) || { 'q35': 'pc-q35-', 'pc': 'pc-i440fx-', 'virt': 'virt-' }[machineType] === prefix;
}

function isFile(path: string): Promise<boolean> {
  return stat(path).then((facts) => facts.isFile(), () => false);
}

async function requireFile(path: string, given: string): Promise<void> {
  if (await isFile(path)) return;
  throw new BakeError({ code: 'FirmwareNotFound', message: `there is no firmware file ${given}`, hint: 'correct the path in "firmware", or leave it out to take the one that the system has' });
}

function notFound({ firmware, architecture }: { readonly firmware: FirmwareSpec; readonly architecture: Architecture }): BakeError {
  const what = `${firmware.secureBoot === true ? 'UEFI firmware with secure boot' : 'UEFI firmware'} for ${architecture}`;
  const packageName = architecture === 'aarch64' ? 'qemu-efi-aarch64' : 'ovmf';
  return new BakeError({ code: 'FirmwareNotFound', message: `there is no ${what} on this machine`, hint: `install it (apt-get install ${packageName}), or give firmware: { type: 'uefi', code: '…', vars: '…' }` });
}
