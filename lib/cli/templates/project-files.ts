import { existsSync, readFileSync } from 'node:fs';
import { basename, dirname, join, relative, resolve, sep } from 'node:path';
import { ownPackageFolder } from '../own-package.js';
import type { Template } from './template.js';

const ownName = 'bake-sdk';

/** The files of a new project, by name. */
export function projectFiles(template: Template, folder: string): Readonly<Record<string, string>> {
  return {
    'image.ts': template.image,
    'package.json': json(packageManifest(folder)),
    'tsconfig.json': json(compilerConfig),
    '.gitignore': ['node_modules/', 'bake.out/', 'bake.artifacts/', '.bake/', 'dist/', 'out/', ''].join('\n'),
  };
}

/** As `bake` loads it: a bundler looks modules up, and nothing is emitted. */
const compilerConfig = {
  compilerOptions: {
    target: 'es2022', module: 'esnext', moduleResolution: 'bundler', lib: ['es2023'], types: [],
    strict: true, noUncheckedIndexedAccess: true, skipLibCheck: true, resolveJsonModule: true, noEmit: true,
  },
  include: ['*.ts'],
};

function packageManifest(folder: string): object {
  const own = ownManifest();
  const name = basename(resolve(folder)).toLowerCase().replace(/[^a-z0-9._-]+/g, '-').replace(/^[._-]+/, '');
  return {
    name: name === '' || name === ownName ? 'image' : name,
    private: true,
    type: 'module',
    scripts: { check: 'bake synth --check --quiet', synth: 'bake synth', build: 'bake run' },
    dependencies: { [ownName]: ownSpecifier(folder, own.version), constructs: own.dependencies['constructs'] ?? '*' },
    devDependencies: { typescript: own.devDependencies?.['typescript'] ?? '~5.9' },
  };
}

interface OwnManifest {
  readonly version: string;
  readonly dependencies: Readonly<Record<string, string>>;
  readonly devDependencies?: Readonly<Record<string, string>>;
}

function ownManifest(): OwnManifest {
  return JSON.parse(readFileSync(join(ownPackageFolder(), 'package.json'), 'utf8')) as OwnManifest;
}

/**
 * How a project asks for this very copy: its version, or, for a checkout and for a copy that came from a packed file,
 * the place it came from, which needs no registry.
 */
export function ownSpecifier(folder: string, version: string, root = ownPackageFolder()): string {
  const modules = dirname(root);
  const place = (path: string) => `file:${relative(resolve(folder), path).split(sep).join('/') || '.'}`;
  if (basename(modules) !== 'node_modules') return place(root);
  const packed = packedFile(modules);
  return packed === undefined ? version : place(packed);
}

/** The file that npm installed us from, as its hidden lock file tells. */
function packedFile(modules: string): string | undefined {
  try {
    const lock = JSON.parse(readFileSync(join(modules, '.package-lock.json'), 'utf8')) as { readonly packages?: Readonly<Record<string, { readonly resolved?: string }>> };
    const resolved = lock.packages?.[`node_modules/${ownName}`]?.resolved;
    if (resolved === undefined || !resolved.startsWith('file:')) return undefined;
    const path = resolve(dirname(modules), resolved.slice('file:'.length));
    return existsSync(path) ? path : undefined;
  } catch {
    return undefined; // another package manager, or an older one
  }
}

function json(value: object): string {
  return `${JSON.stringify(value, undefined, 2)}\n`;
}
