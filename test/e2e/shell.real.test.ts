// `bake shell` lets somebody into what checkpoints hold, and into what failed runs kept.
import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { baseImage } from '../platforms/docker/base-image.js';
import { guestImage } from '../platforms/qemu/guest-image.js';
import { qemuLeftovers } from '../platforms/qemu/qemu-leftovers.js';
import { bake, bakeProgram, type BakeResult } from '../support/bake-cli.js';
import { baseTarball } from '../support/base-tarball.js';
import { leftovers } from '../support/leftovers.js';
import { need, type Part } from '../support/need.js';

/** `bake` with these commands on its standard input. */
function shell(project: string, commands: string, ...args: readonly string[]): Promise<Pick<BakeResult, 'code' | 'stdout' | 'stderr'>> {
  return new Promise((resolve) => {
    const child = execFile('env', ['-u', 'NODE_OPTIONS', process.execPath, bakeProgram, 'shell', ...args], { cwd: project, env: environment(project) }, (_error, stdout, stderr) => resolve({ code: child.exitCode, stdout, stderr }));
    child.stdin?.end(commands);
  });
}

/** The same at a terminal of 100 columns; what is typed when a line of `steps` was seen. */
async function atTerminal(t: Test, project: string, steps: readonly (readonly [seen: string, typed: string])[], ...args: readonly string[]): Promise<{ readonly code: number | null; readonly shown: string }> {
  const command = ['stty', 'cols', '100', 'rows', '30;', 'exec', process.execPath, bakeProgram, 'shell', ...args].join(' ');
  const child = spawn('env', ['-u', 'NODE_OPTIONS', 'script', '-qefc', command, '/dev/null'], { cwd: project, env: { ...environment(project), TERM: 'xterm', CI: '' }, stdio: ['pipe', 'pipe', 'inherit'] });
  t.teardown(() => { child.kill(); });
  let shown = '';
  let from = 0;
  const left = [...steps];
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    shown += text;
    for (let next = left[0]; next !== undefined; next = left[0]) {
      const at = shown.indexOf(next[0], from);
      if (at < 0) return;
      from = at + next[0].length;
      left.shift();
      child.stdin.write(next[1]);
    }
  });
  const [code] = await once(child, 'close') as [number | null];
  return { code, shown };
}

function environment(project: string): NodeJS.ProcessEnv {
  return { ...process.env, NO_COLOR: '1', BAKE_CACHE_DIR: join(project, '.bake', 'cache') };
}

const steps = `new Shell(image, 'One', { inline: ['echo one > /root/one'] });
new Shell(image, 'Two', { inline: ['echo two > /root/two; test ! -e /root/fail'] });
`;

const worlds: readonly { readonly name: string; readonly parts: readonly Part[]; readonly image: () => Promise<string>; readonly left: (project: string) => readonly string[] }[] = [
  { name: 'Docker', parts: ['docker'], left: leftovers, image: async () => `import { App, Image, Shell } from 'bake-sdk';
import { DockerSource } from 'bake-sdk/docker';
const image = new Image(new App(), 'Web');
new DockerSource(image, 'Docker', { image: '${await baseImage()}' });
${steps}` },
  { name: 'rootfs', parts: ['namespaces'], left: leftovers, image: async () => `import { App, Image, Shell } from 'bake-sdk';
import { BootstrapSource } from 'bake-sdk/rootfs';
const image = new Image(new App(), 'Web');
new BootstrapSource(image, 'Tree', { tarball: '${await baseTarball()}', output: { path: 'out.tar' } });
${steps}` },
  { name: 'QEMU', parts: ['qemu'], left: (project) => [...leftovers(project), ...qemuLeftovers(project)], image: () => guestImage('', steps) },
];

for (const { name, parts, image, left } of worlds) {
  t.test(`${name}: a step's state is entered in a copy, and what a failed run kept as it is`, { timeout: 200_000 }, async (t: Test) => {
    for (const part of parts) if (!(await need(t, part))) return;
    const text = await image();
    const project = t.testdir({ 'image.ts': text });
    const source = /Source\(image, '(\w+)'/.exec(text)![1]!;
    const top = /new App\(\), '(\w+)'/.exec(text)![1]!;
    const built = await bake(project, ['run', '--checkpoints', 'all']);
    t.equal(built.code, 0, built.stderr);
    t.match(await shell(project, 'cat /root/one; ls /root/two; exit 6\n', `${top}/${source}/One`), { code: 6, stdout: 'one\n', stderr: /two/ });
    t.match(await shell(project, 'cat /root/two; echo more > /root/two', top), { code: 0, stdout: 'two\n' });
    t.match(await shell(project, 'cat /root/two', `${top}/${source}:Two`), { code: 0, stdout: 'two\n' }, 'it was a copy');

    const { code, shown } = await atTerminal(t, project, [['"exit" leaves it', 'sleep 1; stty size\n'], ['30 100', 'sh -c "echo waits; exec sleep 1000"\n'], ['waits\r', '\x03'], ['# ', 'echo it was $?\n'], ['it was 130', 'exit 5\n']], top);
    t.equal(code, 5, shown);
    t.same(left(project), []);

    writeFileSync(join(project, 'image.ts'), text.replace('echo two', 'touch /root/fail; echo two'));
    t.match(await shell(project, '', `${top}/Two`), { code: 2, stderr: new RegExp(`no checkpoint after ${top}/${source}/Two[^]*bake shell ${top}/${source}/One`) });
    const failed = await bake(project, ['run', '--on-error', 'keep']);
    t.equal(failed.code, 1, failed.stderr);
    const run = /bake clean (\S+)/.exec(failed.stderr)![1]!;
    t.match(await shell(project, 'cat /root/one; exit 4', run), { code: 4, stdout: 'one\n' });
    t.equal((await bake(project, ['clean'])).code, 0);
    t.same(left(project), []);
    t.match(readFileSync(join(project, '.bake/runs', run, 'journal.jsonl'), 'utf8'), 'run.closed');
  });
}
