import { createReadStream } from 'node:fs';
import { open, readFile } from 'node:fs/promises';
import type { StagedAsset } from '../../../plan/late.js';
import { inlineScript } from '../../inline-script.js';
import type { ShellScriptSpec } from '../steps.js';

/** A script as it goes to the machine. */
export interface ScriptContent {
  /** For messages. */
  readonly title: string;
  /** Bytes. */
  readonly size: number;
  /** At least its first 512 bytes. */
  readonly head: Uint8Array;
  /** Its bytes; may be asked for again. */
  readonly body: () => AsyncIterable<Uint8Array> | Iterable<Uint8Array>;
}

/** The scripts of a spec, in their order; each is read when its turn comes. */
export function scriptContents({ inline, script, scripts, inlineShebang, binary }: ShellScriptSpec): readonly (() => Promise<ScriptContent>)[] {
  if (inline !== undefined) return [async () => ofBytes('the inline script', Buffer.from(inlineScript(inline, inlineShebang)), binary)];
  return (scripts ?? (script === undefined ? [] : [script])).map((asset) => () => ofAsset(asset, binary));
}

async function ofAsset(asset: StagedAsset, binary = false): Promise<ScriptContent> {
  if (!binary) return ofBytes(asset.name, await readFile(asset.path));
  const file = await open(asset.path);
  try {
    const [{ size }, { buffer, bytesRead }] = await Promise.all([file.stat(), file.read(Buffer.alloc(512), 0, 512, 0)]);
    return { title: asset.name, size, head: buffer.subarray(0, bytesRead), body: () => createReadStream(asset.path) };
  } finally {
    await file.close();
  }
}

function ofBytes(title: string, given: Buffer, binary = false): ScriptContent {
  const bytes = binary ? given : withUnixLineEnds(given);
  return { title, size: bytes.length, head: bytes, body: () => [bytes] };
}

/** Byte by byte, since a script may be in any encoding. */
function withUnixLineEnds(bytes: Buffer): Buffer {
  return bytes.includes('\r\n') ? Buffer.from(bytes.toString('latin1').replaceAll('\r\n', '\n'), 'latin1') : bytes;
}
