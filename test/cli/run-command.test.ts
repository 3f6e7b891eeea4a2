import t from 'tap';
import { main } from '../../lib/cli/main.js';
import { fakeIo } from './fake-io.js';

t.test('--dry-run carries nothing out, and says what would be done and why', async (t) => {
  const io = fakeIo();
  io.fakeToolkit.forecasts = [
    { build: 'Web/Docker', platform: 'docker', upToDate: false, milliseconds: 1_500, steps: [
      { step: 'Web/Docker:A', name: 'A', title: 'shell: 1 line', will: 'cached' }, { step: 'Web/Docker/Container', name: 'Container', title: 'container', will: 'restored' },
      { step: 'Web/Docker:B', name: 'B', title: 'shell: b.sh', will: 'run', milliseconds: 1_500, why: { type: 'changed', changes: [{ path: 'spec.script', before: { asset: 'a', name: 'b.sh', type: 'file' }, after: { asset: 'b', name: 'b.sh', type: 'file' } }] } },
    ] },
    { build: 'Web/Root', platform: 'rootfs', upToDate: true, milliseconds: 0, steps: [] },
  ];
  t.equal(await main(['run', 'Web', '--dry-run', '--no-cache=Web/B,Web/C'], io), 0);
  t.match(io.fakeToolkit.calls, [{ method: 'forecast', options: { selectors: ['Web'], noCache: ['Web/B', 'Web/C'], force: false } }]);
  t.equal(io.stdout.text, `Web/Docker on docker  about 1.5s
  ✔ A shell: 1 line: cached
  → Container container: brought back from a checkpoint
  ▸ B shell: b.sh: b.sh changed (1.5s last time)
Web/Root on rootfs  up to date
`);
});

t.test('--no-cache alone is for everything', async (t) => {
  const io = fakeIo();
  await main(['run', '--no-cache', '-n'], io);
  t.match(io.fakeToolkit.calls, [{ method: 'forecast', options: { noCache: true } }]);
});

t.test('--resume takes its run as an argument too, and nothing else is selected', async (t) => {
  const options = async (...args: readonly string[]) => {
    const io = fakeIo();
    io.fakeToolkit.report = { run: 'r2', status: 'succeeded', builds: [], leftovers: [] };
    return { code: await main(['run', ...args], io), options: io.fakeToolkit.calls[0]?.options };
  };
  t.match(await options('--resume'), { code: 0, options: { resume: true, selectors: [] } });
  for (const args of [['--resume', 'r1'], ['--resume=r1']]) t.match(await options(...args), { code: 0, options: { resume: 'r1', selectors: [] } });
  t.equal((await options('Web')).options?.['resume'], undefined);
  for (const args of [['--resume', 'r1', 'Web'], ['--resume', '--only', 'Web']]) t.match(await options(...args), { code: 2, options: undefined });
});

t.test('the last line says from where a failed build goes on', async (t) => {
  const lastLine = async (...args: readonly string[]) => {
    const io = fakeIo();
    const build = { status: 'failed' as const, milliseconds: 5, artifacts: [] };
    io.fakeToolkit.report = { run: 'r2', status: 'failed', leftovers: [], builds: [{ build: 'Web/A', ...build, resumesAfter: 'Nginx' }, { build: 'Web/B', ...build }] };
    await main(['run', ...args], io);
    return io.stderr.lines.at(-1);
  };
  t.equal(await lastLine(), '→ bake run goes on after "Nginx" of Web/A');
  t.equal(await lastLine('Web'), '→ bake run --resume r2 goes on after "Nginx" of Web/A');
});
