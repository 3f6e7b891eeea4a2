import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http';
import send from 'send';
import { closest } from '../../../core/closest.js';
import { servedPath } from '../served-path.js';
import { logAnswer } from './log-answer.js';
import type { Folder } from './open-folder.js';

/** A name that is worth a guess at what was meant. */
const longestGuess = 100;

export interface ServedThings {
  readonly folder: Folder | undefined;
  /** Texts by path. */
  readonly content: Readonly<Record<string, string>>;
  /** Takes a line for each request. */
  readonly log: (line: string) => void;
}

/** Answers GET and HEAD with a text or a file; nothing else can be had, and nothing can be changed. */
export function answerRequests({ folder, content, log }: ServedThings): RequestListener {
  const texts = new Map(Object.entries(content).map(([path, text]) => [servedPath(path) ?? path, text]));
  return (request, response) => {
    const path = pathOf(request);
    const note = logAnswer(request, response, log);
    // What it serves is for a machine, never for a browser of the user's to run, cache or guess at.
    response.setHeader('x-content-type-options', 'nosniff');
    response.setHeader('cache-control', 'no-store');
    if (request.method !== 'GET' && request.method !== 'HEAD') {
      response.setHeader('allow', 'GET, HEAD');
      return refuse(response, 405);
    }
    const text = path === undefined ? undefined : texts.get(path);
    if (text !== undefined) return sendText(request, response, text);
    void sendFile(request, response, folder, path).then(async (isThere) => {
      if (isThere) return;
      const near = path === undefined || path.length > longestGuess ? undefined : closest(path, [...texts.keys(), ...await folder?.list() ?? []]);
      note(near === undefined ? 'there is no such file' : `there is no such file; the nearest is ${near}`);
      refuse(response, 404);
    });
  };
}

/** Undefined if no file can have it. */
function pathOf({ url = '/' }: IncomingMessage): string | undefined {
  try {
    // A client of a proxy sends the whole URL (RFC 9112, 3.2.2).
    const raw = url.replace(/^https?:\/\/[^/?#]*/i, '').replace(/[?#].*$/s, '');
    return servedPath(decodeURIComponent(raw));
  } catch {
    return undefined; // a stray percent sign
  }
}

function sendText(request: IncomingMessage, response: ServerResponse, text: string): void {
  const body = Buffer.from(text);
  response.writeHead(200, { 'content-type': 'text/plain; charset=utf-8', 'content-length': body.length });
  response.end(request.method === 'HEAD' ? undefined : body);
}

/** Sends a file with all that HTTP has for it: ranges, conditions. @returns false if there is none, and nothing was sent */
async function sendFile(request: IncomingMessage, response: ServerResponse, folder: Folder | undefined, path: string | undefined): Promise<boolean> {
  if (folder === undefined || path === undefined || !(await folder.has(path))) return false;
  return new Promise((resolve) => {
    response.once('close', () => resolve(true));
    send(request, path.split('/').map(encodeURIComponent).join('/'), { root: folder.root, index: false, dotfiles: 'allow', cacheControl: false })
      .on('error', (error: { readonly status: number; readonly headers?: Record<string, string> }) => {
        if (error.status === 404) return resolve(false);
        for (const [name, value] of Object.entries(error.headers ?? {})) response.setHeader(name, value);
        refuse(response, error.status);
        resolve(true);
      })
      .on('directory', () => resolve(false))
      .pipe(response);
  });
}

function refuse(response: ServerResponse, status: number): void {
  if (response.headersSent) return void response.destroy();
  response.writeHead(status, { 'content-length': 0 }).end();
}
