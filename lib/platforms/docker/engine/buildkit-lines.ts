import { createRequire } from 'node:module';

/** The little that is used of protobufjs. */
interface Protobuf {
  loadSync(path: string): {
    lookupType(name: string): { decode(data: Uint8Array): unknown; toObject(message: unknown, options: object): BuildKitStatus };
  };
}

/** BuildKit's status message, as far as it is shown; `bytes` come as base64. */
interface BuildKitStatus {
  readonly vertexes?: readonly { readonly digest: string; readonly name: string; readonly started?: unknown; readonly cached?: boolean; readonly error?: string }[];
  readonly logs?: readonly { readonly msg: string }[];
}

/**
 * Turns BuildKit's messages, which are protocol buffers, into lines. dockerode does that too, but shows the programs'
 * output in base64 (5.0.1); so its schema is used, and the library that it reads it with.
 */
export function buildKitLines(onLine: (line: string) => void): (aux: string) => void {
  const decode = decoder();
  const shown = new Set<string>();
  const once = (line: string) => {
    if (!shown.has(line)) onLine(line);
    shown.add(line);
  };
  return (aux) => {
    const { vertexes = [], logs = [] } = decode(aux);
    for (const { digest, name, started, cached, error } of vertexes) {
      // Each vertex is told of several times; its digest tells two of the same name apart.
      if (started && !shown.has(digest)) onLine(`${name}${cached === true ? ' (cached)' : ''}`);
      if (started) shown.add(digest);
      if (error) once(`error: ${error}`);
    }
    for (const { msg } of logs) for (const line of Buffer.from(msg, 'base64').toString().split(/\r?\n/)) if (line !== '') onLine(line);
  };
}

function decoder(): (aux: string) => BuildKitStatus {
  const path = createRequire(import.meta.url).resolve('dockerode/lib/proto/buildkit_status.proto');
  const protobuf = createRequire(path)('protobufjs') as Protobuf;
  const type = protobuf.loadSync(path).lookupType('moby.buildkit.v1.StatusResponse');
  return (aux) => type.toObject(type.decode(Buffer.from(aux, 'base64')), { bytes: String, longs: String });
}
