import { chmod, cp, lstat, mkdir, readdir, readFile, readlink, rm, stat, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { BakeError } from '../../../core/bake-error.js';
import { canonicalJson, sha256 } from '../../../core/json.js';
import type { StepContext } from '../../../engine/handler.js';
import type { PackedLayer, PackOptions, PatchFiles, RootfsPort, RunningMachine, SealOptions, TreeSpec } from './rootfs-port.js';

/** What stands in a fake archive: path to text, or `-> target` for a link. */
export type FakeFiles = Readonly<Record<string, string>>;

/**
 * A computer that holds root trees without namespaces, packages or tar. Its contract, which `rootfsContract` holds against
 * this and the real thing:
 * - Trees are plain folders; a tree is made whole or, if it fails, left half made for `remove`.
 * - A suite is a name in `suites`; any other fails with `RootfsBootstrapFailed`. Bootstrapping writes `etc/os-release`,
 *   `bin/sh` and a file for each package.
 * - An archive is a JSON file of `FakeFiles`, which `pack` writes in order of name, without times or owners: the same tree
 *   gives the same bytes. Anything else is `RootfsTarballInvalid`, and so are names with `..`.
 * - A machine is an entry under its token. It needs `bin/sh`, and is gone after `crash`, as a real one dies with the
 *   process that started it.
 * - A folder below which something is in `mounts` is not removed.
 * - Every method rejects with the signal's reason if it is aborted, and with what `failNext` was given for it.
 * It knows nothing of: commands in a machine, owners, devices, compression, clamped times.
 */
export class FakeRootfs implements RootfsPort {
  readonly suites = new Set(['bookworm']);
  readonly machines = new Map<string, RunningMachine & { readonly tree: string; processes: number }>();
  readonly mounts = new Set<string>();
  readonly #failures = new Map<keyof RootfsPort, Error>();
  #pids = 100;

  /** Makes the next call of a method fail, after it has begun its work where it has any. */
  failNext(method: keyof RootfsPort, error: Error): void {
    this.#failures.set(method, error);
  }
  /** What the death of this process does to the computer. */
  crash(): void {
    this.machines.clear();
  }

  async check(ctx: StepContext): Promise<void> {
    this.#begin('check', ctx);
  }
  async checkMirrorTool(ctx: StepContext): Promise<void> {
    this.#begin('checkMirrorTool', ctx);
  }
  async checkCompression(_compression: string, ctx: StepContext): Promise<void> {
    this.#begin('checkCompression', ctx);
  }

  async bootstrap({ suite = '', packages = [] }: TreeSpec, tree: string, scratch: string, ctx: StepContext): Promise<void> {
    await mkdir(tree);
    await writeFile(join(scratch, 'sources.list'), suite);
    this.#begin('bootstrap', ctx);
    if (!this.suites.has(suite)) throw new BakeError({ code: 'RootfsBootstrapFailed', message: `there is no suite "${suite}"` });
    const files = Object.fromEntries(packages.map((name) => [`usr/share/doc/${name}/copyright`, name]));
    await fill(tree, { 'bin/sh': 'shell', 'etc/os-release': suite, 'var/log/apt/history.log': String(ctx.clock.now()), ...files });
  }

  async unpack(archive: string, tree: string, ctx: StepContext): Promise<void> {
    const files = await readArchive(archive);
    await mkdir(tree);
    this.#begin('unpack', ctx);
    await fill(tree, files);
  }
  async copy(folder: string, target: string, ctx: StepContext): Promise<void> {
    await mkdir(target);
    this.#begin('copy', ctx);
    await cp(folder, target, { recursive: true, verbatimSymlinks: true });
  }

  async savePatch(tree: string, { archive, note }: PatchFiles, ctx: StepContext): Promise<void> {
    this.#begin('savePatch', ctx);
    await cp(tree, archive, { recursive: true, verbatimSymlinks: true });
    await writeFile(note, '');
  }
  async applyPatches(archives: readonly string[], tree: string, note: string, ctx: StepContext): Promise<void> {
    this.#begin('applyPatches', ctx);
    await cp(archives.at(-1)!, tree, { recursive: true, verbatimSymlinks: true });
    await writeFile(note, '');
  }

  async start(tree: string, _options: object, ctx: StepContext): Promise<RunningMachine> {
    this.#begin('start', ctx);
    if (!(await isThere(join(tree, 'bin/sh')))) throw new BakeError({ code: 'MachineStartFailed', message: 'the tree has no /bin/sh', hint: 'a tarball must have the root of the tree at its top' });
    const machine = { init: ++this.#pids, initStart: String(this.#pids), rootless: false };
    this.machines.set(ctx.token, { ...machine, tree, processes: 1 });
    return machine;
  }
  async isBusy(): Promise<boolean> {
    return [...this.machines.values()].some(({ processes }) => processes > 1);
  }
  async saveMemory(_machine: RunningMachine, archive: string, ctx: StepContext): Promise<void> {
    this.#begin('saveMemory', ctx);
    await writeFile(archive, '');
  }
  async fillMemory(_machine: RunningMachine, _archive: string, ctx: StepContext): Promise<void> {
    this.#begin('fillMemory', ctx);
  }
  async findMachine(token: string): Promise<RunningMachine | undefined> {
    const machine = this.machines.get(token);
    return machine && { init: machine.init, initStart: machine.initStart, rootless: machine.rootless };
  }
  async end(token: string, ctx: StepContext): Promise<void> {
    this.#begin('end', ctx);
    this.machines.delete(token);
  }
  async quiet({ init }: Omit<RunningMachine, 'rootless'>, ctx: StepContext): Promise<void> {
    this.#begin('quiet', ctx);
    for (const machine of this.machines.values()) if (machine.init === init) machine.processes = 0;
  }

  async seal(tree: string, { cleanPackageCache, clearLogs }: SealOptions, ctx: StepContext): Promise<void> {
    this.#begin('seal', ctx);
    for (const folder of ['dev', 'proc', 'sys', 'tmp', 'var/tmp', ...(cleanPackageCache ? ['var/lib/apt/lists'] : [])]) {
      for (const name of await readdir(join(tree, folder)).catch(() => [])) await rm(join(tree, folder, name), { recursive: true });
    }
    if (await isThere(join(tree, 'etc/machine-id'))) await writeFile(join(tree, 'etc/machine-id'), '');
    if (clearLogs) for (const path of await filesIn(join(tree, 'var/log'))) await writeFile(path, '');
  }

  async pack(tree: string, file: string, _options: PackOptions, ctx: StepContext): Promise<void> {
    await writeFile(file, '{"half');
    this.#begin('pack', ctx);
    await writeFile(file, canonicalJson(await readTree(tree)));
  }
  async packLayer(tree: string, file: string, options: PackOptions, ctx: StepContext): Promise<PackedLayer> {
    await this.pack(tree, file, options, ctx);
    const digest = `sha256:${sha256(await readFile(file))}`;
    return { digest, diffId: digest, size: (await stat(file)).size };
  }
  async clampTimes(_tree: string, _clampTime: number, ctx: StepContext): Promise<void> {
    this.#begin('clampTimes', ctx);
  }

  async remove(folder: string, ctx: StepContext): Promise<void> {
    this.#begin('remove', ctx);
    const [mount] = [...this.mounts].filter((point) => point.startsWith(folder));
    if (mount !== undefined) throw new BakeError({ code: 'TreeMounted', message: `something is mounted in ${folder}` });
    await rm(folder, { recursive: true, force: true });
  }

  #begin(method: keyof RootfsPort, ctx: StepContext): void {
    ctx.signal.throwIfAborted();
    const failure = this.#failures.get(method);
    this.#failures.delete(method);
    if (failure !== undefined) throw failure;
  }
}

async function readArchive(archive: string): Promise<FakeFiles> {
  try {
    const files = JSON.parse(await readFile(archive, 'utf8')) as FakeFiles;
    if (Object.keys(files).length > 0 && !Object.keys(files).some((name) => name.split('/').includes('..'))) return files;
  } catch { /* it is not one */ }
  throw new BakeError({ code: 'RootfsTarballInvalid', message: `${archive} is not a whole tar archive` });
}

async function fill(tree: string, files: FakeFiles): Promise<void> {
  for (const [name, text] of Object.entries(files)) {
    await mkdir(dirname(join(tree, name)), { recursive: true });
    await writeFile(join(tree, name), text);
    await chmod(join(tree, name), 0o755);
  }
}

async function filesIn(folder: string): Promise<readonly string[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true }).catch(() => []);
  return entries.filter((entry) => !entry.isDirectory()).map((entry) => join(entry.parentPath, entry.name)).sort();
}

async function readTree(tree: string): Promise<FakeFiles> {
  const files: Record<string, string> = {};
  for (const path of await filesIn(tree)) {
    const isLink = (await lstat(path)).isSymbolicLink();
    files[path.slice(tree.length + 1)] = isLink ? `-> ${await readlink(path)}` : await readFile(path, 'utf8');
  }
  return files;
}

function isThere(path: string): Promise<boolean> {
  return stat(path).then(() => true, () => false);
}
