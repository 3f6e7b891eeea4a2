import { sha256 } from '../../../../core/json.js';

/** A part of an archive; `mime` has its headers already. */
export type MimePart = { readonly type: string; readonly data: string | Uint8Array } | { readonly mime: string };

/** A MIME archive (RFC 2046, multipart/mixed): the way to hand several kinds of user-data to cloud-init. */
export function mimeArchive(parts: readonly MimePart[]): string {
  const texts = parts.map(textOf);
  const boundary = `bake-${sha256(texts.join('\n')).slice(0, 32)}`;
  return [
    `Content-Type: multipart/mixed; boundary="${boundary}"`, 'MIME-Version: 1.0', '',
    ...texts.flatMap((text) => [`--${boundary}`, text]), `--${boundary}--`, '',
  ].join('\n');
}

function textOf(part: MimePart): string {
  // Some tools put an envelope's first line there, as in a mailbox.
  if ('mime' in part) return part.mime.trimStart().replace(/^From .*\r?\n/, '');
  const lines = Buffer.from(part.data).toString('base64').match(/.{1,76}/g) ?? [];
  return [`Content-Type: ${part.type}`, 'MIME-Version: 1.0', 'Content-Transfer-Encoding: base64', '', ...lines].join('\n');
}
