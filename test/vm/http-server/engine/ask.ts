import { request } from 'node:http';

export interface Asked {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly body: string;
}

/** Sends a request as it is, without tidying the path up as browsers do. */
export async function ask(url: string, path: string, options: { readonly method?: string; readonly headers?: Record<string, string> } = {}): Promise<Asked> {
  const { hostname, port } = new URL(url);
  return new Promise((resolve, reject) => {
    request({ hostname: hostname.replace(/^\[|\]$/g, ''), port, path, agent: false, ...options }, (reply) => {
      let body = '';
      reply.setEncoding('utf8');
      reply.on('data', (chunk: string) => { body += chunk; });
      reply.on('end', () => resolve({ status: reply.statusCode ?? 0, headers: reply.headers, body }));
      reply.on('error', reject);
    }).on('error', reject).end();
  });
}
