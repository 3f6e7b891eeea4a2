// A server that takes whatever it is asked, and reads each request by the vendor's own description of it: the one that
// botocore carries. It proves what goes over the wire where no independent server knows the call.
import { readdirSync, readFileSync } from 'node:fs';
import { createServer, request as ask, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import type { Test } from 'tap';

interface Shape {
  readonly type: string;
  readonly members?: Readonly<Record<string, { readonly shape: string; readonly locationName?: string; readonly queryName?: string }>>;
  readonly member?: { readonly shape: string };
  readonly required?: readonly string[];
  readonly enum?: readonly string[];
}
interface Model {
  readonly operations: Readonly<Record<string, { readonly input?: { readonly shape: string } }>>;
  readonly shapes: Readonly<Record<string, Shape>>;
}

export interface RecordedCall {
  readonly action: string;
  /** With the names of the vendor's description, and its types. */
  readonly input: unknown;
}

export interface Ec2Recorder {
  readonly url: string;
  readonly calls: readonly RecordedCall[];
}

/** What an action is answered with: the content of its answer in XML. */
export type Answers = Readonly<Record<string, string>>;

/**
 * Starts one; it ends with the test. A request that the description does not allow fails the test.
 * @param behind address of a server that answers what `answers` does not
 */
export async function startEc2Recorder(t: Test, answers: Answers = {}, behind?: string): Promise<Ec2Recorder> {
  const model = readModel();
  const calls: RecordedCall[] = [];
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk)).on('end', () => {
      const body = Buffer.concat(chunks);
      const { Action: action = '', Version: _, ...params } = Object.fromEntries(new URLSearchParams(body.toString()));
      if (action === '' && behind !== undefined) return hand(request, body, response, behind); // of another service
      try {
        calls.push({ action, input: decode(model, model.operations[action]?.input?.shape ?? 'none', params) });
      } catch (error) {
        t.fail(`${action}: ${(error as Error).message}`, { params });
      }
      if (answers[action] === undefined && behind !== undefined) return hand(request, body, response, behind);
      response.writeHead(200, { 'content-type': 'text/xml' }).end(`<${action}Response xmlns="http://ec2.amazonaws.com/doc/2016-11-15/"><requestId>1</requestId>${answers[action] ?? '<return>true</return>'}</${action}Response>`);
    });
  });
  await new Promise<void>((resolve) => { server.listen(0, '127.0.0.1', resolve); });
  t.teardown(() => { server.closeAllConnections(); server.close(); });
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, calls };
}

function hand({ url, method, headers }: IncomingMessage, body: Buffer, response: ServerResponse, behind: string): void {
  ask(new URL(url ?? '/', behind), { ...(method === undefined ? {} : { method }), headers }, (answer) => {
    response.writeHead(answer.statusCode ?? 500, answer.headers);
    answer.pipe(response);
  }).end(body);
}

function readModel(): Model {
  const lib = '/opt/bake-test-moto/lib';
  const python = readdirSync(lib).find((name) => name.startsWith('python3'))!;
  return JSON.parse(gunzipSync(readFileSync(join(lib, python, 'site-packages/botocore/data/ec2/2016-11-15/service-2.json.gz'))).toString()) as Model;
}

/** https://smithy.io/2.0/aws/protocols/aws-ec2-query-protocol.html */
function decode({ shapes }: Model, root: string, params: Readonly<Record<string, string>>): unknown {
  const read = new Set<string>();
  const hasBelow = (path: string) => Object.keys(params).some((key) => key === path || key.startsWith(`${path}.`));
  const at = (name: string, path: string): unknown => {
    const shape = shapes[name];
    if (shape === undefined) throw new Error(`there is no such action or shape: ${name}`);
    if (shape.type === 'structure') {
      const members = Object.entries(shape.members ?? {}).flatMap(([member, { shape: of, locationName, queryName }]) => {
        const wire = queryName ?? capital(locationName ?? member);
        const below = path === '' ? wire : `${path}.${wire}`;
        return hasBelow(below) ? [[member, at(of, below)] as const] : [];
      });
      const there = new Set(members.map(([member]) => member));
      const missing = (shape.required ?? []).filter((member) => !there.has(member));
      if (missing.length > 0) throw new Error(`${name} must have ${missing.join(', ')}`);
      return Object.fromEntries(members);
    }
    if (shape.type === 'list') {
      const items: unknown[] = [];
      while (hasBelow(`${path}.${items.length + 1}`)) items.push(at(shape.member!.shape, `${path}.${items.length + 1}`));
      return items;
    }
    read.add(path);
    return scalar(shape, name, params[path] ?? '');
  };
  const value = at(root, '');
  const unknown = Object.keys(params).filter((key) => !read.has(key));
  if (unknown.length > 0) throw new Error(`it knows no ${unknown.join(', ')}`);
  return value;
}

function scalar({ type, enum: allowed }: Shape, name: string, text: string): unknown {
  if (allowed !== undefined && !allowed.includes(text)) throw new Error(`${name} may not be ${text}`);
  if (type === 'boolean' && !['true', 'false'].includes(text)) throw new Error(`${name} may not be ${text}`);
  if ((type === 'integer' || type === 'long') && !/^-?\d+$/.test(text)) throw new Error(`${name} may not be ${text}`);
  if (type === 'timestamp' && !/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z$/.test(text)) throw new Error(`${name} may not be ${text}`);
  if (type === 'boolean') return text === 'true';
  return type === 'integer' || type === 'long' || type === 'double' ? Number(text) : text;
}

function capital(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}
