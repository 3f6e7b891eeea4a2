import { buffer } from 'node:stream/consumers';
import { pack } from 'tar-stream';

/** An entry exactly as it is written, however hostile. */
export type TarEntry = Parameters<ReturnType<typeof pack>['entry']>[0] & { readonly content?: string };

/** A tar archive of these entries, none of them checked. */
export async function writeTar(entries: readonly TarEntry[]): Promise<Buffer> {
  const archive = pack();
  for (const { content, ...header } of entries) {
    if (content === undefined) archive.entry(header, '');
    else archive.entry(header, content);
  }
  archive.finalize();
  return buffer(archive);
}
