import type { BakeErrorOptions } from '../../../core/bake-error.js';

/** What a registry's refusal means, from the daemon's words, as there is no code in them. */
export function registryFailure(code: 'DockerPullFailed' | 'DockerPushFailed', reference: string, reason: string): BakeErrorOptions {
  const verb = code === 'DockerPullFailed' ? 'pull' : 'push';
  const message = `could not ${verb} ${reference}: ${reason}`;
  const says = (pattern: RegExp) => pattern.test(reason);
  if (says(/unauthorized|no basic auth credentials|authentication required|incorrect username or password|bad credentials/i)) {
    return { code: 'DockerAuthFailed', message, hint: 'check auth, or log in with "docker login" as the user that runs bake' };
  }
  if (says(/access denied|access forbidden|\bdenied\b|forbidden/i)) {
    const hint = verb === 'pull' ? 'either there is no such image, or it needs a login: check the name, and auth or "docker login"' : 'this login may not write there: check the name, and auth or "docker login"';
    return { code, message, hint };
  }
  if (says(/no matching manifest|does not match the specified platform|was found but .*platform|cannot be used on this platform/i)) return { code, message, hint: 'the image does not exist for this platform: change platform, or the image' };
  if (says(/manifest unknown|not found|does not exist|name unknown|repository name not known/i)) return { code, message, hint: 'check the name and the tag' };
  if (says(/server gave HTTP response to HTTPS client/i)) return { code, message, hint: 'the registry speaks plain HTTP: name it in "insecure-registries" of /etc/docker/daemon.json, or give it a certificate' };
  if (says(/x509|certificate|tls:/i)) return { code, message, hint: 'put the certificate of its authority into /etc/docker/certs.d/<registry>/ca.crt on the machine of the daemon' };
  if (says(/no such host|connection refused|i\/o timeout|timeout|network is unreachable|connection reset|EOF|TLS handshake|50[234]|too ?many ?requests/i)) {
    return { code, message, transient: true, hint: 'check the registry and the network of the daemon; a later try may succeed' };
  }
  return { code, message };
}
