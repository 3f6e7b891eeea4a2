import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { dirname, extname, relative, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { BuildFailure, Loader, OnLoadResult, Plugin } from 'esbuild';
import { BakeError } from '../../core/bake-error.js';
import type { Diagnostic } from '../../core/diagnostic.js';
import { ownModule } from './own-modules.js';

/**
 * Bundles the user's program into one ES module with an inline source map. Types are not checked. Packages stay outside,
 * where Node finds them; files of the user's own, also those behind path aliases and workspace links, come inside.
 * @param onInput told of each file before it is read, and of where one that is missing is looked for
 * @throws BakeError `AppInvalid` with esbuild's findings
 */
export async function bundle(entry: string, project: string, outfile: string, onInput: (path: string) => void): Promise<void> {
  // Required and not imported: Node would first scan the whole of this CommonJS module for names to export.
  const { build } = createRequire(import.meta.url)('esbuild') as typeof import('esbuild');
  try {
    await build({
      entryPoints: [entry], outfile, absWorkingDir: project, bundle: true, platform: 'node', format: 'esm', target: 'node20', sourcemap: 'inline', sourcesContent: false,
      logLevel: 'silent', keepNames: true, plugins: [telling(onInput), packagesOutside, filesKnowTheirPlace],
      define: { 'import.meta.url': '__bakeUrl', 'import.meta.dirname': '__dirname', 'import.meta.filename': '__filename' },
    });
  } catch (error) {
    if (!isBuildFailure(error)) throw error;
    for (const path of missingFiles(error, project)) onInput(path);
    throw invalid(error, project);
  }
}

function telling(onInput: (path: string) => void): Plugin {
  return {
    name: 'telling',
    setup(build) {
      build.onLoad({ filter: /.*/ }, ({ path }) => {
        onInput(path);
        return undefined;
      });
    },
  };
}

/** Where the files would be that could not be found. */
function missingFiles({ errors }: BuildFailure, project: string): readonly string[] {
  return errors.flatMap(({ text, location }) => {
    const name = /^Could not resolve "(\.\.?\/.*)"/.exec(text)?.[1];
    if (name === undefined || location === null) return [];
    const path = resolve(project, dirname(location.file), name);
    const bare = path.replace(/\.[cm]?jsx?$/, '');
    return [...new Set([path, ...['.ts', '.mts', '.tsx', '.js', '.json', '/index.ts'].map((end) => `${bare}${end}`)])];
  });
}

const packagesOutside: Plugin = {
  name: 'packages-outside',
  setup(build) {
    build.onResolve({ filter: /^[^./]|^\.\.?[^./]/ }, async (args) => {
      if (args.kind === 'entry-point' || args.pluginData === 'resolving' || args.path.startsWith('node:')) return undefined;
      const own = ownModule(args.path);
      if (own !== undefined) return { path: own, external: true };
      const found = await build.resolve(args.path, { kind: args.kind, importer: args.importer, resolveDir: args.resolveDir, pluginData: 'resolving' });
      if (found.errors.length > 0) return { errors: found.errors };
      if (found.external || !/[\\/]node_modules[\\/]/.test(found.path)) return found;
      return { path: pathToFileURL(found.path).href, external: true };
    });
  },
};

/** After bundling there is one file, but `__dirname` and `import.meta.url` still mean the user's own. */
const filesKnowTheirPlace: Plugin = {
  name: 'files-know-their-place',
  setup(build) {
    build.onLoad({ filter: /\.[cm]?[jt]sx?$/ }, async ({ path }): Promise<OnLoadResult | undefined> => {
      const source = await readFile(path, 'utf8');
      if (!/__dirname|__filename|import\.meta/.test(source)) return undefined;
      const names = `const __filename = ${JSON.stringify(path)}, __dirname = ${JSON.stringify(dirname(path))}, __bakeUrl = ${JSON.stringify(pathToFileURL(path).href)};`;
      // On the first line of the file, so that no line moves.
      return { contents: names + source.replace(/^#!.*/, ''), loader: extname(path).replace(/^\.[cm]?/, '') as Loader };
    });
  },
};

function isBuildFailure(error: unknown): error is BuildFailure {
  return error instanceof Error && Array.isArray((error as Partial<BuildFailure>).errors);
}

function invalid(failure: BuildFailure, project: string): BakeError {
  const diagnostics = failure.errors.map(({ text, location }): Diagnostic => ({
    code: text.startsWith('Could not resolve') ? 'ModuleNotFound' : 'SyntaxError',
    severity: 'error',
    message: text.charAt(0).toLowerCase() + text.slice(1),
    ...(location === null ? {} : { location: { file: relative(project, `${project}/${location.file}`), line: location.line, column: location.column + 1 } }),
    ...(text.startsWith('Could not resolve') ? { hint: 'install the package, or correct the path' } : {}),
  }));
  return new BakeError({ code: 'AppInvalid', message: diagnostics[0]?.message ?? failure.message, diagnostics, cause: failure });
}
