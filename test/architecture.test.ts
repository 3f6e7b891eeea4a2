import { readdirSync, readFileSync } from 'node:fs';
import { builtinModules } from 'node:module';
import { dirname, join, posix, relative, sep } from 'node:path';
import { fileURLToPath } from 'node:url';
import t from 'tap';

const root = join(dirname(fileURLToPath(import.meta.url)), '..');
const { zones, independent, owners } = JSON.parse(readFileSync(join(root, 'test/zones.json'), 'utf8')) as {
  zones: Record<string, string[]>;
  independent: string[];
  owners: Record<string, string[]>;
};

interface Edge {
  readonly from: string;
  readonly to: string;
  readonly isLazy: boolean;
}

const files = ['lib', 'bin'].flatMap((folder) => readdirSync(join(root, folder), { recursive: true, withFileTypes: true }))
  .filter((entry) => entry.isFile() && entry.name.endsWith('.ts'))
  .map((entry) => relative(root, join(entry.parentPath, entry.name)).split(sep).join('/'));

/** Every import of every file; an own one as the path of its file, a package as its name. */
const edges: readonly Edge[] = files.flatMap((from) => {
  const text = readFileSync(join(root, from), 'utf8').replace(/^\s*(\/\/|\*|\/\*).*$/gm, '');
  return [...text.matchAll(/(?:\bfrom\s+|\bimport\s+|\bimport\()'([^']+)'/g)].map(([whole, name = '']) => ({
    from, isLazy: whole.startsWith('import('), to: name.startsWith('.') ? posix.join(posix.dirname(from), name).replace(/\.js$/, '.ts') : name,
  }));
});
const zoneOf = (file: string) => Object.keys(zones).find((zone) => file.startsWith(`${zone}/`));
const roomOf = (file: string) => independent.map((folder) => new RegExp(`^${folder}/[^/]+/`).exec(file)?.[0]).find((room) => room !== undefined);
const show = (bad: readonly Edge[]) => bad.map(({ from, to }) => `${from} → ${to}`);

t.test('there are files to look at', async (t) => {
  t.ok(files.length > 50 && edges.length > 200, `${files.length} files, ${edges.length} imports`);
});

t.test('a layer imports only the layers below it', async (t) => {
  t.same(show(edges.filter(({ from, to }) => {
    const [here, there] = [zoneOf(from), zoneOf(to)];
    return here !== undefined && there !== undefined && here !== there && !zones[here]!.includes(there);
  })), []);
});

t.test('no platform, provisioner, post-processor or communicator imports its neighbour', async (t) => {
  t.same(show(edges.filter(({ from, to }) => {
    const [here, there] = [roomOf(from), roomOf(to)];
    return here !== undefined && there !== undefined && here !== there && zoneOf(from) === zoneOf(to);
  })), []);
});

t.test('what the user writes never loads what carries it out', async (t) => {
  const isHandlerSide = (file: string) => roomOf(file) !== undefined && file.slice(roomOf(file)!.length).startsWith('engine/');
  t.same(show(edges.filter(({ from, to, isLazy }) => !isLazy && isHandlerSide(to) && !isHandlerSide(from) && zoneOf(from) === zoneOf(to))), []);
});

t.test('a risky import has one owner', async (t) => {
  t.same(show(edges.filter(({ from, to }) => {
    const owner = owners[to];
    return owner !== undefined && !owner.some((folder) => from.startsWith(`${folder}/`));
  })), []);
});

t.test('the environment and the exit belong to the command line', async (t) => {
  // app-process.ts is itself the entry of a process, exec.ts passes the environment on to children, and credentials.ts
  // follows the variables of the docker client, whose logins it reads.
  const exceptions = ['lib/toolkit/load/app-process.ts', 'lib/toolkit/host/exec.ts', 'lib/platforms/docker/engine/credentials.ts'];
  const allowed = (file: string) => /^(bin|lib\/cli)\//.test(file) || exceptions.includes(file);
  t.same(files.filter((file) => !allowed(file) && /process\.(env|exit\b)/.test(readFileSync(join(root, file), 'utf8').replace(/^\s*(\/\/|\*|\/\*).*$/gm, ''))), []);
});

t.test('core and plan load no package but the schema library', async (t) => {
  const isPackage = (name: string) => !name.endsWith('.ts') && !name.startsWith('node:') && !builtinModules.includes(name);
  t.same(show(edges.filter(({ from, to }) => /^lib\/(core|plan)\//.test(from) && isPackage(to) && to !== 'zod')), []);
});

t.test('no room is a lumber room', async (t) => {
  t.same(files.filter((file) => /(^|\/)(utils?|helpers?|common|types|misc)(\.ts$|\/)/.test(file)), []);
});

t.test('a file can be read at one sitting', async (t) => {
  t.same(files.filter((file) => readFileSync(join(root, file), 'utf8').split('\n').length > 400), []);
});
