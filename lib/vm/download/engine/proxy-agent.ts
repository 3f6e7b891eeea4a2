import type { Agent } from 'node:http';
import { HttpFailure } from './http-failure.js';

/**
 * The agent for a URL by `HTTP_PROXY`, `HTTPS_PROXY`, `ALL_PROXY` and `NO_PROXY`; undefined where it is reached without a proxy.
 * @throws HttpFailure
 */
export async function proxyAgent(url: URL): Promise<Agent | undefined> {
  const { getProxyForUrl } = await import('proxy-from-env');
  const text = getProxyForUrl(url.href);
  if (text === '') return undefined;
  const proxy = URL.canParse(text) ? new URL(text) : undefined;
  if (proxy?.protocol !== 'http:' && proxy?.protocol !== 'https:') {
    // What it is instead is not shown: there may be a password in it.
    throw new HttpFailure('the proxy that the environment names is no http or https URL', { transient: false, hint: 'look at HTTP_PROXY, HTTPS_PROXY and ALL_PROXY; NO_PROXY takes hosts out' });
  }
  if (url.protocol === 'https:') return new (await import('https-proxy-agent')).HttpsProxyAgent(proxy);
  return new (await import('http-proxy-agent')).HttpProxyAgent(proxy);
}
