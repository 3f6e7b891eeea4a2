import { readFile } from 'node:fs/promises';
import { BakeError } from '../../../core/bake-error.js';
import type { CloudInitSeedSpec } from '../steps.js';
import { loginConfig } from './cloud-init/login-config.js';
import { metaDataOf } from './cloud-init/meta-data.js';
import { readDocument } from './cloud-init/read-document.js';
import { checkUserData, combineUserData } from './cloud-init/user-data.js';
import { yamlOf } from './cloud-init/yaml-of.js';
import { mediumHandler } from './medium-handler.js';
import { planTree } from './medium-tree.js';
import { findIsoTool, writeIso } from './write-iso.js';

/** Carries out `vm.cloudInitSeed`: https://docs.cloud-init.io/en/latest/reference/datasources/nocloud.html */
export const seedHandler = mediumHandler<CloudInitSeedSpec>({
  name: 'cidata.iso',
  async check({ userData }, ctx) {
    await findIsoTool(ctx.exec, ctx.signal);
    checkUserData(await readDocument(userData));
  },
  async make(spec, ctx, place) {
    const { hostKey, hostname, instanceId } = spec;
    const [userData, metaData, networkConfig] = await Promise.all([readDocument(spec.userData), readDocument(spec.metaData), readDocument(spec.networkConfig)]);
    const privateKey = hostKey === undefined ? undefined : await readHostKey(hostKey.privateKeyFile);
    const login = loginConfig({ ...spec, hostKey: privateKey === undefined || hostKey === undefined ? undefined : { privateKey, publicKey: hostKey.publicKey } });
    const content = {
      'user-data': combineUserData(userData, login, ctx.warn),
      'meta-data': metaDataOf(metaData, { instanceId, hostname, ownId: `bake-${ctx.token}` }),
      ...(networkConfig === undefined ? {} : { 'network-config': networkConfig instanceof Uint8Array ? networkConfig : yamlOf(networkConfig) }),
    };
    await writeIso(ctx, 'cidata', await planTree({ content }), place);
  },
});

async function readHostKey(path: string): Promise<string> {
  try {
    return await readFile(path, 'utf8');
  } catch (cause) {
    throw new BakeError({ code: 'HostKeyNotReadable', message: `the host key ${path} cannot be read`, hint: 'a key of the run is gone when the run ends: the step that makes it has to be of the same run', cause });
  }
}
