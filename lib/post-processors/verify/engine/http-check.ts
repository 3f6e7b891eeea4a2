import { request } from 'node:http';
import type { StepContext } from '../../../engine/handler.js';
import type { CheckSpec } from '../steps.js';
import { mismatch } from './expected-text.js';
import type { Finding } from './verify-handler.js';

type HttpSpec = Extract<CheckSpec, { readonly type: 'http' }>;

/** Milliseconds for one attempt. */
const patience = 15_000;
/** So much of a page is compared; bytes. */
const bodyLimit = 1024 * 1024;

export async function tryHttp(check: HttpSpec, { host, port }: { readonly host: string; readonly port: number }, { signal }: Pick<StepContext, 'signal'>): Promise<Finding | undefined> {
  let answer: { readonly status: number; readonly body: string };
  try {
    answer = await get({ host, port, path: check.path, headers: check.headers ?? {}, signal: AbortSignal.any([signal, AbortSignal.timeout(patience)]) });
  } catch (error) {
    signal.throwIfAborted();
    return { message: `no answer (${(error as NodeJS.ErrnoException).code ?? (error as Error).message})` };
  }
  if (answer.status !== check.status) return { message: `the status is ${answer.status}, not ${check.status}`, output: answer.body.split('\n').slice(0, 10) };
  const mistake = mismatch('page', answer.body, check.body);
  return mistake === undefined ? undefined : { message: mistake, output: answer.body.split('\n').slice(0, 10) };
}

interface Page {
  readonly host: string;
  readonly port: number;
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly signal: AbortSignal;
}

function get({ headers, ...where }: Page): Promise<{ readonly status: number; readonly body: string }> {
  return new Promise((resolve, reject) => {
    request({ ...where, headers: { ...headers }, agent: false }, (response) => {
      let body = '';
      response.setEncoding('utf8');
      response.on('data', (text: string) => { if (body.length < bodyLimit) body += text; });
      response.on('end', () => resolve({ status: response.statusCode ?? 0, body }));
      response.on('error', reject);
    }).on('error', reject).end();
  });
}
