import { BakeError } from '../../../core/bake-error.js';
import type { DoctorCheck, DoctorHost } from '../../../engine/extension.js';
import { firstLine } from './first-line.js';
import { findIsoTool } from './write-iso.js';

/** What making CDs and floppies needs of this computer. */
export async function mediaDoctor(host: DoctorHost): Promise<readonly DoctorCheck[]> {
  return Promise.all([cd(host), floppy(host)]);
}

async function cd(host: DoctorHost): Promise<DoctorCheck> {
  const name = 'CD images';
  try {
    const { tool, version } = await findIsoTool(host.exec);
    return { name, ok: true, required: false, detail: `${tool.command}: ${version}` };
  } catch (error) {
    if (!BakeError.is(error) || error.code !== 'IsoToolNotFound') throw error;
    return { name, ok: false, required: false, detail: 'no xorriso, genisoimage, mkisofs, hdiutil or oscdimg (makes CDs and what cloud-init reads)', ...install(host, 'xorriso') };
  }
}

async function floppy(host: DoctorHost): Promise<DoctorCheck> {
  const version = await firstLine(host.exec, { command: 'mformat', args: ['--version'] });
  if (version !== undefined) return { name: 'floppy images', ok: true, required: false, detail: version };
  return { name: 'floppy images', ok: false, required: false, detail: 'no mtools (makes floppies)', ...install(host, 'mtools') };
}

function install({ hasApt, isRoot }: DoctorHost, name: string): Pick<DoctorCheck, 'install'> {
  return hasApt ? { install: [[...(isRoot ? [] : ['sudo']), 'apt-get', 'install', '-y', name]] } : {};
}
