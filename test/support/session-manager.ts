// What Systems Manager and the SSM agent of a machine do for a session that forwards a port, as far as the vendor's own
// session-manager-plugin sees it: the calls, the data channel (a WebSocket with the agent's messages), and the streams on it (smux).
import { createHash, randomBytes } from 'node:crypto';
import { createServer, request, type IncomingMessage, type ServerResponse } from 'node:http';
import { type AddressInfo, connect, type Socket } from 'node:net';
import type { Test } from 'tap';
import { type WebSocket, WebSocketServer } from 'ws';

export interface SessionManager {
  /** For `AWS_ENDPOINT_URL_SSM`; other calls go to the server behind. */
  readonly url: string;
  readonly asked: readonly { readonly action: string; readonly input: Readonly<Record<string, unknown>> }[];
  /** Of the sessions that were begun, in order. */
  readonly tokens: readonly string[];
}

export interface SessionManagerOptions {
  /** Of the machine. */
  readonly port: number;
  /** The server behind. */
  readonly behind: string;
  /** Calls of StartSession that find the agent not there yet. @default 0 */
  readonly offline?: number;
}

/** An agent that takes several connections on one channel, and lets the plugin end it. */
const agentVersion = '3.3.0.0';
const payload = { output: 1, handshakeRequest: 5, handshakeResponse: 6, handshakeComplete: 7, flag: 10 } as const;

/** Starts one; it ends with the test. */
export async function startSessionManager(t: Test, { port, behind, offline = 0 }: SessionManagerOptions): Promise<SessionManager> {
  const asked: { action: string; input: Record<string, unknown> }[] = [];
  const sessions = new Map<string, object>();
  let left = offline;
  const server = createServer((incoming, response) => {
    const chunks: Buffer[] = [];
    incoming.on('data', (chunk: Buffer) => chunks.push(chunk)).on('end', () => {
      const body = Buffer.concat(chunks);
      const action = String(incoming.headers['x-amz-target'] ?? '').replace(/^AmazonSSM\./, '');
      if (action !== 'StartSession' && action !== 'TerminateSession') return hand(incoming, body, response, behind);
      const input = JSON.parse(body.toString()) as Record<string, unknown>;
      asked.push({ action, input });
      if (action === 'TerminateSession') return answer(response, 200, { SessionId: input['SessionId'] });
      if (left-- > 0) return answer(response, 400, { __type: 'TargetNotConnected', message: `${String(input['Target'])} is not connected.` });
      const [id, token] = [`bake-${randomBytes(8).toString('hex')}`, randomBytes(24).toString('hex')];
      const parameters = Object.entries(input['Parameters'] as Readonly<Record<string, readonly string[]>>).map(([name, [value]]) => [name, value]);
      sessions.set(token, { ...Object.fromEntries(parameters), type: 'LocalPortForwarding' });
      return answer(response, 200, { SessionId: id, TokenValue: token, StreamUrl: `ws://127.0.0.1:${(server.address() as AddressInfo).port}/data-channel/${id}` });
    });
  });
  const channels = new WebSocketServer({ server });
  channels.on('connection', (socket) => serve(socket, port, sessions));
  await new Promise<void>((resolve) => { server.listen(0, '127.0.0.1', resolve); });
  t.teardown(() => { for (const socket of channels.clients) socket.terminate(); server.closeAllConnections(); server.close(); });
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, asked, get tokens() { return [...sessions.keys()]; } };
}

function answer(response: ServerResponse, status: number, body: object): void {
  response.writeHead(status, { 'content-type': 'application/x-amz-json-1.1' }).end(JSON.stringify(body));
}

function hand({ url = '/', method, headers }: IncomingMessage, body: Buffer, response: ServerResponse, behind: string): void {
  const outgoing = request(new URL(url, behind), { method: method ?? 'POST', headers }, (given) => {
    response.writeHead(given.statusCode ?? 500, given.headers);
    given.pipe(response);
  });
  outgoing.end(body);
}

/** The agent's side of one data channel. @param sessions what was asked for with each token */
function serve(socket: WebSocket, port: number, sessions: ReadonlyMap<string, object>): void {
  let sequence = 0n;
  let expected = 0n;
  const early = new Map<bigint, Buffer>();
  const send = (type: number, data: Buffer) => { socket.send(messageOf('output_stream_data', sequence++, type, data)); };
  const streams = new Streams(port, (frame) => send(payload.output, frame));
  socket.on('close', () => streams.close());
  socket.on('message', (data: Buffer, isBinary) => {
    if (!isBinary) {
      const { TokenValue } = JSON.parse(data.toString()) as { readonly TokenValue?: string };
      const Properties = sessions.get(TokenValue ?? '');
      if (Properties === undefined) return socket.terminate();
      return send(payload.handshakeRequest, Buffer.from(JSON.stringify({ AgentVersion: agentVersion, RequestedClientActions: [{ ActionType: 'SessionType', ActionParameters: { SessionType: 'Port', Properties } }] })));
    }
    if (typeOf(data) !== 'input_stream_data') return; // an acknowledgement
    socket.send(acknowledgementOf(data));
    // What is not acknowledged in time comes again, and may overtake what was before it.
    early.set(data.readBigInt64BE(48), data);
    for (let next = early.get(expected); next !== undefined; next = early.get(expected)) {
      early.delete(expected++);
      take(next);
    }
    for (const number of early.keys()) if (number < expected) early.delete(number);
  });
  const take = (data: Buffer) => {
    const [type, content] = [data.readUInt32BE(112), data.subarray(120)];
    if (type === payload.handshakeResponse) send(payload.handshakeComplete, Buffer.from(JSON.stringify({ HandshakeTimeToComplete: 1, CustomerMessage: '' })));
    else if (type === payload.output) streams.take(content);
    else if (type === payload.flag) socket.close();
  };
}

// Length of the header 4, type 32, version 4, date 8, sequence 8, flags 8, id 16, digest 32, type of the payload 4, its length 4.
function messageOf(type: string, sequence: bigint, payloadType: number, data: Buffer): Buffer {
  const head = Buffer.alloc(120);
  head.writeUInt32BE(116, 0);
  head.write(type.padEnd(32, ' '), 4, 'latin1');
  head.writeUInt32BE(1, 36);
  head.writeBigUInt64BE(BigInt(Date.now()), 40);
  head.writeBigInt64BE(sequence, 48);
  randomBytes(16).copy(head, 64);
  createHash('sha256').update(data).digest().copy(head, 80);
  head.writeUInt32BE(payloadType, 112);
  head.writeUInt32BE(data.length, 116);
  return Buffer.concat([head, data]);
}

function typeOf(data: Buffer): string {
  return data.toString('latin1', 4, 36).replaceAll('\0', '').trim();
}

function acknowledgementOf(data: Buffer): Buffer {
  // The second half of an id comes first.
  const hex = Buffer.concat([data.subarray(72, 80), data.subarray(64, 72)]).toString('hex');
  const id = hex.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5');
  return messageOf('acknowledge', 0n, 0, Buffer.from(JSON.stringify({ AcknowledgedMessageType: typeOf(data), AcknowledgedMessageId: id, AcknowledgedMessageSequenceNumber: Number(data.readBigInt64BE(48)), IsSequentialMessage: true })));
}

/** Connections on one channel, as smux 1 puts them there: version, command, length and stream, little end first. */
class Streams {
  readonly #sockets = new Map<number, Socket>();
  readonly #port: number;
  readonly #send: (frame: Buffer) => void;
  #rest: Buffer = Buffer.alloc(0);

  constructor(port: number, send: (frame: Buffer) => void) {
    this.#port = port;
    this.#send = send;
  }

  take(data: Buffer): void {
    this.#rest = Buffer.concat([this.#rest, data]);
    while (this.#rest.length >= 8 && this.#rest.length >= 8 + this.#rest.readUInt16LE(2)) {
      const [command, length, stream] = [this.#rest[1], this.#rest.readUInt16LE(2), this.#rest.readUInt32LE(4)];
      const content = this.#rest.subarray(8, 8 + length);
      this.#rest = this.#rest.subarray(8 + length);
      if (command === 0) this.#open(stream);
      else if (command === 1) this.#sockets.get(stream)?.end();
      else if (command === 2) this.#sockets.get(stream)?.write(content);
    }
  }

  close(): void {
    for (const socket of this.#sockets.values()) socket.destroy();
  }

  #open(stream: number): void {
    const socket = connect(this.#port, '127.0.0.1');
    this.#sockets.set(stream, socket);
    socket.on('data', (data) => { for (let at = 0; at < data.length; at += 1_000) this.#frame(2, stream, data.subarray(at, at + 1_000)); });
    socket.on('error', () => {}).on('close', () => { this.#sockets.delete(stream); this.#frame(1, stream, Buffer.alloc(0)); });
  }

  #frame(command: number, stream: number, data: Buffer): void {
    const head = Buffer.alloc(8);
    head.writeUInt8(1, 0);
    head.writeUInt8(command, 1);
    head.writeUInt16LE(data.length, 2);
    head.writeUInt32LE(stream, 4);
    this.#send(Buffer.concat([head, data]));
  }
}
