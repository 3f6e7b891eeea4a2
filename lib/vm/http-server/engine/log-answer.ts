import type { IncomingMessage, ServerResponse } from 'node:http';

const longestTarget = 200;

/**
 * Logs a request when it is over: `GET /preseed.cfg 200, 1204 bytes, to 127.0.0.1`. The query is left out: what a guest puts
 * there may be meant for nobody else.
 * @returns adds a remark to the line
 */
export function logAnswer(request: IncomingMessage, response: ServerResponse, log: (line: string) => void): (remark: string) => void {
  const remarks: string[] = [];
  const { method = '', url = '', socket } = request;
  const client = socket.remoteAddress ?? 'a client that is gone';
  const target = url.replace(/[?#].*$/s, '');
  response.once('close', () => {
    const length = response.getHeader('content-length');
    const size = response.statusCode < 300 && method === 'GET' && length !== undefined ? [`${String(length)} bytes`] : [];
    const end = response.writableFinished ? [] : ['broken off before its end'];
    log([`${method} ${target.length > longestTarget ? `${target.slice(0, longestTarget)}…` : target} ${response.statusCode}`, ...size, ...remarks, ...end, `to ${client}`].join(', '));
  });
  return (remark) => { remarks.push(remark); };
}
