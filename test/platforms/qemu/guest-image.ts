import { tinyGuest } from '../../support/tiny-guest.js';

/** The text of an `image.ts` that builds on the tiny guest: props of its QemuSource beyond the disk and the login, and what else is in the image. */
export async function guestImage(props = '', more = ''): Promise<string> {
  const { disk, privateKeyFile, hostPublicKey } = await tinyGuest();
  return `import { App, Duration, File, Image, Secret, Shell, Size, Verify } from 'bake-sdk';
import { HostKey, QemuSource } from 'bake-sdk/qemu';
const image = new Image(new App(), 'Tiny');
new QemuSource(image, 'Vm', {
  disk: '${disk}', accelerator: 'tcg', memory: Size.mebibytes(256), cpus: 1, output: 'tiny.qcow2',
  ssh: { privateKeyFile: '${privateKeyFile}', hostKey: HostKey.publicKey('${hostPublicKey}') },
  ${props}
});
${more}
`;
}
