import { readdirSync, readFileSync } from 'node:fs';
import t from 'tap';
import { shellHandler } from '../../../lib/provisioners/shell/engine/shell-handler.js';
import { runLocalScript } from '../../../lib/provisioners/shell-local/engine/run-local-script.js';
import { stepContext } from '../../support/step-context.js';
import { posixShells, ShellMachine } from './shells.js';

const secret = 'pl4nted-s3cret';
const environment = { TOKEN: `${secret} it's`, MORE: `x\n${secret}` };

/** Looks at the arguments of every process while `work` goes on, as often as it can; returns what was seen with the secret in it. */
async function watched(work: (signal: { done: boolean }) => Promise<unknown>): Promise<{ readonly looks: number; readonly seen: readonly string[] }> {
  const state = { done: false };
  const seen: string[] = [];
  let looks = 0;
  const look = async () => {
    while (!state.done) {
      looks++;
      for (const pid of readdirSync('/proc').filter((name) => /^\d+$/.test(name))) {
        const line = read(`/proc/${pid}/cmdline`).replaceAll('\0', ' ');
        if (line.includes(secret)) seen.push(line);
      }
      await new Promise((resolve) => { setImmediate(resolve); });
    }
  };
  await Promise.all([work(state).finally(() => { state.done = true; }), look()]);
  return { looks, seen };
}

// The script looks for itself as well, so that no moment of its life is missed.
const inline = [`: ${secret}`, 'cat /proc/[0-9]*/cmdline 2>/dev/null | tr "\\0" " "; echo', 'sleep 0.2'];

t.test('the watch would see a secret', async (t) => {
  const { seen } = await watched(() => new ShellMachine().exec({ command: `sleep 0.2; : ${secret}` }));
  t.ok(seen.length > 0);
});

for (const posix of posixShells) {
  t.test(`no process has a secret among its arguments, with ${posix}`, async (t) => {
    const commands = [undefined, '{{.Vars}} {{.Path}}', "env -i sh -c '{{.Vars}} {{.Path}}'", 'env -i {{.Vars}} {{.Path}}', '. {{.EnvVarFile}} && {{.Path}}', `echo ${secret} | env -i {{.Vars}} {{.Path}}`];
    for (const executeCommand of commands) {
      const ctx = stepContext(t, { connect: () => new ShellMachine({ posix }) });
      const { looks, seen } = await watched(() => shellHandler.run({ connection: { kind: 'test' }, inline, environment, executeCommand }, ctx));
      t.ok(looks > 3, `${looks} looks`);
      t.strictSame(seen, [], String(executeCommand));
      t.notMatch(ctx.lines().join('\n'), secret);
    }
  });
}

t.test('nor has one of a local script', async (t) => {
  const ctx = stepContext(t);
  const { seen } = await watched(() => runLocalScript({ inline, environment }, ctx));
  t.strictSame(seen, []);
  t.notMatch(ctx.lines().join('\n'), secret);
});

function read(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return ''; // it ended meanwhile
  }
}
