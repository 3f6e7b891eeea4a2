import t from 'tap';
import { BakeError } from '../../../lib/core/bake-error.js';
import type { ExecRequest } from '../../../lib/core/ports.js';
import type { Session, SessionPort } from '../../../lib/platforms/ec2/engine/session-port.js';
import { Tunnel } from '../../../lib/platforms/ec2/engine/tunnel.js';
import { fakeClock } from '../../engine/fake-world.js';

const offline = new BakeError({ code: 'Ec2AgentOffline', message: 'i-1 is not connected', transient: true });
const denied = new BakeError({ code: 'Ec2Denied', message: 'these credentials may not call ssm:StartSession' });

/** Sessions that are answered in order, and a program that opens a port and ends when it is told to. */
function world(answers: readonly (BakeError | 'session')[], says: readonly string[] = ['', 'Starting session with SessionId: s', 'Port 4711 opened for sessionId s.']) {
  const asked: number[] = [];
  const ended: string[] = [];
  const logged: string[] = [];
  const programs: { readonly request: ExecRequest; readonly end: () => void }[] = [];
  const sessions: SessionPort = {
    start: async (_instance, { localPort }): Promise<Session> => {
      const answer = answers[asked.length] ?? 'session';
      asked.push(localPort);
      if (answer !== 'session') throw answer;
      return { id: `s${asked.length}`, streamUrl: 'wss://x', token: 'secret', endpoint: 'https://ssm' };
    },
    terminate: async (id) => { ended.push(id); },
  };
  const run = (request: ExecRequest) => new Promise<{ code: number; signal: null; stdout: string; stderr: string }>((resolve, reject) => {
    programs.push({ request, end: () => resolve({ code: 1, signal: null, stdout: '', stderr: '' }) });
    request.signal?.addEventListener('abort', () => reject(request.signal?.reason as Error));
    for (const line of says) request.onStdout?.(line);
    if (says.length > 0 && !says.some((line) => line.startsWith('Port'))) programs.at(-1)!.end();
  });
  const tunnel = new Tunnel({ sessions, instanceId: 'i-1', port: 22, region: 'eu-fake-1', profile: undefined }, { exec: { run }, clock: fakeClock(), log: (line) => { logged.push(line); }, maskSecret: () => {} });
  return { tunnel, asked, ended, logged, programs };
}
const turn = () => new Promise((resolve) => { setImmediate(resolve); });

t.test('it waits until the agent is there, and hands the token to no argument', async (t) => {
  const { tunnel, asked, ended, programs } = world([offline, offline]);
  t.equal(await tunnel.opened, 4711);
  t.same(asked, [0, 0, 0]);
  const { args = [], env } = programs[0]!.request;
  t.notMatch(args.join(' '), /secret/);
  t.match(env?.[args[0]!], /secret/);
  await tunnel.close();
  await tunnel.close();
  t.same(ended, ['s3']);
});

t.test('a session that ends is followed by one on the same port, until one is refused for good', async (t) => {
  const { tunnel, asked, ended, logged, programs } = world(['session', 'session', denied]);
  await tunnel.opened;
  programs[0]!.end();
  await turn();
  t.same(asked, [0, 4711]);
  programs[1]!.end();
  await turn();
  t.same(ended, ['s1', 's2']);
  t.match(logged, [/the session with i-1 ended; trying again/, /ended; trying again/, /may not call ssm:StartSession$/]);
  await tunnel.close();
});

t.test('no session at all is an error, with what the program said', async (t) => {
  await t.rejects(world([denied]).tunnel.opened, { code: 'Ec2Denied' });
  await t.rejects(world([], ['Cannot perform start session: EOF']).tunnel.opened, { code: 'SessionEnded', message: /Cannot perform start session: EOF/ });
  await t.rejects(world(Array.from({ length: 500 }, () => offline)).tunnel.opened, { code: 'Ec2AgentOffline' });
});

t.test('a session whose agent says nothing is not waited for without end', async (t) => {
  const { tunnel, asked, ended, programs } = world([], []);
  await t.rejects(tunnel.opened, { code: 'SessionSilent', message: /i-1 did not open its port/ });
  t.ok(asked.length > 1, 'it is tried again, since an agent that updates itself comes back');
  t.equal(ended.length, asked.length);
  t.equal(programs.length, asked.length);
});
