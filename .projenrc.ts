// The project's own configuration files, from one source: `npm run projen` writes them. A test holds them against this.
import { IgnoreFile, JsonFile, Project, TextFile } from 'projen';

/** Which layer may import which; a layer may always import itself. The docs of each are in docs/architecture.md. */
const zones = {
  'lib/core': [],
  'lib/plan': ['lib/core'],
  'lib/image': ['lib/core', 'lib/plan'],
  'lib/synth': ['lib/core', 'lib/plan', 'lib/image'],
  'lib/assembly': ['lib/core', 'lib/plan', 'lib/synth'],
  'lib/engine': ['lib/core', 'lib/plan'],
  'lib/communicators': ['lib/core', 'lib/plan', 'lib/image', 'lib/engine'],
  'lib/provisioners': ['lib/core', 'lib/plan', 'lib/image', 'lib/engine', 'lib/communicators'],
  'lib/post-processors': ['lib/core', 'lib/plan', 'lib/image', 'lib/engine', 'lib/provisioners'],
  'lib/vm': ['lib/core', 'lib/plan', 'lib/image', 'lib/engine'],
  'lib/platforms': ['lib/core', 'lib/plan', 'lib/image', 'lib/engine', 'lib/communicators', 'lib/vm'],
  'lib/toolkit': ['lib/core', 'lib/plan', 'lib/image', 'lib/synth', 'lib/assembly', 'lib/engine', 'lib/communicators', 'lib/provisioners', 'lib/post-processors', 'lib/vm', 'lib/platforms'],
  'lib/cli': ['lib/core', 'lib/plan', 'lib/toolkit'],
  'bin': ['lib/cli'],
} as const;

/** Folders of independent parts: none imports its neighbour. */
const independent = ['lib/communicators', 'lib/provisioners', 'lib/post-processors', 'lib/vm', 'lib/platforms'];

/** Imports with one owner. */
const owners = {
  'ssh2': ['lib/communicators/ssh'],
  'socks': ['lib/communicators/ssh/engine'],
  '@aws-sdk/client-auto-scaling': ['lib/platforms/ec2/engine'],
  '@aws-sdk/client-ebs': ['lib/platforms/ec2/engine'],
  '@aws-sdk/client-ec2': ['lib/platforms/ec2/engine'],
  '@aws-sdk/client-ec2-instance-connect': ['lib/platforms/ec2/engine'],
  '@aws-sdk/client-iam': ['lib/platforms/ec2/engine'],
  '@aws-sdk/client-s3': ['lib/platforms/ec2/engine'],
  '@aws-sdk/client-ssm': ['lib/platforms/ec2/engine'],
  '@aws-sdk/credential-providers': ['lib/platforms/ec2/engine'],
  '@aws-sdk/lib-storage': ['lib/platforms/ec2/engine'],
  'dockerode': ['lib/platforms/docker/engine'],
  'esbuild': ['lib/toolkit/load'],
  'http-proxy-agent': ['lib/vm/download/engine'],
  'https-proxy-agent': ['lib/vm/download/engine'],
  'proxy-from-env': ['lib/vm/download/engine'],
  'send': ['lib/vm/http-server/engine'],
  'node:child_process': ['lib/toolkit/host'],
} as const;

const project = new Project({ name: 'bake-sdk', commitGenerated: true, gitIgnoreOptions: { filterCommentLines: false, filterEmptyLines: false } });
for (const file of ['.projen/tasks.json', '.projen/deps.json', '.projen/files.json', '.gitattributes', '.gitignore']) project.tryRemoveFile(file);

const json = (path: string, obj: object) => new JsonFile(project, path, { obj, marker: false, readonly: false });

json('package.json', {
  name: 'bake-sdk',
  version: '0.1.0',
  description: 'Machine images from TypeScript: one typed image.ts, built for many platforms',
  keywords: ['machine-image', 'image-builder', 'infrastructure-as-code', 'immutable-infrastructure', 'docker', 'qemu', 'typescript'],
  license: 'Apache-2.0',
  type: 'module',
  bin: { bake: 'dist/bin/bake.js' },
  exports: {
    '.': { types: './dist/types/lib/index.d.ts', default: './dist/lib/index.js' },
    ...Object.fromEntries(['docker', 'ec2', 'qemu', 'rootfs', 'null'].map((name) => [`./${name}`, { types: `./dist/types/lib/platforms/${name}/index.d.ts`, default: `./dist/lib/platforms/${name}/index.js` }])),
    './package.json': './package.json',
  },
  files: ['dist', '!dist/**/*.map', 'LICENSE', 'README.md'],
  engines: { node: '>=20.19' },
  scripts: {
    projen: 'node --no-warnings --loader ts-node/esm .projenrc.ts',
    build: 'npm run build:js && npm run build:types',
    'build:js': [
      `node -e "for (const part of ['bin', 'chunks', 'lib']) fs.rmSync('dist/' + part, { recursive: true, force: true })" &&`,
      'esbuild bin/bake.ts lib/index.ts lib/toolkit/load/app-process.ts',
      ...['docker', 'ec2', 'qemu', 'rootfs', 'null'].map((name) => `lib/platforms/${name}/index.ts`),
      '--bundle --splitting --format=esm --platform=node --main-fields=module,main --target=node20 --outbase=. --outdir=dist --chunk-names=chunks/[name]-[hash] --minify-syntax --minify-whitespace --keep-names --sourcemap --sources-content=false --log-level=warning',
      // The SDK is in the bundle, of a version that knows Node 20: its warning would be of no use to anybody.
      `'--define:process.env.AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED="true"'`,
      ...['constructs', 'dockerode', 'esbuild', 'http-proxy-agent', 'https-proxy-agent', 'proxy-from-env', 'send', 'socks', 'ssh2', 'tar-fs', 'tar-stream', 'yazl', '@balena/dockerignore', 'typescript'].map((name) => `--external:${name}`),
    ].join(' '),
    'build:types': 'tsc -p .',
    lint: 'oxlint --deny-warnings lib bin test examples',
    test: 'bash test/setup/run-all.sh',
    'test:unit': 'tap run',
    bench: 'npm run build && node --import tsx test/bench/run.ts',
    quickstart: 'bash examples/multi-platform/quickstart.sh',
    prepack: 'npm run build',
  },
  dependencies: {
    '@balena/dockerignore': '^1.0.2',
    'constructs': '^10.8.1',
    'dockerode': '^5.0.1',
    'esbuild': '^0.28.2',
    'http-proxy-agent': '^9.1.0',
    'https-proxy-agent': '^9.1.0',
    'proxy-from-env': '^2.1.0',
    'send': '^1.2.1',
    'socks': '^2.8.10',
    'ssh2': '^1.17.0',
    'tar-fs': '^3.1.3',
    'tar-stream': '^3.2.2',
    'tinyglobby': '^0.2.15',
    'yazl': '^3.3.1',
    'zod': '^4.6.7',
  },
  devDependencies: {
    '@aws-sdk/client-auto-scaling': '^3.1169.0',
    '@aws-sdk/client-ebs': '^3.1138.0',
    '@aws-sdk/client-ec2': '^3.1169.0',
    '@aws-sdk/client-ec2-instance-connect': '^3.1138.0',
    '@aws-sdk/client-iam': '^3.1169.0',
    '@aws-sdk/client-s3': '^3.1173.0',
    '@aws-sdk/client-ssm': '^3.1169.0',
    '@aws-sdk/credential-providers': '^3.1169.0',
    '@aws-sdk/lib-storage': '^3.1173.0',
    '@types/dockerode': '^4.0.2',
    '@types/node': '^20.19.43',
    '@types/proxy-from-env': '^1.0.4',
    '@types/send': '^1.2.1',
    '@types/ssh2': '^1.15.6',
    '@types/tar-fs': '^2.0.4',
    '@types/tar-stream': '^3.1.5',
    '@types/ws': '^8.18.1',
    '@types/yazl': '^3.3.0',
    'fast-check': '^4.10.2',
    'fast-string-truncated-width': '^3.0.3',
    'oxlint': '^1.94.0',
    'picocolors': '^1.1.1',
    'projen': '^0.103.25',
    'tap': '^21.8.0',
    'ts-node': '^10.9.2',
    'tsx': '^4.23.15',
    'typescript': '~5.9',
    'ws': '^8.23.0',
  },
});

json('tsconfig.json', {
  compilerOptions: {
    target: 'es2022', module: 'nodenext', moduleResolution: 'nodenext', lib: ['es2023'], types: ['node'],
    strict: true, noUncheckedIndexedAccess: true, noImplicitOverride: true, noFallthroughCasesInSwitch: true, noUnusedLocals: true, noUnusedParameters: true,
    verbatimModuleSyntax: true, erasableSyntaxOnly: true, isolatedModules: true, skipLibCheck: true, resolveJsonModule: true,
    declaration: true, emitDeclarationOnly: true, outDir: 'dist/types', rootDir: '.',
  },
  include: ['lib', 'bin'],
});

json('test/tsconfig.json', { extends: '../tsconfig.json', compilerOptions: { noEmit: true, declaration: false, emitDeclarationOnly: false, rootDir: '..', noUnusedParameters: false }, include: ['.', '../lib', '../bin'] });

json('test/zones.json', { zones, independent, owners });

json('.oxlintrc.json', {
  plugins: ['typescript', 'import', 'unicorn', 'node'],
  categories: { correctness: 'error', suspicious: 'error' },
  rules: {
    'eslint/no-unused-vars': ['error', { ignoreRestSiblings: true, argsIgnorePattern: '^_', varsIgnorePattern: '^_' }],
    'eslint/no-shadow': 'off', 'eslint/no-underscore-dangle': 'off', 'unicorn/consistent-function-scoping': 'off', 'unicorn/no-array-sort': 'off', 'unicorn/no-array-reverse': 'off',
    'eslint/no-await-in-loop': 'off', 'eslint/no-unmodified-loop-condition': 'off', 'unicorn/require-post-message-target-origin': 'off', 'import/no-unassigned-import': 'off',
    'typescript/no-explicit-any': 'error', 'import/no-default-export': 'error', 'import/no-cycle': 'off', 'eslint/no-new': 'off', 'eslint/no-control-regex': 'off', 'import/no-named-as-default-member': 'off',
  },
  overrides: [
    ...Object.entries(zones).map(([zone, allowed]) => ({
      files: [`${zone}/**/*.ts`],
      rules: { 'no-restricted-imports': ['error', { patterns: Object.keys(zones).filter((other) => other !== zone && other.startsWith('lib/') && !(allowed as readonly string[]).includes(other)).map((other) => ({ group: [`**/${other.slice(4)}/**`], message: `${zone} may not import ${other}` })) }] },
    })),
  ],
  ignorePatterns: ['dist', 'node_modules', 'bake.out', '.bake'],
});

new TextFile(project, '.npmrc', { lines: ['omit-lockfile-registry-resolved=true', ''], readonly: false });
new TextFile(project, '.taprc', { lines: ['include:', '  - "test/**/*.test.ts"', 'plugin:', '  - "!@tapjs/typescript"', 'node-arg:', '  - --import=tsx', 'disable-coverage: true', 'allow-empty-coverage: true', 'reporter: tap', 'timeout: 1200', 'jobs: 2', ''], readonly: false });
new IgnoreFile(project, '.gitignore', { filterCommentLines: false, filterEmptyLines: false }).addPatterns('node_modules', 'dist', 'bake.out', '.bake', '*.tgz', '.tap', 'bake.artifacts', 'bake-manifest.json', '*.checksum', 'test/bench/last.json');

project.synth();
